//! Runs of flags, with gates in between, under a lease.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{
    Cancel, Change as _, Clock, Ending, Engine, EventSink, Header, Holder, Lease, Ledger, NoSink,
    Outcome, Policy, Record, Recovery, RunError, Stage, StepId, Store, decode,
};
use bluegreen_testkit::clock::VirtualClock;
use bluegreen_testkit::flags::{FlagChange, FlagGate, Flags, GatedPlan};
use bluegreen_testkit::journal::MemoryStore;
use futures_util::FutureExt as _;

pub(crate) type Values = BTreeMap<String, i64>;
pub(crate) type GatedStage = Stage<FlagChange, FlagGate>;
pub(crate) type GatedLedger = Ledger<FlagChange, FlagGate>;
pub(crate) type GatedRecord = Record<FlagChange, FlagGate>;
pub(crate) type GatedEngine = Engine<FlagChange, FlagGate>;

/// How long a lock is held here.
pub(crate) const TERM: Duration = Duration::from_secs(30);

/// Flags, a store, and how they are treated.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    pub(crate) flags: Flags,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cancel: Cancel,
    pub(crate) policy: Policy,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sink: Arc<dyn EventSink>,
}

impl Play {
    pub(crate) fn new(flags: &Flags, store: &(impl Store + Clone + 'static)) -> Self {
        Self {
            flags: flags.clone(),
            store: Arc::new(store.clone()),
            cancel: Cancel::new(),
            policy: Policy::default(),
            clock: Arc::new(VirtualClock::start()),
            sink: Arc::new(NoSink),
        }
    }

    pub(crate) fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    pub(crate) fn with_sink(self, sink: impl EventSink + 'static) -> Self {
        Self { sink: Arc::new(sink), ..self }
    }

    /// Takes the lock, as `who` does.
    pub(crate) async fn lease(&self, who: &str) -> Arc<Lease> {
        let holder = Holder {
            owner: who.to_owned(),
            host: "here".to_owned(),
            process: 1,
            operation: "test".to_owned(),
            run: run_id(),
            since: self.clock.now(),
        };
        let lock = self.store.lock(&environment(), &holder, TERM).await.expect("the lock is free");
        Arc::new(Lease::keep(lock, Arc::clone(&self.clock), TERM))
    }

    fn engine(&self) -> GatedEngine {
        GatedEngine::new(Arc::new(self.flags.clone()))
            .with_clock(Arc::clone(&self.clock))
            .with_cancel(self.cancel.clone())
            .with_policy(self.policy)
            .with_sink(Arc::clone(&self.sink))
    }

    /// Runs a plan under a lock that is given back at the end.
    pub(crate) async fn run(&self, plan: GatedPlan) -> Result<Outcome, RunError> {
        let lease = self.lease("first").await;
        let journal = self.store.create(&run_id()).await.expect("the run is new");
        let header = Header::new(run_id(), "test", environment(), "first", plan);
        let end = self.engine().with_lease(Arc::clone(&lease)).run(header, journal).await;
        lease.release().await;
        end
    }

    /// Recovers as another process does; `None` if nothing was written.
    pub(crate) async fn recover(&self, how: Recovery) -> Option<Result<Outcome, RunError>> {
        let lease = self.lease("second").await;
        let (lines, journal) = self.store.open(&run_id()).await.expect("the run is there");
        if lines.is_empty() {
            return None;
        }
        let engine = self.engine().with_lease(Arc::clone(&lease));
        let end = engine.recover(ledger(&lines), journal, how).await;
        lease.release().await;
        Some(end)
    }

    /// Recovers and wants that to succeed.
    pub(crate) async fn recovered(&self, how: Recovery) -> Ending {
        let end = self.recover(how).await.expect("there is a run");
        end.expect("a healthy world can be recovered").ending
    }
}

pub(crate) fn run_id() -> RunId {
    RunId::new("01run")
}

pub(crate) fn environment() -> EnvironmentName {
    EnvironmentName::new("flags")
}

pub(crate) fn ledger(lines: &[String]) -> GatedLedger {
    GatedLedger::replay(records(lines)).expect("no illegal sequence is ever written")
}

pub(crate) fn records(lines: &[String]) -> Vec<GatedRecord> {
    if lines.is_empty() {
        return Vec::new();
    }
    let entries = decode(lines).expect("every line is a record");
    entries.into_iter().map(|entry| entry.record).collect()
}

/// The records of the run as they stand in a store.
pub(crate) fn written(store: &MemoryStore) -> Vec<GatedRecord> {
    records(&store.lines().remove(&run_id()).unwrap_or_default())
}

pub(crate) fn values(of: &[(&str, i64)]) -> Values {
    of.iter().map(|(flag, value)| ((*flag).to_owned(), *value)).collect()
}

/// A stage that sets one flag that was not there.
pub(crate) fn set(flag: &str) -> GatedStage {
    sets(&[flag])
}

/// A stage that sets flags that were not there to 1.
pub(crate) fn sets(flags: &[&str]) -> GatedStage {
    let change = |flag: &&str| FlagChange::new(*flag, None, Some(1));
    Stage::changes("set", flags.iter().map(change).collect())
}

/// A stage that waits for a flag to be 1, for ten minutes.
pub(crate) fn wait(flag: &str) -> GatedStage {
    Stage::gate("wait", FlagGate::new(flag, Some(1), Duration::from_mins(10)))
}

pub(crate) fn plan(stages: Vec<GatedStage>) -> GatedPlan {
    GatedPlan::new(stages).expect("the stages are chained")
}

/// Takes the lock away from whoever has it, at once.
pub(crate) fn break_lock(store: &dyn Store) {
    let at = Timestamp::from_millis(0);
    let broken = store.break_lock(&environment(), "an operator", at).now_or_never();
    let _holder = broken.expect("a store in memory waits for nothing").expect("it does not fail");
}

/// Everything that `plan` brings, from `before` on.
pub(crate) fn after(before: &Values, plan: &GatedPlan) -> Values {
    let mut values = before.clone();
    for (_, FlagChange { flag, after, .. }) in plan.changes() {
        match after {
            Some(value) => values.insert(flag.clone(), *value),
            None => values.remove(flag),
        };
    }
    values
}

/// The step of the change of `flag`, which is changed once.
pub(crate) fn step_of(plan: &GatedPlan, flag: &str) -> StepId {
    let mut changes = plan.changes();
    changes.find_map(|(step, change)| (change.resource() == flag).then_some(step)).expect("it is")
}
