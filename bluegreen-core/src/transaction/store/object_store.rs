mod journal;
mod lease;
mod log;
mod page;
mod patient;

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;

use super::{Holder, Journal, Lock, LockState, Objects, Store, StoreError, name};
use crate::model::{EnvironmentName, RunId, Timestamp};
use journal::ObjectJournal;
use log::Log;
use patient::Patient;

/// Journals and locks in a bucket that several machines share.
///
/// It needs nothing of a bucket but that of two who put the same key on the same condition one is
/// refused.
///
/// # Layout
///
/// | key, behind the prefix | holds |
/// |---|---|
/// | `runs/RUN/00000001` and on | the journal, an object for every append |
/// | `runs/RUN/whole` | all the lines of a journal that has ended |
/// | `locks/ENVIRONMENT` | who holds the lock, or gave it back, or lost it, and to whom |
///
/// Objects of a journal are never replaced and never deleted. Whoever makes or opens a journal
/// takes its next number with an object without lines. So the number that an older writer would go
/// on with is taken, for good, and it learns that it is one. Closing takes a number too, so nothing
/// can follow; then the lines are packed into one object, from which they are read with one call.
///
/// A lock lasts for its term, counted from when its object was last put, by the clock of the bucket
/// alone: the clocks of the machines are never compared.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    objects: Patient,
    prefix: String,
}

impl ObjectStore {
    /// Keeps everything in `objects`, under keys that begin with `prefix`: a folder, or nothing.
    pub fn new(objects: impl Objects + 'static, prefix: &str) -> Self {
        Self::of(Arc::new(objects), prefix)
    }

    /// Keeps everything in shared objects, under keys that begin with `prefix`.
    pub fn of(objects: Arc<dyn Objects>, prefix: &str) -> Self {
        let prefix = match prefix.trim_matches('/') {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        Self { objects: Patient::new(objects), prefix }
    }

    fn runs_folder(&self) -> String {
        format!("{}runs/", self.prefix)
    }

    fn folder(&self, run: &RunId) -> String {
        format!("{}{}/", self.runs_folder(), name::encode(run.as_str()))
    }

    fn lock_key(&self, environment: &EnvironmentName) -> String {
        format!("{}locks/{}", self.prefix, name::encode(environment.as_str()))
    }

    fn place(&self, run: &RunId) -> log::Place {
        log::Place { objects: self.objects.clone(), folder: self.folder(run), run: run.clone() }
    }
}

#[async_trait]
impl Store for ObjectStore {
    async fn create(&self, run: &RunId) -> Result<Box<dyn Journal>, StoreError> {
        Ok(Box::new(ObjectJournal::create(self.place(run)).await?))
    }

    async fn open(&self, run: &RunId) -> Result<(Vec<String>, Box<dyn Journal>), StoreError> {
        let journal = ObjectJournal::open(self.place(run)).await?;
        Ok((journal.lines().to_vec(), Box::new(journal)))
    }

    async fn read(&self, run: &RunId) -> Result<Vec<String>, StoreError> {
        Ok(Log::read(&self.place(run)).await?.lines)
    }

    async fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        let folder = self.runs_folder();
        let folders = self.objects.folders(&folder).await?;
        let names = folders.iter().filter_map(|run| run.strip_prefix(&folder)?.strip_suffix('/'));
        let mut runs: Vec<RunId> = names.filter_map(name::decode).map(RunId::new).collect();
        runs.sort();
        Ok(runs)
    }

    async fn lock(
        &self,
        environment: &EnvironmentName,
        holder: &Holder,
        term: Duration,
    ) -> Result<Box<dyn Lock>, StoreError> {
        let lock = lease::take(self.spot(environment), holder.clone(), term).await?;
        Ok(Box::new(lock))
    }

    async fn lock_state(&self, environment: &EnvironmentName) -> Result<LockState, StoreError> {
        lease::state(&self.spot(environment)).await
    }

    async fn break_lock(
        &self,
        environment: &EnvironmentName,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<Holder>, StoreError> {
        lease::take_away(&self.spot(environment), by, at).await
    }
}

impl ObjectStore {
    fn spot(&self, environment: &EnvironmentName) -> lease::Spot {
        lease::Spot {
            objects: self.objects.clone(),
            key: self.lock_key(environment),
            environment: environment.clone(),
        }
    }
}

/// Makes a word that nobody else has: it tells one's own objects from everybody else's.
fn nonce() -> String {
    // The first ten letters are the time.
    ulid::Ulid::from_datetime(UNIX_EPOCH).to_string()[10..].to_lowercase()
}

/// Makes the error of an object that does not read as what it should be.
fn damaged(
    key: impl Display,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::new(super::StoreErrorKind::Damaged, key).with_source(why)
}
