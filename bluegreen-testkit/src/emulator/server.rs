//! One moto, a fork of the one that a test process imports moto for.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::error::EmulatorError;
use super::venv;

/// The program that the interpreter runs: what moto lacks, and then moto.
const SERVE: &str =
    concat!(include_str!("../../emulator/mends.py"), "\n", include_str!("../../emulator/serve.py"));

/// How long moto may take to come up; it takes about a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A moto that serves; dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    // moto ends when this closes, so it cannot outlive a test process that was killed.
    _lifeline: TcpStream,
}

impl Server {
    /// Starts moto and waits until it listens; blocks for as long as that takes.
    pub(super) fn start(python: &Path) -> Result<Self, EmulatorError> {
        static FORGE: Mutex<Option<Forge>> = Mutex::new(None);
        let mut forge = FORGE.lock().unwrap_or_else(PoisonError::into_inner);
        let forge = match &mut *forge {
            Some(forge) => forge,
            none => none.insert(Forge::start(python)?),
        };
        forge.server().ok_or_else(|| EmulatorError::NotServing { log: forge.log.text() })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The process that has imported moto, and of which every moto is a fork.
#[derive(Debug)]
struct Forge {
    door: SocketAddr,
    log: Log,
    // It ends when its standard input closes, with this process.
    _process: Child,
}

impl Forge {
    fn start(python: &Path) -> Result<Self, EmulatorError> {
        let log = Log::new()?;
        let stderr = log.writer()?;
        let mut process = Command::new(python)
            // Isolated: neither `PYTHONPATH` nor the working folder may bring in another moto.
            .args(["-I", "-c", SERVE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|source| EmulatorError::Spawn { python: python.to_owned(), source })?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            // A port or, if it has ended, nothing.
            let _end = BufReader::new(stdout).read_line(&mut line);
        }
        let Ok(port) = line.trim().parse() else {
            return Err(EmulatorError::NotServing { log: log.text() });
        };
        let door = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { door, log, _process: process })
    }

    /// Returns another moto; nothing if it does not come up.
    fn server(&self) -> Option<Server> {
        let lifeline = TcpStream::connect_timeout(&self.door, PATIENCE).ok()?;
        lifeline.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut line = String::new();
        BufReader::new(&lifeline).read_line(&mut line).ok()?;
        let port = line.trim().parse().ok()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Some(Server { address, _lifeline: lifeline })
    }
}

/// What moto writes to standard error, in a file without a name: it goes with who has it open.
#[derive(Debug)]
struct Log(File);

impl Log {
    fn new() -> Result<Self, EmulatorError> {
        let path = venv::home().join(format!("moto-{}.log", process::id()));
        let open = || {
            let file = File::options().read(true).append(true).create(true).open(&path)?;
            fs::remove_file(&path)?;
            Ok(file)
        };
        open().map(Self).map_err(venv::at(&path))
    }

    fn writer(&self) -> Result<File, EmulatorError> {
        self.0.try_clone().map_err(venv::at(Path::new("moto.log")))
    }

    fn text(&self) -> String {
        let mut text = vec![0; 64 * 1024];
        let length = self.0.read_at(&mut text, 0).unwrap_or_default();
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    }
}
