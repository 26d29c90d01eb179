//! A store in memory that can be made to fail, and what survives of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{
    Break, Held, Holder, Journal, Lock, LockState, Store, StoreError, StoreErrorKind,
};

/// What happens when a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordFault {
    /// The process dies before the record is on the disk.
    CrashBefore,
    /// The process dies as soon as the record is on the disk.
    CrashAfter,
    /// The process dies with half of the record on the disk.
    Torn,
    /// The disk is full: the record is refused.
    DiskFull,
    /// The record is written, and the disk does not say that it will stay.
    SyncError,
}

impl RecordFault {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::CrashBefore, Self::CrashAfter, Self::Torn, Self::DiskFull, Self::SyncError];

    /// Returns whether the record can be read later.
    const fn keeps(self) -> bool {
        matches!(self, Self::CrashAfter | Self::SyncError)
    }
}

/// Journals and locks in memory. Clones share them.
///
/// A crash is a store that stops accepting: after a [`RecordFault`] the journal fails for ever, so
/// that the run stops as a killed process would, and [`survive`](Self::survive) gives what a
/// second process finds.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    journals: BTreeMap<RunId, Log>,
    /// Each with a number of its own: a holder may take the same lock again.
    locks: BTreeMap<EnvironmentName, (usize, Held)>,
    taken: usize,
    breaks: BTreeMap<EnvironmentName, Break>,
    /// After how many more records which fault strikes, for ever.
    fault: Option<(usize, RecordFault)>,
    records: usize,
}

/// One journal.
#[derive(Clone, Debug, Default)]
struct Log {
    lines: Vec<String>,
    /// How often it was opened: only the last one who did may write.
    writer: usize,
    broken: bool,
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
        store.fail_after(room, RecordFault::CrashBefore);
        store
    }

    /// Lets `fault` strike the record that is written after `records` more.
    pub fn fail_after(&self, records: usize, fault: RecordFault) {
        self.open_up().fault = Some((records, fault));
    }

    /// Returns what another process finds after this one died: the same records, no locks, and
    /// nothing that goes wrong.
    #[must_use]
    pub fn survive(&self) -> Self {
        let state = self.open_up();
        let journals = state
            .journals
            .iter()
            .map(|(run, log)| (run.clone(), Log { lines: log.lines.clone(), ..Log::default() }));
        let state = Shelf {
            journals: journals.collect(),
            breaks: state.breaks.clone(),
            ..Shelf::default()
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Puts a journal there as it would be found on a disk.
    pub fn insert(&self, run: RunId, lines: Vec<String>) {
        self.open_up().journals.insert(run, Log { lines, ..Log::default() });
    }

    /// Takes a journal away, as somebody does who tidies up.
    pub fn remove(&self, run: &RunId) {
        self.open_up().journals.remove(run);
    }

    /// Returns every line of every journal, by run.
    pub fn lines(&self) -> BTreeMap<RunId, Vec<String>> {
        let state = self.open_up();
        state.journals.iter().map(|(run, log)| (run.clone(), log.lines.clone())).collect()
    }

    /// Returns how many records were written since the store was made.
    pub fn records(&self) -> usize {
        self.open_up().records
    }

    fn open_up(&self) -> MutexGuard<'_, Shelf> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self, run: &RunId, log: &mut Log) -> Box<dyn Journal> {
        log.writer += 1;
        Box::new(MemoryJournal { store: self.clone(), run: run.clone(), writer: log.writer })
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, run: &RunId) -> Result<Box<dyn Journal>, StoreError> {
        let mut state = self.open_up();
        if state.journals.contains_key(run) {
            return Err(StoreError::new(StoreErrorKind::Exists, run));
        }
        Ok(self.writer(run, state.journals.entry(run.clone()).or_default()))
    }

    async fn open(&self, run: &RunId) -> Result<(Vec<String>, Box<dyn Journal>), StoreError> {
        let mut state = self.open_up();
        let log = state.journals.get_mut(run);
        let log = log.ok_or_else(|| StoreError::new(StoreErrorKind::NotFound, run))?;
        Ok((log.lines.clone(), self.writer(run, log)))
    }

    async fn read(&self, run: &RunId) -> Result<Vec<String>, StoreError> {
        let lines = self.open_up().journals.get(run).map(|log| log.lines.clone());
        lines.ok_or_else(|| StoreError::new(StoreErrorKind::NotFound, run))
    }

    async fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        Ok(self.open_up().journals.keys().cloned().collect())
    }

    async fn lock(
        &self,
        environment: &EnvironmentName,
        holder: &Holder,
        term: Duration,
    ) -> Result<Box<dyn Lock>, StoreError> {
        let mut state = self.open_up();
        if let Some((_, other)) = state.locks.get(environment) {
            let held = StoreErrorKind::Held(Some(Box::new(other.clone())));
            return Err(StoreError::new(held, environment));
        }
        let held = Held { holder: holder.clone(), deadline: holder.since.plus(term) };
        state.taken += 1;
        let number = state.taken;
        state.locks.insert(environment.clone(), (number, held));
        Ok(Box::new(MemoryLock { store: self.clone(), environment: environment.clone(), number }))
    }

    async fn lock_state(&self, environment: &EnvironmentName) -> Result<LockState, StoreError> {
        let state = self.open_up();
        let held = state.locks.get(environment).map(|(_, held)| held.clone());
        Ok(LockState { held, broken: state.breaks.get(environment).cloned() })
    }

    async fn break_lock(
        &self,
        environment: &EnvironmentName,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<Holder>, StoreError> {
        let mut state = self.open_up();
        let Some((_, held)) = state.locks.remove(environment) else { return Ok(None) };
        let holder = held.holder;
        let broken = Break { by: by.to_owned(), at, holder: holder.clone() };
        state.breaks.insert(environment.clone(), broken);
        Ok(Some(holder))
    }
}

#[derive(Debug)]
struct MemoryJournal {
    store: MemoryStore,
    run: RunId,
    writer: usize,
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError> {
        let mut state = self.store.open_up();
        let Shelf { journals, fault, records, .. } = &mut *state;
        let log = journals.entry(self.run.clone()).or_default();
        if log.writer != self.writer {
            return Err(StoreError::new(StoreErrorKind::Fenced, &self.run));
        }
        assert!(!log.broken, "a journal that failed must not be written again");
        for line in lines {
            match fault {
                Some((0, fault)) => {
                    log.broken = true;
                    if fault.keeps() {
                        log.lines.push(line.clone());
                        *records += 1;
                    }
                    return Err(StoreError::new(StoreErrorKind::Unusable, &self.run)
                        .with_source(format!("a planned fault: {fault:?}")));
                }
                Some((left, _)) => *left -= 1,
                None => {}
            }
            log.lines.push(line.clone());
            *records += 1;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Debug)]
struct MemoryLock {
    store: MemoryStore,
    environment: EnvironmentName,
    number: usize,
}

impl MemoryLock {
    /// Does something with the lock if it is still this one.
    fn of(&self, act: impl FnOnce(&mut Shelf)) -> Result<(), StoreError> {
        let mut state = self.store.open_up();
        match state.locks.get(&self.environment) {
            Some((number, _)) if *number == self.number => {
                act(&mut state);
                Ok(())
            }
            other => {
                let other = other.map(|(_, held)| Box::new(held.holder.clone()));
                Err(StoreError::new(StoreErrorKind::Lost(other), &self.environment))
            }
        }
    }
}

#[async_trait]
impl Lock for MemoryLock {
    async fn check(&self) -> Result<(), StoreError> {
        self.of(|_| ())
    }

    async fn renew(&self, deadline: Timestamp) -> Result<(), StoreError> {
        self.of(|shelf| {
            let held = shelf.locks.get_mut(&self.environment);
            if let Some((_, held)) = held {
                held.deadline = deadline;
            }
        })
    }

    async fn release(&self) -> Result<(), StoreError> {
        // One that was lost is left to whoever has it.
        let _lost = self.of(|shelf| drop(shelf.locks.remove(&self.environment)));
        Ok(())
    }
}

impl Drop for MemoryLock {
    /// The process is gone, and so is its lock.
    fn drop(&mut self) {
        let _lost = self.of(|shelf| drop(shelf.locks.remove(&self.environment)));
    }
}
