//! A store whose calls fail or never end, around any store that does neither.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{
    Holder, Journal, Lock, LockState, Store, StoreError, StoreErrorKind,
};

/// A store that goes wrong as it is told to. Clones are the same store.
///
/// What a [`MemoryStore`](crate::MemoryStore) can do to records alone, this does to any store, and
/// to its locks.
#[derive(Clone, Debug)]
pub struct BrittleStore {
    inner: Arc<dyn Store>,
    state: Arc<Mutex<State>>,
}

/// A call that can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StoreCall {
    /// A lock is looked at.
    Check,
    /// A lock is renewed.
    Renew,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ailment {
    /// It fails at once.
    Fails,
    /// It never ends.
    Hangs,
    /// It is told that the lock is nobody's any more.
    FindsItLost,
}

#[derive(Debug, Default)]
struct State {
    /// How the next calls go wrong, and how many of them.
    ailments: BTreeMap<StoreCall, (Ailment, usize)>,
    seen: BTreeMap<StoreCall, usize>,
    /// How many more records are taken before the process dies.
    room: Option<usize>,
}

impl BrittleStore {
    /// Makes a store that does what `store` does until it is told otherwise.
    pub fn around(store: impl Store + 'static) -> Self {
        Self { inner: Arc::new(store), state: Arc::default() }
    }

    /// Lets the next `times` calls go wrong.
    pub fn spoil(&self, call: StoreCall, ailment: Ailment, times: usize) {
        self.state().ailments.insert(call, (ailment, times));
    }

    /// Takes so many more records and then no more, as where the process dies.
    ///
    /// Of records that are appended together, those that still fit are kept.
    pub fn die_after(&self, records: usize) {
        self.state().room = Some(records);
    }

    /// Lets nothing go wrong any more.
    pub fn heal(&self) {
        let mut state = self.state();
        state.ailments.clear();
        state.room = None;
    }

    /// Returns how often a call was made.
    pub fn count(&self, call: StoreCall) -> usize {
        self.state().seen.get(&call).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn travel(&self, call: StoreCall) -> Result<(), StoreError> {
        let ailment = self.state().take(call);
        match ailment {
            None => Ok(()),
            Some(Ailment::Fails) => Err(planned(format!("{call:?}"))),
            Some(Ailment::Hangs) => pending().await,
            Some(Ailment::FindsItLost) => {
                Err(StoreError::new(StoreErrorKind::Lost(None), "the lock"))
            }
        }
    }

    fn journal(&self, inner: Box<dyn Journal>) -> Box<dyn Journal> {
        Box::new(BrittleJournal { inner, store: self.clone() })
    }
}

impl State {
    fn take(&mut self, call: StoreCall) -> Option<Ailment> {
        *self.seen.entry(call).or_default() += 1;
        let (ailment, left) = self.ailments.get_mut(&call)?;
        *left = left.checked_sub(1)?;
        Some(*ailment)
    }
}

#[async_trait]
impl Store for BrittleStore {
    async fn create(&self, run: &RunId) -> Result<Box<dyn Journal>, StoreError> {
        Ok(self.journal(self.inner.create(run).await?))
    }

    async fn open(&self, run: &RunId) -> Result<(Vec<String>, Box<dyn Journal>), StoreError> {
        let (lines, journal) = self.inner.open(run).await?;
        Ok((lines, self.journal(journal)))
    }

    async fn read(&self, run: &RunId) -> Result<Vec<String>, StoreError> {
        self.inner.read(run).await
    }

    async fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        self.inner.runs().await
    }

    async fn lock(
        &self,
        environment: &EnvironmentName,
        holder: &Holder,
        term: Duration,
    ) -> Result<Box<dyn Lock>, StoreError> {
        let inner = self.inner.lock(environment, holder, term).await?;
        Ok(Box::new(BrittleLock { inner, store: self.clone() }))
    }

    async fn lock_state(&self, environment: &EnvironmentName) -> Result<LockState, StoreError> {
        self.inner.lock_state(environment).await
    }

    async fn break_lock(
        &self,
        environment: &EnvironmentName,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<Holder>, StoreError> {
        self.inner.break_lock(environment, by, at).await
    }
}

#[derive(Debug)]
struct BrittleJournal {
    inner: Box<dyn Journal>,
    store: BrittleStore,
}

#[async_trait]
impl Journal for BrittleJournal {
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError> {
        let fits = match &mut self.store.state().room {
            None => lines.len(),
            Some(room) => {
                let fits = lines.len().min(*room);
                *room -= fits;
                fits
            }
        };
        if fits > 0 {
            self.inner.append(&lines[..fits]).await?;
        }
        if fits < lines.len() { Err(planned("the journal")) } else { Ok(()) }
    }

    async fn close(&mut self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

#[derive(Debug)]
struct BrittleLock {
    inner: Box<dyn Lock>,
    store: BrittleStore,
}

#[async_trait]
impl Lock for BrittleLock {
    async fn check(&self) -> Result<(), StoreError> {
        self.store.travel(StoreCall::Check).await?;
        self.inner.check().await
    }

    async fn renew(&self, deadline: Timestamp) -> Result<(), StoreError> {
        self.store.travel(StoreCall::Renew).await?;
        self.inner.renew(deadline).await
    }

    async fn release(&self) -> Result<(), StoreError> {
        self.inner.release().await
    }
}

fn planned(what: impl std::fmt::Display) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable, what).with_source("a planned fault")
}
