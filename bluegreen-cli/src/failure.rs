//! How a command failed: what is printed, and the exit code.

use std::error::Error;

use bluegreen_core::model::RunId;
use bluegreen_core::operation::{OperationError, OperationErrorKind};
use bluegreen_core::transaction::Left;

use crate::exit;

/// Says how a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: u8,
    /// What went wrong and everything that caused it, in one line.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// The run, if one was begun.
    pub(crate) run: Option<RunId>,
    /// What is left in place, or perhaps is.
    pub(crate) left: Vec<Left>,
    /// How things stand, in a word.
    pub(crate) state: &'static str,
}

impl Failure {
    fn new(exit: u8, state: &'static str, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, run: None, left: Vec::new(), state }
    }

    /// Wrong usage or configuration; nothing was tried.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, "wrong-usage", message)
    }

    /// Refused; nothing was changed.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(exit::REFUSED, "refused", message)
    }

    /// Interrupted before anything was begun.
    pub(crate) fn interrupted() -> Self {
        Self::new(exit::INTERRUPTED, "cancelled", "interrupted; nothing was changed")
    }

    /// Says what to do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        let kind = error.kind();
        Self {
            exit: exit::code(kind),
            message: chain(&error),
            hint: error.hint().map(str::to_owned),
            run: error.run().cloned(),
            left: error.left().to_vec(),
            state: state(kind),
        }
    }
}

fn state(kind: OperationErrorKind) -> &'static str {
    match kind {
        OperationErrorKind::NotStarted => "refused",
        OperationErrorKind::RolledBack => "rolled-back",
        OperationErrorKind::Cancelled => "cancelled",
        OperationErrorKind::Dirty => "dirty",
        _ => "interrupted",
    }
}

/// Writes an error and everything that caused it as one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Some wrappers repeat what they wrap.
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}
