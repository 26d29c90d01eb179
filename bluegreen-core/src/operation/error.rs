use std::error::Error;
use std::fmt;

use super::history::JournalError;
use crate::cloud::{CloudError, CloudErrorKind};
use crate::model::RunId;
use crate::plan::{Overtaken, Refusal};
use crate::transaction::{
    Held, LeaseError, Left, RunError, RunErrorKind, StoreError, StoreErrorKind,
};

/// Says how an operation failed, what state that leaves the world in, and what to do next.
#[derive(Debug)]
pub struct OperationError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: OperationErrorKind,
    message: String,
    hint: Option<String>,
    run: Option<RunId>,
    left: Vec<Left>,
    remade: Vec<String>,
    overtaken: Vec<Overtaken>,
    held: Option<Held>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The state of the world after an operation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationErrorKind {
    /// Nothing was changed.
    NotStarted,
    /// Everything was seen to be as before.
    RolledBack,
    /// Somebody asked to stop, and everything was seen to be as before.
    Cancelled,
    /// Something is left; the journal stays open for a recovery.
    Dirty,
    /// The run stopped where it stood; the journal stays open for a recovery.
    Interrupted,
}

impl OperationError {
    fn new(kind: OperationErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            run: None,
            left: Vec::new(),
            remade: Vec::new(),
            overtaken: Vec::new(),
            held: None,
            source: None,
        }))
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(OperationErrorKind::NotStarted, message)
    }

    /// Says that the journal of a run cannot be understood.
    pub(super) fn unreadable(run: &RunId, source: JournalError) -> Self {
        let hint = if source.is_too_new() {
            "use the version of bluegreen that wrote it, or a later one"
        } else {
            "look at its file in the store, and compare what it says with the cloud"
        };
        Self::refused(format!("the journal of run {run} cannot be read"))
            .with_hint(hint)
            .with_source(source)
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns the state of the world.
    pub fn kind(&self) -> OperationErrorKind {
        self.0.kind
    }

    /// Returns what to do next, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Returns the run, if one was begun.
    pub fn run(&self) -> Option<&RunId> {
        self.0.run.as_ref()
    }

    /// Returns what is left in place, or perhaps is.
    pub fn left(&self) -> &[Left] {
        &self.0.left
    }

    /// Returns what was made again on the way back, in words: its settings are as before, its
    /// identity is not.
    pub fn remade(&self) -> &[String] {
        &self.0.remade
    }

    /// Returns what somebody changed that a run had left, where that stops an undo.
    pub fn overtaken(&self) -> &[Overtaken] {
        &self.0.overtaken
    }

    /// Returns who holds the lock that is in the way, if one is and that is known.
    pub fn held(&self) -> Option<&Held> {
        self.0.held.as_ref()
    }
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl Error for OperationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<Refusal> for OperationError {
    fn from(refusal: Refusal) -> Self {
        let (message, hint) = (refusal.to_string(), refusal.hint());
        let mut error = Self::refused(message).with_hint(hint);
        match refusal {
            Refusal::Inconsistent(source) => error.with_source(source),
            Refusal::Overtaken { overtaken, .. } => {
                error.0.overtaken = overtaken;
                error
            }
            _ => error,
        }
    }
}

/// While observing, before anything is changed.
impl From<CloudError> for OperationError {
    fn from(source: CloudError) -> Self {
        let hint = match source.kind() {
            CloudErrorKind::Credentials => "sign in again, or check the profile",
            CloudErrorKind::Denied => "ask for the permission that is named above",
            CloudErrorKind::Busy | CloudErrorKind::OutcomeUnknown => "try again in a while",
            _ => "check the configuration, the account and the region",
        };
        Self::refused("the cloud could not be read").with_hint(hint).with_source(source)
    }
}

impl From<StoreError> for OperationError {
    fn from(source: StoreError) -> Self {
        let what = source.what();
        let (message, hint) = match source.kind() {
            StoreErrorKind::Held(held) => {
                let mut error = Self::refused(format!("another run of `{what}` is under way"))
                    .with_hint(format!(
                        "wait for it to end; `bluegreen lock status {what}` tells whether it still \
                     goes on"
                    ));
                error.0.held = held.as_deref().cloned();
                return error.with_source(source);
            }
            StoreErrorKind::Lost(_) => (
                "another process has taken over",
                "`bluegreen lock status` tells who; `bluegreen log` tells how its run ended",
            ),
            StoreErrorKind::Fenced => (
                "another process has the journal",
                "wait until that process has ended, or end it; then try again",
            ),
            StoreErrorKind::NotFound => ("there is no such run", "`bluegreen log` lists the runs"),
            StoreErrorKind::Damaged => {
                ("a journal is damaged", "look at the file, and compare its run with the cloud")
            }
            StoreErrorKind::Exists | StoreErrorKind::Unusable => {
                ("the journal cannot be kept", "give another place with `--store`")
            }
        };
        Self::refused(message).with_hint(hint).with_source(source)
    }
}

/// Before a run is begun.
impl From<LeaseError> for OperationError {
    fn from(source: LeaseError) -> Self {
        let message = "the lock was lost before anything was begun";
        Self::refused(message)
            .with_hint("nothing was changed: look at `bluegreen lock status`, and try again")
            .with_source(source)
    }
}

impl From<RunError> for OperationError {
    fn from(error: RunError) -> Self {
        let run = error.run().clone();
        let (kind, hint) = match error.kind() {
            RunErrorKind::NotStarted => (OperationErrorKind::NotStarted, None),
            RunErrorKind::RolledBack => (
                OperationErrorKind::RolledBack,
                Some("everything is as it was before; mend the cause and try again".to_owned()),
            ),
            RunErrorKind::Cancelled => (OperationErrorKind::Cancelled, None),
            RunErrorKind::Dirty => (
                OperationErrorKind::Dirty,
                Some(format!(
                    "clear what is in the way, then run `bluegreen recover {run}`; \
                     `--skip STEP` leaves what is stuck as it is"
                )),
            ),
            RunErrorKind::Interrupted => (
                OperationErrorKind::Interrupted,
                Some(format!("run `bluegreen recover {run}` before anything else")),
            ),
        };
        let mut failed = Self::new(kind, error.cause());
        failed.0.hint = hint;
        failed.0.run = Some(run);
        failed.0.left = error.left().to_vec();
        failed.0.remade = error.remade().to_vec();
        failed
    }
}
