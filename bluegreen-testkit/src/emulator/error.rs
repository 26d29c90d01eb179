//! Why the emulator did not start.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

/// Why the emulator did not start; the text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// There is no usable Python.
    #[error(
        "`python3` cannot be run: the emulator needs Python 3.11 or newer with its venv module \
         (Debian: `apt-get install python3 python3-venv`)"
    )]
    Python(#[source] io::Error),

    /// Python is there, its `venv` module is not, or does not work.
    #[error(
        "`python3 -m venv` failed: install Python's venv module \
         (Debian: `apt-get install python3-venv`); it said: {output}"
    )]
    Venv {
        /// What it said.
        output: String,
    },

    /// The pinned packages could not be installed.
    #[error("`pip install` of the emulator's requirements failed; it said: {output}")]
    Install {
        /// What it said.
        output: String,
    },

    /// The folder of the virtual environment cannot be read or written.
    #[error("the emulator cannot use `{}`", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The process could not be made.
    #[error("moto cannot be started with `{}`", python.display())]
    Spawn {
        /// The interpreter of the virtual environment.
        python: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The process ended, or said nothing in time, before it served.
    #[error("moto did not come up; it said: {log}")]
    NotServing {
        /// What it wrote to standard error.
        log: String,
    },

    /// The task that makes the virtual environment panicked or was cancelled.
    #[error("making the emulator's virtual environment was interrupted")]
    Interrupted(#[source] Box<dyn Error + Send + Sync>),
}

/// The error and its sources in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a string cannot fail.
        let _ok = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
