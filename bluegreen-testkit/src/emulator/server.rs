//! One moto process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::error::EmulatorError;
use super::venv;

/// The program that the interpreter runs: what moto lacks, and then moto.
const SERVE: &str =
    concat!(include_str!("../../emulator/mends.py"), "\n", include_str!("../../emulator/serve.py"));

/// How long moto may take to come up; it takes about a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A moto that serves; dropping it kills it.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    _process: Child,
    // moto ends when this closes, so it cannot outlive a test process that was killed.
    _lifeline: Option<ChildStdin>,
    _log: Log,
}

impl Server {
    /// Starts moto and waits until it listens.
    pub(super) async fn start(python: &Path) -> Result<Self, EmulatorError> {
        let log = Log::new();
        let stderr = File::create(&log.0).map_err(venv::at(&log.0))?;
        let mut process = Command::new(python)
            // Isolated: neither `PYTHONPATH` nor the working folder may bring in another moto.
            .args(["-I", "-c", SERVE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| EmulatorError::Spawn { python: python.to_owned(), source })?;
        let lifeline = process.stdin.take();
        let Some(port) = announced_port(process.stdout.take()).await else {
            return Err(EmulatorError::NotServing { log: log.text() });
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { address, _process: process, _lifeline: lifeline, _log: log })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The port that moto got from the operating system, once it listens.
async fn announced_port(stdout: Option<ChildStdout>) -> Option<u16> {
    let mut line = String::new();
    let mut stdout = BufReader::new(stdout?);
    timeout(PATIENCE, stdout.read_line(&mut line)).await.ok()?.ok()?;
    line.trim().parse().ok()
}

/// What moto writes to standard error, in a file that goes with the process.
#[derive(Debug)]
struct Log(PathBuf);

impl Log {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(venv::home().join(format!("moto-{}-{number}.log", process::id())))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // A log that stays behind harms nobody.
        let _gone = fs::remove_file(&self.0);
    }
}
