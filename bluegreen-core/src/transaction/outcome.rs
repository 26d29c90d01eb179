use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Difference, StepId};
use crate::model::RunId;

/// How a run ended. There is nothing in between: what is not one of these is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Everything is in place.
    Committed,
    /// Everything was seen to be as before.
    RolledBack,
    /// Everything was seen to be as before but what a person decided to leave as it is.
    Abandoned,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Committed => "committed",
            Self::RolledBack => "rolled-back",
            Self::Abandoned => "abandoned",
        })
    }
}

/// What a run that ended well did.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub ending: Ending,
    /// How many changes it made, or took back.
    pub changes: usize,
    /// The longest time between the first and the last change of one stage to be made.
    pub skew: Duration,
    /// What was made again on the way back, in words: its settings are as before, its identity is
    /// not.
    pub remade: Vec<String>,
    /// What a person decided to leave as it is.
    pub left: Vec<Left>,
}

/// Says how a run failed, and what state that leaves the world in.
#[derive(Debug)]
pub struct RunError {
    kind: RunErrorKind,
    run: RunId,
    cause: String,
    left: Vec<Left>,
    remade: Vec<String>,
}

/// The state of the world after a run that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunErrorKind {
    /// Nothing was changed.
    NotStarted,
    /// Everything was seen to be as before.
    RolledBack,
    /// Somebody asked to stop, and everything was seen to be as before.
    Cancelled,
    /// Something is left that could not be taken back. The journal stays open.
    Dirty,
    /// The run stopped where it stood. The journal stays open.
    Interrupted,
}

/// A change that a failed run left in place, or perhaps did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its place in the plan.
    pub step: StepId,
    /// The change, in words.
    pub change: String,
    /// Why it is left.
    pub reason: String,
    /// In what the thing is not as it should be.
    pub differences: Vec<Difference>,
}

impl RunError {
    pub(super) fn new(kind: RunErrorKind, run: RunId, cause: impl Into<String>) -> Self {
        Self { kind, run, cause: cause.into(), left: Vec::new(), remade: Vec::new() }
    }

    pub(super) fn with_remade(mut self, remade: Vec<String>) -> Self {
        self.remade = remade;
        self
    }

    pub(super) fn with_left(mut self, left: Vec<Left>) -> Self {
        self.left = left;
        self
    }

    /// Returns the state of the world.
    pub fn kind(&self) -> RunErrorKind {
        self.kind
    }

    /// Returns the run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Returns why the run failed.
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// Returns what is left in place, or perhaps is.
    pub fn left(&self) -> &[Left] {
        &self.left
    }

    /// Returns what was made again on the way back, in words: its settings are as before, its
    /// identity is not.
    pub fn remade(&self) -> &[String] {
        &self.remade
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for RunError {}

/// Writes an error and everything that caused it as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
