//! A store in memory that can be made to fail, and what survives of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bluegreen_core::model::{EnvironmentName, RunId};
use bluegreen_core::transaction::{Holder, Journal, Lock, Store, StoreError, StoreErrorKind};

/// Journals and locks in memory. Clones share them.
///
/// A crash is a store that stops accepting: [`dying_after`](Self::dying_after) some records the
/// journal fails, so that the run stops as a killed process would, and
/// [`survive`](Self::survive) gives what a second process finds.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    journals: BTreeMap<RunId, Vec<String>>,
    locks: BTreeMap<EnvironmentName, Holder>,
    broken: BTreeSet<RunId>,
    room: Option<usize>,
}

impl MemoryStore {
    /// Makes an empty store that never fails.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty store that takes `room` records in all and then fails for ever.
    ///
    /// Of records that are appended together, those that still fit are kept: a disk does not
    /// know which belong together.
    pub fn dying_after(room: usize) -> Self {
        let store = Self::new();
        store.open_up().room = Some(room);
        store
    }

    /// Returns what another process finds after this one died: the same records, no locks, and
    /// room without end.
    #[must_use]
    pub fn survive(&self) -> Self {
        let journals = self.open_up().journals.clone();
        let state = Shelf { journals, ..Shelf::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Puts a journal there as it would be found on a disk.
    pub fn insert(&self, run: RunId, lines: Vec<String>) {
        self.open_up().journals.insert(run, lines);
    }

    /// Returns every line of every journal, by run.
    pub fn lines(&self) -> BTreeMap<RunId, Vec<String>> {
        self.open_up().journals.clone()
    }

    fn open_up(&self) -> MutexGuard<'_, Shelf> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, run: &RunId) -> Result<Box<dyn Journal>, StoreError> {
        let mut state = self.open_up();
        if state.journals.contains_key(run) {
            return Err(StoreError::new(StoreErrorKind::Exists, run));
        }
        state.journals.insert(run.clone(), Vec::new());
        Ok(Box::new(MemoryJournal { store: self.clone(), run: run.clone() }))
    }

    async fn open(&self, run: &RunId) -> Result<(Vec<String>, Box<dyn Journal>), StoreError> {
        let lines = self.read(run).await?;
        Ok((lines, Box::new(MemoryJournal { store: self.clone(), run: run.clone() })))
    }

    async fn read(&self, run: &RunId) -> Result<Vec<String>, StoreError> {
        let lines = self.open_up().journals.get(run).cloned();
        lines.ok_or_else(|| StoreError::new(StoreErrorKind::NotFound, run))
    }

    async fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        Ok(self.open_up().journals.keys().cloned().collect())
    }

    async fn lock(
        &self,
        environment: &EnvironmentName,
        holder: &Holder,
    ) -> Result<Box<dyn Lock>, StoreError> {
        let mut state = self.open_up();
        if let Some(other) = state.locks.get(environment) {
            let held = StoreErrorKind::Held(Some(Box::new(other.clone())));
            return Err(StoreError::new(held, environment));
        }
        state.locks.insert(environment.clone(), holder.clone());
        Ok(Box::new(MemoryLock { store: self.clone(), environment: environment.clone() }))
    }
}

#[derive(Debug)]
struct MemoryJournal {
    store: MemoryStore,
    run: RunId,
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError> {
        let mut state = self.store.open_up();
        assert!(
            !state.broken.contains(&self.run),
            "a journal that failed must not be written again"
        );
        let fitting = state.room.map_or(lines.len(), |room| room.min(lines.len()));
        if let Some(room) = &mut state.room {
            *room -= fitting;
        }
        let journal = state.journals.entry(self.run.clone()).or_default();
        journal.extend_from_slice(&lines[..fitting]);
        if fitting == lines.len() {
            return Ok(());
        }
        state.broken.insert(self.run.clone());
        Err(StoreError::new(StoreErrorKind::Unusable, &self.run).with_source("no room is left"))
    }
}

#[derive(Debug)]
struct MemoryLock {
    store: MemoryStore,
    environment: EnvironmentName,
}

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.store.open_up().locks.remove(&self.environment);
    }
}
