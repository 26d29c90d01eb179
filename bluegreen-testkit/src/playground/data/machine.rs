//! A machine: what runs on it, from its boot to its end.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::built_in::Server;
use super::command::{Process, Told};
use super::fate::Fate;
use super::ports::Ports;
use super::task::Task;
use super::tls::Tls;
use crate::playground::topology::MachineView;

/// A machine of the data plane.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) fate: Arc<Fate>,
    /// When it was seen first.
    since: Instant,
    booted: bool,
    runs: Runs,
}

/// What runs on a machine.
#[derive(Debug)]
enum Runs {
    Nothing,
    BuiltIn(BuiltIn),
    Command(Process),
    /// A command that ended by itself, or could not be run.
    Over,
}

/// The built-in server of a machine.
#[derive(Debug)]
struct BuiltIn {
    server: Arc<Server>,
    /// As it was described last.
    view: MachineView,
    /// Its ports, each with its protocol.
    sockets: BTreeMap<u16, (String, Task)>,
}

/// What all machines are run with.
pub(super) struct Setup<'a> {
    pub(super) boot: Duration,
    pub(super) command: Option<&'a str>,
    pub(super) tls: &'a Tls,
    pub(super) logs: &'a Path,
    pub(super) ports: &'a mut Ports,
    /// What people should hear of.
    pub(super) troubles: &'a mut Vec<String>,
}

impl Machine {
    pub(super) fn new() -> Self {
        let (fate, since) = (Arc::default(), Instant::now());
        Self { fate, since, booted: false, runs: Runs::Nothing }
    }

    /// Makes the machine what it is to be now.
    pub(super) async fn follow(&mut self, view: &MachineView, setup: &mut Setup<'_>) {
        let (crashed, hangs, later) = {
            let symptoms = self.fate.symptoms();
            (symptoms.crashed, symptoms.hangs, symptoms.boots_later)
        };
        self.booted |= self.since.elapsed() >= setup.boot + later;
        if view.stopped || crashed || !self.booted {
            // A crash is not asked for, nor does a stopped machine wait.
            self.runs = Runs::Nothing;
            return;
        }
        match setup.command {
            Some(command) => self.follow_command(command, hangs, view, setup),
            None => self.serve(view, setup).await,
        }
    }

    /// Lets go of what runs; a command is asked first.
    pub(super) fn end(self, ending: &mut JoinSet<()>) {
        if let Runs::Command(process) = self.runs {
            ending.spawn(process.end());
        }
    }

    fn follow_command(
        &mut self,
        command: &str,
        hangs: bool,
        view: &MachineView,
        setup: &mut Setup<'_>,
    ) {
        match &mut self.runs {
            Runs::Over => {}
            Runs::Command(process) => {
                if let Some(status) = process.ended() {
                    let ended = format!("the command of {} ended: {status}", view.instance);
                    setup.troubles.push(ended);
                    self.runs = Runs::Over;
                } else {
                    process.halt(hangs);
                }
            }
            _ => {
                let placed = view.ports.iter();
                let placed =
                    placed.map(|(port, protocol)| (setup.ports.place(*port), protocol.clone()));
                let placed: Vec<_> = placed.collect();
                let log = setup.logs.join(format!("{}.log", view.instance));
                let started = Told::of(view, &placed).and_then(|told| {
                    Process::start(command, &told, &log).map_err(|error| error.to_string())
                });
                self.runs = match started {
                    Ok(process) => Runs::Command(process),
                    Err(error) => {
                        let trouble = format!("{} cannot run its command: {error}", view.instance);
                        setup.troubles.push(trouble);
                        Runs::Over
                    }
                };
            }
        }
    }

    async fn serve(&mut self, view: &MachineView, setup: &mut Setup<'_>) {
        if !matches!(self.runs, Runs::BuiltIn(_)) {
            let server = Arc::new(Server::new(view, Arc::clone(&self.fate)));
            let (view, sockets) = (view.clone(), BTreeMap::new());
            self.runs = Runs::BuiltIn(BuiltIn { server, view, sockets });
        }
        let Runs::BuiltIn(BuiltIn { server, view: known, sockets }) = &mut self.runs else {
            return;
        };
        if known != view {
            server.describe(view);
            known.clone_from(view);
        }
        sockets.retain(|port, (protocol, _)| view.ports.get(port) == Some(protocol));
        for (port, protocol) in &view.ports {
            if sockets.contains_key(port) {
                continue;
            }
            let tls = match protocol.as_str() {
                "HTTP" | "TCP" => None,
                "HTTPS" | "TLS" => Some(setup.tls.acceptor.clone()),
                // Nothing of ours speaks it; whoever checks it finds that out.
                _ => continue,
            };
            match bind(view.address, setup.ports.place(*port)).await {
                Ok(socket) => {
                    let task = Task::spawn(Arc::clone(server).serve(socket, tls));
                    sockets.insert(*port, (protocol.clone(), task));
                }
                Err(error) => {
                    let name = &view.instance;
                    let trouble =
                        format!("{name} cannot serve on {}:{port}: {error}", view.address);
                    setup.troubles.push(trouble);
                }
            }
        }
    }
}

async fn bind(address: Ipv4Addr, port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((address, port)).await
}
