//! How a command failed: what is printed, and the exit code.

use std::error::Error;

use bluegreen_core::model::RunId;
use bluegreen_core::operation::{OperationError, OperationErrorKind};
use bluegreen_core::plan::Overtaken;
use bluegreen_core::transaction::{Held, Left};

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
    /// How things stand, in a word.
    pub(crate) state: &'static str,
    /// What is shown as a list.
    pub(crate) lists: Box<Lists>,
}

/// What does not go into one line.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// What is left in place, or perhaps is.
    pub(crate) left: Vec<Left>,
    /// What was made again on the way back, with another identity.
    pub(crate) remade: Vec<String>,
    /// What somebody changed that a run had left.
    pub(crate) overtaken: Vec<Overtaken>,
    /// Who holds the lock that is in the way.
    pub(crate) held: Option<Held>,
}

impl Failure {
    fn new(exit: u8, state: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { exit, message, hint: None, run: None, state, lists: Box::default() }
    }

    /// Wrong usage or configuration; nothing was tried.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, "wrong-usage", message)
    }

    /// Refused; nothing was changed.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(exit::REFUSED, "refused", message)
    }

    /// What was judged is not good enough; nothing of anybody's is left.
    pub(crate) fn judged(message: impl Into<String>) -> Self {
        Self::new(exit::ROLLED_BACK, "judged", message)
    }

    /// Interrupted before anything was begun.
    pub(crate) fn interrupted() -> Self {
        Self::new(exit::INTERRUPTED, "cancelled", "interrupted; nothing was changed")
    }

    /// A run that was to go on turned round, and everything is as it was before.
    pub(crate) fn turned_round(run: RunId, cause: &str, asked: bool) -> Self {
        let failure = if asked {
            Self::new(exit::INTERRUPTED, "cancelled", cause)
        } else {
            Self::new(exit::ROLLED_BACK, "rolled-back", cause)
                .with_hint("everything is as it was before; mend the cause and try again")
        };
        Self { run: Some(run), ..failure }
    }

    /// Says what to do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says who holds the lock that is in the way.
    pub(crate) fn with_held(mut self, held: Held) -> Self {
        self.lists.held = Some(held);
        self
    }

    /// Says what was made again on the way back.
    pub(crate) fn with_remade(mut self, remade: Vec<String>) -> Self {
        self.lists.remade = remade;
        self
    }
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        let kind = error.kind();
        // What is listed need not be said in the line as well.
        let message = if error.held().is_some() { error.to_string() } else { chain(&error) };
        Self {
            exit: exit::code(kind),
            message,
            hint: error.hint().map(str::to_owned),
            run: error.run().cloned(),
            state: state(kind),
            lists: Box::new(Lists {
                left: error.left().to_vec(),
                remade: error.remade().to_vec(),
                overtaken: error.overtaken().to_vec(),
                held: error.held().cloned(),
            }),
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
