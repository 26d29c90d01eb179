//! Ctrl-C and its like: first roll back, then stop at once.

use std::io::{self, IsTerminal as _};

use bluegreen_core::transaction::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit;
use crate::failure::Failure;
use crate::render::{Progress, problem};

/// The requests to stop that the process gets from now on, instead of dying of them.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes over SIGINT and SIGTERM.
    pub(crate) fn new() -> Result<Self, Failure> {
        let take = || -> io::Result<Self> {
            let interrupt = signal(SignalKind::interrupt())?;
            Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
        };
        take().map_err(|error| Failure::refused(format!("signals cannot be caught: {error}")))
    }

    /// Waits until somebody asks to stop.
    pub(crate) async fn asked(&mut self) {
        self.next().await;
    }

    /// Does something that changes nothing, and drops it when asked to stop.
    pub(crate) async fn unless_asked<T, E: Into<Failure>>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            result = work => result.map_err(Into::into),
            () = self.next() => {
                if io::stderr().is_terminal() {
                    // The terminal has written `^C` where the question stands.
                    problem("\n");
                }
                Err(Failure::interrupted())
            }
        }
    }

    /// Does something that `cancel` can stop, and tells it each time that somebody asks.
    pub(crate) async fn relay<T>(
        &mut self,
        cancel: &Cancel,
        progress: &dyn Progress,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = std::pin::pin!(work);
        let mut asked = 0;
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.next() => asked += 1,
            }
            progress.note(match asked {
                1 => "interrupting: rolling back; once more to stop at once",
                2 => "stopping at once; `bluegreen recover` goes on from here",
                // Whatever hangs: the journal has what a recovery needs.
                _ => std::process::exit(i32::from(exit::LEFT)),
            });
            cancel.request();
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
