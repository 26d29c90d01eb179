//! The Python virtual environment that moto lives in, beside boto3 and AWS's command line.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::error::EmulatorError;

/// moto, AWS's command line and everything they need, each with version and hashes.
const REQUIREMENTS: &str = include_str!("../../emulator/requirements.txt");

/// The interpreter of the virtual environment, which is made if it is not there yet.
///
/// Safe to call from many processes at once: one makes it, the others wait.
pub(super) fn ready() -> Result<PathBuf, EmulatorError> {
    let home = home();
    let root = home.join(fingerprint(&python()?));
    let interpreter = root.join("bin").join("python");
    // Written last, so an environment that was half made when its maker died is not used.
    let marker = root.join("ready");
    if marker.exists() {
        return Ok(interpreter);
    }

    fs::create_dir_all(&home).map_err(at(&home))?;
    let lock_path = home.join("lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    lock.lock().map_err(at(&lock_path))?;
    if !marker.exists() {
        make(&root, &interpreter)?;
        fs::write(&marker, "").map_err(at(&marker))?;
    }
    Ok(interpreter)
}

/// Makes the environment at `root` from nothing.
fn make(root: &Path, interpreter: &Path) -> Result<(), EmulatorError> {
    if root.exists() {
        fs::remove_dir_all(root).map_err(at(root))?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(root))
        .map_err(EmulatorError::Python)?
        .map_err(|output| EmulatorError::Venv { output })?;

    let list = root.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).map_err(at(&list))?;
    let mut pip = Command::new(interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
        .args(["--require-hashes", "--requirement"])
        .arg(&list);
    run(&mut pip)
        .map_err(|source| EmulatorError::Spawn { python: interpreter.to_owned(), source })?
        .map_err(|output| EmulatorError::Install { output })?;
    Ok(())
}

/// Which Python `python3` is: an environment does not outlive a change of it.
fn python() -> Result<String, EmulatorError> {
    run(Command::new("python3").args(["-c", "import sys; print(sys.executable, sys.version)"]))
        .and_then(|said| said.map_err(io::Error::other))
        .map_err(EmulatorError::Python)
}

/// The name of the environment's folder: another Python or another list, another folder.
///
/// The hash may differ between Rust releases, which costs one more installation.
fn fingerprint(python: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (python, REQUIREMENTS).hash(&mut hasher);
    format!("venv-{:016x}", hasher.finish())
}

/// The folder under cargo's target folder that everything of the emulator is kept in.
pub(super) fn home() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("target"),
        // Cargo takes a relative one as relative to where it was called, which is the workspace.
        |folder| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder),
    );
    target.join("emulator")
}

/// Runs a command to its end: what it printed, or, if it failed, what it complained about.
fn run(command: &mut Command) -> io::Result<Result<String, String>> {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&stdout).trim().to_owned();
    let complaint = String::from_utf8_lossy(&stderr).trim().to_owned();
    // `python3 -m venv` explains on standard output why it failed.
    Ok(if status.success() { Ok(said) } else { Err(format!("{said}\n{complaint}")) })
}

/// Names the path in an I/O error.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> EmulatorError {
    move |source| EmulatorError::Folder { path: path.to_owned(), source }
}
