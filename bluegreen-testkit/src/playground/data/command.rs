//! Somebody's own command, run as the server of a machine.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::playground::topology::MachineView;

/// How long a command may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// A command that runs, with every process that it started.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Its process group, until it is known to have ended.
    group: Option<Pid>,
    halted: bool,
}

/// What a command is told about its machine.
#[derive(Debug)]
pub(super) struct Told(Vec<(&'static str, String)>);

impl Told {
    /// Collects what a command is told; `ports` are those on which it is to serve, each with its
    /// protocol. Refuses what a shell could take for more than a value.
    pub(super) fn of(machine: &MachineView, ports: &[(u16, String)]) -> Result<Self, String> {
        let is_http = |(_, protocol): &&(u16, String)| protocol == "HTTP";
        let first = ports.iter().find(is_http).or(ports.first());
        let first = first.map(|(port, _)| port.to_string()).unwrap_or_default();
        let all: Vec<String> = ports.iter().map(|(port, _)| port.to_string()).collect();
        let told = vec![
            ("ADDRESS", machine.address.to_string()),
            ("PORT", first),
            ("PORTS", all.join(" ")),
            ("VERSION", machine.image.to_string()),
            ("COLOR", machine.color.clone().unwrap_or_default()),
            ("INSTANCE", machine.instance.to_string()),
        ];
        let is_plain = |text: &str| {
            text.chars().all(|one| one.is_ascii_alphanumeric() || "-_.: ".contains(one))
        };
        match told.iter().find(|(_, value)| !is_plain(value)) {
            None => Ok(Self(told)),
            Some((name, value)) => Err(format!("{name} is {value:?}, which no command is given")),
        }
    }

    /// Fills in `{port}`, `{address}`, `{version}` and `{instance}`.
    pub(super) fn fill(&self, command: &str) -> String {
        let filled = ["PORT", "ADDRESS", "VERSION", "INSTANCE"];
        let told = self.0.iter().filter(|(name, _)| filled.contains(name));
        told.fold(command.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{}}}", name.to_lowercase()), value)
        })
    }
}

impl Process {
    /// Runs a command in a process group of its own; what it says goes to `log`.
    pub(super) fn start(command: &str, told: &Told, log: &Path) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child = Command::new("sh")
            .arg("-c")
            .arg(told.fill(command))
            .envs(told.0.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group, halted: false })
    }

    /// Returns how it ended, the first time that it is asked after it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.group?;
        let status = self.child.try_wait().ok().flatten()?;
        // What it left behind goes with it.
        self.kill();
        Some(status)
    }

    /// Halts every process of it, or lets them go on.
    pub(super) fn halt(&mut self, halted: bool) {
        if self.halted != halted {
            self.halted = halted;
            self.send(if halted { Signal::STOP } else { Signal::CONT });
        }
    }

    /// Kills every process of it at once.
    pub(super) fn kill(&mut self) {
        self.send(Signal::KILL);
        self.group = None;
    }

    /// Asks it to end, and kills it if it takes too long.
    pub(super) async fn end(mut self) {
        self.halt(false);
        self.send(Signal::TERM);
        // Killed in any case: it may have left others behind.
        drop(tokio::time::timeout(FAREWELL, self.child.wait()).await);
        self.kill();
        // So that nothing is left in the table of processes.
        drop(self.child.wait().await);
    }

    fn send(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It may have ended meanwhile, which is what was wanted as a rule.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
