mod faulty;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::model::{EnvironmentName, RunId};
use bluegreen_core::transaction::{
    Cancel, Change, Ending, Engine, Gate, Header, Holder, Lease, Ledger, Outcome, Plan, Recovery,
    RunError, RunErrorKind, Stage as PlanStage, StepId, StepState, Store as _, Work, decode,
};
use futures_util::FutureExt as _;

pub use faulty::{Faulty, FaultyError, FaultyGate, FaultyWorld};

use super::subject::{Act, End, EndKind, How, Stage, Subject};
use crate::clock::VirtualClock;
use crate::fault::{Fault, Meddle};
use crate::journal::MemoryStore;

/// A plan of a program's own changes, to be swept.
///
/// Faults are put between the engine and the changes: a call is one `apply`, one `observe` of all
/// changes of a stage, or one look at a gate. Nobody else meets the run, since only the program
/// knows what else there is in its world; that is for tests of its own.
///
/// ```
/// # use std::collections::BTreeMap;
/// # use std::sync::Arc;
/// use bluegreen_core::transaction::Stage;
/// use bluegreen_testkit::flags::{FlagChange, FlagPlan, Flags};
/// use bluegreen_testkit::sweep::{Planned, Sweep};
///
/// let change = |flag: &str, after| FlagChange { flag: flag.to_owned(), before: None, after };
/// let plan = FlagPlan::new(vec![
///     Stage::changes("first", vec![change("a", Some(1)), change("b", Some(2))]),
///     Stage::changes("then", vec![change("c", Some(3))]),
/// ])?;
/// let world = || Arc::new(Flags::new(BTreeMap::new()));
/// let text = |flags: &Flags| format!("{:?}", flags.values());
/// let report = Sweep::new().run(&[Planned::new("three flags", &plan, world, text)]);
/// report.assert_clean(100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Planned<C: Change, G: Gate> {
    name: String,
    plan: Plan<Faulty<C>, FaultyGate<G>>,
    world: Make<C::World>,
    text: Text<C::World>,
}

/// Makes a world, the same every time.
type Make<W> = Box<dyn Fn() -> Arc<W> + Send + Sync>;

/// Tells one world from another.
type Text<W> = Arc<dyn Fn(&W) -> String + Send + Sync>;

impl<C: Change, G: Gate> fmt::Debug for Planned<C, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planned").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<C: Change, G: Gate<World = C::World>> Planned<C, G> {
    /// Sweeps `plan` on worlds that `world` makes, the same every time, and that `text` tells
    /// apart.
    ///
    /// # Panics
    ///
    /// Never: a plan stays a plan when its changes are wrapped.
    pub fn new(
        name: &str,
        plan: &Plan<C, G>,
        world: impl Fn() -> Arc<C::World> + Send + Sync + 'static,
        text: impl Fn(&C::World) -> String + Send + Sync + 'static,
    ) -> Self {
        let stages = plan.stages().iter().map(|stage| PlanStage {
            title: stage.title.clone(),
            work: match &stage.work {
                Work::Changes(changes) => {
                    Work::Changes(changes.iter().cloned().map(Faulty::new).collect())
                }
                Work::Gate(gate) => Work::Gate(FaultyGate::new(gate.clone())),
            },
        });
        let plan = Plan::new(stages.collect()).expect("a plan stays one");
        Self { name: name.to_owned(), plan, world: Box::new(world), text: Arc::new(text) }
    }
}

impl<C: Change, G: Gate<World = C::World>> Subject for Planned<C, G> {
    type Stage = PlannedStage<C, G>;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn stage(&self) -> PlannedStage<C, G> {
        PlannedStage {
            plan: self.plan.clone(),
            world: Arc::new(FaultyWorld::new((self.world)())),
            text: Arc::clone(&self.text),
            store: MemoryStore::new(),
            cancel: Cancel::new(),
            clock: VirtualClock::start(),
        }
    }
}

/// A world, a store, and a plan that is run there.
pub struct PlannedStage<C: Change, G: Gate> {
    plan: Plan<Faulty<C>, FaultyGate<G>>,
    world: Arc<FaultyWorld<C::World>>,
    text: Text<C::World>,
    store: MemoryStore,
    cancel: Cancel,
    clock: VirtualClock,
}

impl<C: Change, G: Gate> fmt::Debug for PlannedStage<C, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedStage").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<C: Change, G: Gate> Clone for PlannedStage<C, G> {
    fn clone(&self) -> Self {
        Self {
            plan: self.plan.clone(),
            world: Arc::clone(&self.world),
            text: Arc::clone(&self.text),
            store: self.store.clone(),
            cancel: self.cancel.clone(),
            clock: self.clock,
        }
    }
}

type PlannedLedger<C, G> = Ledger<Faulty<C>, FaultyGate<G>>;

impl<C: Change, G: Gate<World = C::World>> PlannedStage<C, G> {
    fn run_id() -> RunId {
        RunId::new("swept")
    }

    fn environment() -> EnvironmentName {
        EnvironmentName::new("swept")
    }

    /// Takes the lock and makes an engine that heeds it.
    async fn engine(&self) -> Engine<Faulty<C>, FaultyGate<G>> {
        let holder = Holder {
            owner: "sweep".to_owned(),
            host: "here".to_owned(),
            process: 1,
            operation: "sweep".to_owned(),
            run: Self::run_id(),
            since: VirtualClock::START,
        };
        let lock = self.store.lock(&Self::environment(), &holder, Lease::TERM).await;
        let lock = lock.expect("nobody else is here");
        let lease = Lease::keep(lock, Arc::new(self.clock), Lease::TERM);
        Engine::new(Arc::clone(&self.world))
            .with_clock(Arc::new(self.clock))
            .with_cancel(self.cancel.clone())
            .with_lease(Arc::new(lease))
    }

    fn ledger(&self) -> Option<PlannedLedger<C, G>> {
        let lines = self.store.lines().remove(&Self::run_id())?;
        let entries = decode(&lines).ok()?;
        Ledger::replay(entries.into_iter().map(|entry| entry.record)).ok()
    }

    fn end(&self, result: Result<Outcome, RunError>) -> End {
        let stuck = self.in_state(StepState::Stuck);
        match result {
            Ok(Outcome { ending, remade, .. }) => {
                let remade = !remade.is_empty();
                End { kind: ended(ending), stuck, remade, said: ending.to_string() }
            }
            Err(error) => {
                let kind = match error.kind() {
                    RunErrorKind::NotStarted => EndKind::NotStarted,
                    RunErrorKind::RolledBack | RunErrorKind::Cancelled => EndKind::RolledBack,
                    _ => EndKind::Open,
                };
                let remade = !error.remade().is_empty();
                End { kind, stuck, remade, said: error.to_string() }
            }
        }
    }

    fn in_state(&self, wanted: StepState) -> Vec<StepId> {
        let Some(ledger) = self.ledger() else { return Vec::new() };
        let steps = ledger.plan().steps().map(|(step, ..)| step);
        steps.filter(|step| ledger.state(*step) == wanted).collect()
    }
}

fn ended(ending: Ending) -> EndKind {
    match ending {
        Ending::Committed => EndKind::Committed,
        Ending::RolledBack => EndKind::RolledBack,
        Ending::Abandoned => EndKind::Abandoned,
    }
}

#[async_trait]
impl<C: Change, G: Gate<World = C::World>> Stage for PlannedStage<C, G> {
    async fn run(&self) -> End {
        let engine = self.engine().await;
        let journal = self.store.create(&Self::run_id()).await.expect("the run is new");
        let plan = self.plan.clone();
        let header = Header::new(Self::run_id(), "sweep", Self::environment(), "sweep", plan);
        self.end(engine.run(header, journal).await)
    }

    async fn recover(&self, how: &How) -> End {
        match self.ledger() {
            None => return End::of(EndKind::Nothing, "no run was begun"),
            Some(ledger) if ledger.ending().is_some() => {
                return End::of(EndKind::Nothing, "the run has ended");
            }
            Some(_) => {}
        }
        let engine = self.engine().await;
        let (lines, journal) = self.store.open(&Self::run_id()).await.expect("the run is there");
        let entries = decode(&lines).expect("it was read before");
        let ledger = PlannedLedger::<C, G>::replay(entries.into_iter().map(|entry| entry.record));
        let ledger = ledger.expect("it was read before");
        let forward = how.forward && ledger.may_go_on();
        let recovery = Recovery::by("sweep").with_forward(forward).with_skip(how.skip.clone());
        self.end(engine.recover(ledger, journal, recovery).await)
    }

    fn survive(&self) -> Self {
        Self { store: self.store.survive(), cancel: Cancel::new(), ..self.clone() }
    }

    fn ending(&self) -> Option<EndKind> {
        self.ledger()?.ending().map(ended)
    }

    fn planned_after(&self) -> usize {
        0
    }

    fn store(&self) -> &MemoryStore {
        &self.store
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn world_but(&self, _: &[usize]) -> String {
        (self.text)(self.world.inner())
    }

    fn without_identities(world: &str) -> String {
        world.to_owned()
    }

    fn overwritten(&self) -> Option<String> {
        None
    }

    fn calls(&self) -> Vec<bool> {
        self.world.calls().iter().map(|(is_write, _)| *is_write).collect()
    }

    fn call(&self, number: usize) -> String {
        self.world.calls().into_iter().nth(number).map_or_else(String::new, |(_, what)| what)
    }

    fn alphabets(&self) -> Vec<Vec<Fault>> {
        let time_out = Fault::TimeOut(Duration::from_mins(1));
        let both = [Fault::Refuse, Fault::Throttle, Fault::LoseReply, Fault::Credentials, time_out];
        let writes = [
            Fault::ErrorAfter,
            Fault::LandLate(Duration::from_secs(20)),
            Fault::StaleRead(Duration::from_secs(5)),
        ];
        let of = |is_write: &bool| {
            if *is_write { [&both[..], &writes].concat() } else { both.to_vec() }
        };
        self.calls().iter().map(of).collect()
    }

    fn has_others(&self) -> bool {
        false
    }

    fn fault(&self, call: usize, fault: Fault) {
        self.world.fault(call, fault);
    }

    fn before_call(&self, call: usize, act: Act) {
        self.world.before_call(call, act);
    }

    fn renumbers(&self, _: usize) -> bool {
        false
    }

    fn meddle(&self, _: Meddle, _: usize) {}

    fn break_lock(&self) {
        let environment = Self::environment();
        let breaking = self.store.break_lock(&environment, "somebody", VirtualClock::START);
        let broken = breaking.now_or_never().expect("a store in memory waits for nothing");
        drop(broken.expect("a store in memory does not fail"));
    }

    fn heal(&self) {
        self.world.heal();
    }

    fn skipped(&self) -> Vec<usize> {
        Vec::new()
    }

    fn violations(&self) -> Vec<String> {
        let lines = self.store.lines().remove(&Self::run_id()).unwrap_or_default();
        let is_bad = !lines.is_empty() && self.ledger().is_none();
        is_bad.then(|| "the journal cannot be read".to_owned()).into_iter().collect()
    }
}
