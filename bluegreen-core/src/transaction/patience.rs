use std::time::Duration;

use serde::{Deserialize, Serialize};

/// For how long a gate is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// When to give up; zero accepts no waiting at all.
    pub timeout: Duration,
    /// How long to wait between two looks.
    pub poll: Duration,
    /// How many looks in a row must pass.
    pub readings: u32,
}

/// How the engine retries and for how long it looks.
///
/// Going back is far more patient than going forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For how long a busy world is asked again on the way forward, and for how long a thing may
    /// take to come to rest.
    pub forward: Duration,
    /// For how long one stage is tried on the way back, before what is left counts as stuck.
    pub undo: Duration,
    /// For how long a written value may take to be seen, and an odd reading to pass.
    pub reread: Duration,
    /// How late a call may land whose answer was lost.
    pub settle: Duration,
    /// For how long a single call may take; then its answer counts as lost.
    pub call: Duration,
    /// How attempts are spaced.
    pub backoff: Backoff,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            forward: Duration::from_mins(3),
            undo: Duration::from_mins(20),
            reread: Duration::from_secs(15),
            settle: Duration::from_secs(30),
            call: Duration::from_secs(90),
            backoff: Backoff::default(),
        }
    }
}

/// How attempts are spaced: doubling from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// Never longer than this.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(15) }
    }
}

impl Backoff {
    /// Returns the pauses, without end.
    pub(super) fn pauses(self) -> impl Iterator<Item = Duration> + Send {
        std::iter::successors(Some(self.first), move |last| Some((*last * 2).min(self.longest)))
    }
}
