use std::fmt::Debug;
use std::sync::Arc;

use super::outcome::chain;
use super::record::{Entry, encode};
use super::run::Run;
use super::{
    Cancel, Change, Clock, Ending, EventKind, EventSink, Gate, Header, Journal, Lease, Ledger,
    NoSink, Outcome, Policy, Record, Recovery, RunError, RunErrorKind, SystemClock,
};

/// Runs plans, and finishes what a dead process left.
///
/// There is no undo in `Drop`: a dropped future or a killed process leaves a
/// journal, and [`recover`](Self::recover) finishes it.
pub struct Engine<C: Change, G> {
    pub(super) world: Arc<C::World>,
    pub(super) policy: Policy,
    pub(super) cancel: Cancel,
    pub(super) lease: Option<Arc<Lease>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sink: Arc<dyn EventSink>,
    gates: std::marker::PhantomData<fn(G)>,
}

impl<C: Change, G> Debug for Engine<C, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<C: Change, G: Gate<World = C::World>> Engine<C, G> {
    /// Makes an engine that changes `world`.
    pub fn new(world: Arc<C::World>) -> Self {
        Self {
            world,
            policy: Policy::default(),
            cancel: Cancel::new(),
            lease: None,
            clock: Arc::new(SystemClock),
            sink: Arc::new(NoSink),
            gates: std::marker::PhantomData,
        }
    }

    /// Sends events to `sink`.
    #[must_use]
    pub fn with_sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.sink = sink;
        self
    }

    /// Takes stamps from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Stops when `cancel` asks.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Changes nothing any more when `lease` is over.
    #[must_use]
    pub fn with_lease(mut self, lease: Arc<Lease>) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Retries as `policy` says.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Runs a plan from its beginning.
    ///
    /// An error says in its [kind](RunErrorKind) what state the world is in.
    pub async fn run(
        &self,
        header: Header<C, G>,
        journal: Box<dyn Journal>,
    ) -> Result<Outcome, RunError> {
        let begun = Record::Begun(Box::new(header.clone()));
        let mut run = Run::new(self, Ledger::new(header), journal);
        let line = encode(&Entry { at: self.clock.now(), record: begun });
        if let Err(error) = run.journal.append(&[line]).await {
            let run_id = run.ledger.header().run.clone();
            return Err(RunError::new(RunErrorKind::NotStarted, run_id, chain(&error)));
        }
        run.emit(EventKind::Begun {
            operation: run.ledger.header().operation.clone(),
            environment: run.ledger.header().environment.clone(),
            changes: run.ledger.plan().changes().count(),
        });
        match run.drive().await? {
            Ending::Committed => Ok(run.outcome(Ending::Committed)),
            Ending::RolledBack | Ending::Abandoned => Err(run.rolled_back()),
        }
    }

    /// Finishes the run of a journal: takes it back, or commits it where nothing else was missing,
    /// or goes on with its plan where that is wanted.
    ///
    /// Recovering twice is recovering once. What the ledger does not allow leaves the run as it
    /// was: to go on with a run that has turned round, to skip what is not stuck.
    pub async fn recover(
        &self,
        ledger: Ledger<C, G>,
        journal: Box<dyn Journal>,
        recovery: Recovery,
    ) -> Result<Outcome, RunError> {
        let mut run = Run::new(self, ledger, journal);
        if run.ledger.ending().is_none() {
            run.resume(recovery).await.map_err(|halt| run.interrupted(halt))?;
        }
        let ending = run.drive().await?;
        Ok(run.outcome(ending))
    }
}
