use std::fmt::{self, Debug};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::model::{EnvironmentName, RunId, Timestamp};

/// The durable log of one run.
#[async_trait]
pub trait Journal: Debug + Send + Sync {
    /// Appends lines of text in order, and returns once they would survive a crash.
    ///
    /// After an error nothing is known about the lines, and the journal must not be written again.
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError>;
}

/// Where journals and locks live.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Makes the journal of a new run.
    async fn create(&self, run: &RunId) -> Result<Box<dyn Journal>, StoreError>;

    /// Opens the journal of a run to go on with it; a torn last line is cut off.
    async fn open(&self, run: &RunId) -> Result<(Vec<String>, Box<dyn Journal>), StoreError>;

    /// Returns the lines of a journal; a torn last line is left out.
    async fn read(&self, run: &RunId) -> Result<Vec<String>, StoreError>;

    /// Returns every run, oldest first.
    async fn runs(&self) -> Result<Vec<RunId>, StoreError>;

    /// Takes the exclusive lock of an environment, held until the answer is dropped.
    async fn lock(
        &self,
        environment: &EnvironmentName,
        holder: &Holder,
    ) -> Result<Box<dyn Lock>, StoreError>;
}

/// The exclusive right to change an environment; given back when dropped.
pub trait Lock: Debug + Send + Sync {}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who, and where: user, host, process.
    pub actor: String,
    /// What they are doing.
    pub operation: String,
    /// In which run.
    pub run: RunId,
    /// Since when.
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, operation, run, since } = self;
        write!(f, "{actor}, doing {operation} in run {run} since {since}")
    }
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
    /// Somebody else holds the lock.
    Held(Option<Box<Holder>>),
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
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match &self.kind {
            StoreErrorKind::Held(Some(holder)) => write!(f, "`{what}` is locked by {holder}"),
            StoreErrorKind::Held(None) => write!(f, "`{what}` is locked by another process"),
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
