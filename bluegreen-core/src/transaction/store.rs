//! Where journals and locks live.

mod lines;
mod local;
mod lock;
mod name;
mod object_store;
mod objects;

use std::fmt::{self, Debug};
use std::time::Duration;

use async_trait::async_trait;

pub use local::LocalStore;
pub use lock::{Break, Held, Holder, Lock, LockState};
pub use object_store::ObjectStore;
pub use objects::{Condition, Object, Objects, Put};

use crate::model::{EnvironmentName, RunId, Timestamp};

/// The durable log of one run.
///
/// # Contract
///
/// There is one writer at a time: whoever opened it last. An older writer's append fails as
/// [`Fenced`](StoreErrorKind::Fenced), and leaves nothing behind.
#[async_trait]
pub trait Journal: Debug + Send + Sync {
    /// Appends lines of text in order, and returns once they would survive a crash.
    ///
    /// After an error nothing is known about the lines, and the journal must not be written again.
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError>;

    /// Says that the run has ended and nothing will follow, so that a store may pack the lines.
    ///
    /// A courtesy to the store: it changes nothing that can be read. Nothing may be appended after
    /// it, not by whoever opens the journal later either.
    async fn close(&mut self) -> Result<(), StoreError>;
}

/// Where journals and locks live.
///
/// # Contract
///
/// - What was appended is read back, in order, by any process from then on.
/// - A run is created once.
/// - A lock that is held excludes every other holder until it is released or broken, or until its
///   holder is known to be gone: for the store of one machine that is when the process ended, for
///   a shared one when the term passed without a renewal.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Makes the journal of a new run.
    async fn create(&self, run: &RunId) -> Result<Box<dyn Journal>, StoreError>;

    /// Opens the journal of a run to go on with it; a torn last line is cut off.
    ///
    /// Whoever wrote it before cannot any more; or, where a store knows that they still could,
    /// this fails as [`Fenced`](StoreErrorKind::Fenced).
    async fn open(&self, run: &RunId) -> Result<(Vec<String>, Box<dyn Journal>), StoreError>;

    /// Returns the lines of a journal; a torn last line is left out.
    async fn read(&self, run: &RunId) -> Result<Vec<String>, StoreError>;

    /// Returns every run, oldest first.
    async fn runs(&self) -> Result<Vec<RunId>, StoreError>;

    /// Takes the exclusive lock of an environment, for `term` from `holder.since` unless renewed.
    ///
    /// [`Held`](StoreErrorKind::Held) if somebody else has it.
    async fn lock(
        &self,
        environment: &EnvironmentName,
        holder: &Holder,
        term: Duration,
    ) -> Result<Box<dyn Lock>, StoreError>;

    /// Tells who holds the lock of an environment, and who broke it last.
    async fn lock_state(&self, environment: &EnvironmentName) -> Result<LockState, StoreError>;

    /// Takes the lock of an environment from whoever holds it, and notes who did that and when.
    ///
    /// Returns the one who held it; `None` if nobody did, and then nothing is noted.
    async fn break_lock(
        &self,
        environment: &EnvironmentName,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<Holder>, StoreError>;
}

/// Says why the store could not do what it was asked.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    what: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a caller can do about a store's error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Somebody else holds the lock; who, if that could be read.
    Held(Option<Box<Held>>),
    /// The lock that was held is somebody else's now, or nobody's.
    Lost(Option<Box<Holder>>),
    /// Another process writes the journal.
    Fenced,
    /// There is no such run.
    NotFound,
    /// There is such a run already.
    Exists,
    /// A journal is damaged other than at its end.
    Damaged,
    /// The store cannot be read or written.
    Unusable,
}

impl StoreError {
    /// Makes an error about `what`: a path, or the name of a run or an environment.
    pub fn new(kind: StoreErrorKind, what: impl fmt::Display) -> Self {
        Self { kind, what: what.to_string(), source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what a caller can do about it.
    pub fn kind(&self) -> &StoreErrorKind {
        &self.kind
    }

    /// Returns what it is about: a path, or the name of a run or an environment.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match &self.kind {
            StoreErrorKind::Held(Some(held)) => write!(f, "`{what}` is locked by {held}"),
            StoreErrorKind::Held(None) => write!(f, "`{what}` is locked by another process"),
            StoreErrorKind::Lost(Some(holder)) => {
                write!(f, "the lock of `{what}` was lost: it is held by {holder}")
            }
            StoreErrorKind::Lost(None) => write!(f, "the lock of `{what}` was lost"),
            StoreErrorKind::Fenced => {
                write!(f, "the journal of run `{what}` is written by another process")
            }
            StoreErrorKind::NotFound => write!(f, "there is no run `{what}`"),
            StoreErrorKind::Exists => write!(f, "there is a run `{what}` already"),
            StoreErrorKind::Damaged => write!(f, "the journal `{what}` is damaged"),
            StoreErrorKind::Unusable => write!(f, "the store `{what}` cannot be used"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
