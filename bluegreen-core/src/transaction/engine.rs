use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::chain;
use super::record::{Entry, encode};
use super::{
    Cancel, Change, Clock, Ending, Event, EventKind, EventSink, Failure as _, Gate, Header,
    Journal, Lease, Ledger, Left, Next, NoSink, Outcome, Policy, Progress, Record, RunError,
    RunErrorKind, Severity, StepId, StepState, SystemClock, Verdict,
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
    clock: Arc<dyn Clock>,
    sink: Arc<dyn EventSink>,
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
            Ending::RolledBack => Err(run.rolled_back()),
        }
    }

    /// Finishes the run of a journal: takes it back, or commits it where nothing else was missing.
    ///
    /// Recovering twice is recovering once.
    pub async fn recover(
        &self,
        ledger: Ledger<C, G>,
        journal: Box<dyn Journal>,
        actor: impl Into<String> + Send,
    ) -> Result<Outcome, RunError> {
        let mut run = Run::new(self, ledger, journal);
        if run.ledger.ending().is_none() {
            let resumed = Record::Resumed { actor: actor.into() };
            run.note(vec![resumed]).await.map_err(|halt| run.interrupted(halt))?;
            let goes_back = run.ledger.cause().is_some();
            if !goes_back && run.ledger.next() != Next::Commit {
                run.turn("the process that ran it is gone".to_owned(), false)
                    .await
                    .map_err(|halt| run.interrupted(halt))?;
            }
        }
        let ending = run.drive().await?;
        Ok(run.outcome(ending))
    }
}

/// Why a run cannot go on at all: neither forward nor back.
#[derive(Debug)]
pub(super) struct Halt(pub(super) String);

/// What one look at a gate means.
enum Reading {
    Pass(Progress),
    Wait(Option<Progress>),
    Fail(String),
    Halt(String),
}

/// One run under way.
pub(super) struct Run<'e, C: Change, G> {
    pub(super) engine: &'e Engine<C, G>,
    pub(super) ledger: Ledger<C, G>,
    journal: Box<dyn Journal>,
    pub(super) skew: Duration,
    /// Whether the answer to some inverse was lost, so that it may still land.
    pub(super) in_doubt: bool,
}

impl<'e, C: Change, G: Gate<World = C::World>> Run<'e, C, G> {
    fn new(engine: &'e Engine<C, G>, ledger: Ledger<C, G>, journal: Box<dyn Journal>) -> Self {
        Self { engine, ledger, journal, skew: Duration::ZERO, in_doubt: false }
    }

    /// Does what the ledger says is next until there is an end, or no way on.
    async fn drive(&mut self) -> Result<Ending, RunError> {
        let cancel = self.engine.cancel.clone();
        loop {
            let next = self.ledger.next();
            if let Next::Done(ending) = next {
                self.emit(EventKind::Ended { ending });
                return Ok(ending);
            }
            if let Next::Stuck(steps) = next {
                return Err(self.dirty(&steps));
            }
            let step = tokio::select! {
                biased;
                () = cancel.insisted() => Err(Halt("stopped at once, as asked".to_owned())),
                result = self.step(next) => result,
            };
            if let Err(halt) = step {
                return Err(self.interrupted(halt));
            }
        }
    }

    async fn step(&mut self, next: Next) -> Result<(), Halt> {
        let asked = self.engine.cancel.is_requested();
        match next {
            Next::Apply(_) | Next::Await(_) if asked => self.turn_as_asked().await,
            Next::Apply(steps) => self.apply_stage(&steps).await,
            Next::Await(step) => self.await_gate(step).await,
            Next::Undo(steps) => self.undo_stage(&steps).await,
            Next::Commit => self.note(vec![Record::Committed]).await,
            Next::RollBack => self.certify().await,
            Next::Stuck(_) | Next::Done(_) => Ok(()),
        }
    }

    /// Waits for a gate; the run turns round if it does not hold.
    async fn await_gate(&mut self, step: StepId) -> Result<(), Halt> {
        let Some(gate) = self.gate(step) else { return Ok(()) };
        let (patience, began) = (gate.patience(), Instant::now());
        let mut readings = 0;
        loop {
            let look = tokio::select! {
                biased;
                () = self.engine.cancel.requested() => return self.turn_as_asked().await,
                look = gate.look(&self.engine.world, began.elapsed()) => look,
            };
            let waited = began.elapsed();
            let progress = match self.read(look, patience.timeout, waited) {
                Reading::Pass(progress) if readings + 1 >= patience.readings => {
                    self.note(vec![Record::Passed { step }]).await?;
                    self.emit(EventKind::GatePassed { step, gate: gate.to_string(), progress });
                    return Ok(());
                }
                Reading::Pass(progress) => {
                    readings += 1;
                    Some(progress)
                }
                Reading::Wait(progress) => {
                    readings = 0;
                    progress
                }
                Reading::Fail(reason) => return self.gate_failed(step, &gate, reason).await,
                Reading::Halt(cause) => return Err(Halt(cause)),
            };
            self.emit(EventKind::GateWaiting { step, gate: gate.to_string(), progress, waited });
            tokio::select! {
                () = self.engine.cancel.requested() => {}
                () = tokio::time::sleep(patience.poll) => {}
            }
        }
    }

    /// Decides what one look at a gate means.
    fn read(
        &self,
        look: Result<Verdict, G::Error>,
        timeout: Duration,
        waited: Duration,
    ) -> Reading {
        let (progress, problem, limit) = match look {
            Ok(Verdict::Pass(progress)) => return Reading::Pass(progress),
            Ok(Verdict::Fail(reason)) => return Reading::Fail(reason),
            Ok(Verdict::Wait(progress)) => {
                let problem = progress.to_string();
                (Some(progress), problem, timeout)
            }
            Err(error) => match error.severity() {
                Severity::Hopeless if self.ledger.touched().next().is_some() => {
                    return Reading::Halt(chain(&error));
                }
                Severity::Hopeless | Severity::Refused => return Reading::Fail(chain(&error)),
                // A world that is busy says nothing about the gate.
                Severity::Busy | Severity::Unknown => {
                    (None, chain(&error), timeout.max(self.engine.policy.forward))
                }
            },
        };
        if waited < limit {
            return Reading::Wait(progress);
        }
        match waited.as_secs() {
            0 => Reading::Fail(problem),
            seconds => Reading::Fail(format!("{problem} after {seconds}s")),
        }
    }

    async fn gate_failed(&mut self, step: StepId, gate: &G, reason: String) -> Result<(), Halt> {
        let cause = format!("it does not hold that {gate}: {reason}");
        self.emit(EventKind::GateFailed { step, gate: gate.to_string(), reason });
        self.turn(cause, false).await
    }

    fn gate(&self, step: StepId) -> Option<G> {
        self.ledger.plan().steps().find_map(|(id, _, work)| match work {
            Err(gate) if id == step => Some(gate.clone()),
            _ => None,
        })
    }

    async fn turn_as_asked(&mut self) -> Result<(), Halt> {
        self.turn("interrupted".to_owned(), true).await
    }

    /// Turns the run round.
    pub(super) async fn turn(&mut self, cause: String, asked: bool) -> Result<(), Halt> {
        self.note(vec![Record::Unwinding { cause: cause.clone(), asked }]).await?;
        let changes = self.ledger.touched().count();
        if changes > 0 {
            self.emit(EventKind::Unwinding { cause, changes });
        }
        Ok(())
    }

    /// Makes records durable and folds them. After an error nothing may be changed any more.
    pub(super) async fn note(&mut self, records: Vec<Record<C, G>>) -> Result<(), Halt> {
        let mut ledger = self.ledger.clone();
        let mut lines = Vec::with_capacity(records.len());
        for record in records {
            ledger.fold(&record).map_err(|illegal| Halt(chain(&illegal)))?;
            lines.push(encode(&Entry { at: self.engine.clock.now(), record }));
        }
        self.journal.append(&lines).await.map_err(|error| Halt(chain(&error)))?;
        self.ledger = ledger;
        Ok(())
    }

    pub(super) fn emit(&self, event: EventKind) {
        let run = self.ledger.header().run.clone();
        self.engine.sink.emit(&Event { at: self.engine.clock.now(), run, event });
    }

    /// Returns the changes at `steps`.
    pub(super) fn changes(&self, steps: &[StepId]) -> Vec<C> {
        steps.iter().filter_map(|step| self.ledger.change(*step).cloned()).collect()
    }

    fn outcome(&self, ending: Ending) -> Outcome {
        let run = self.ledger.header().run.clone();
        Outcome { run, ending, changes: self.ledger.touched().count(), skew: self.skew }
    }

    fn error(&self, kind: RunErrorKind, cause: impl Into<String>) -> RunError {
        RunError::new(kind, self.ledger.header().run.clone(), cause)
    }

    fn rolled_back(&self) -> RunError {
        let kind = if self.ledger.was_asked() {
            RunErrorKind::Cancelled
        } else if self.ledger.touched().next().is_none() {
            RunErrorKind::NotStarted
        } else {
            RunErrorKind::RolledBack
        };
        self.error(kind, self.ledger.cause().unwrap_or("rolled back"))
    }

    fn dirty(&self, steps: &[StepId]) -> RunError {
        let cause = self.ledger.cause().unwrap_or("rolled back").to_owned();
        self.emit(EventKind::LeftOpen { cause: cause.clone() });
        let stuck = "it could not be taken back";
        let reason = |step, state| match state {
            StepState::Stuck => self.ledger.reason(step).unwrap_or(stuck).to_owned(),
            _ => "not begun before the stuck ones are cleared".to_owned(),
        };
        debug_assert!(!steps.is_empty(), "a run is dirty only with something stuck");
        self.error(RunErrorKind::Dirty, cause).with_left(self.left(reason))
    }

    fn interrupted(&self, halt: Halt) -> RunError {
        let Halt(cause) = halt;
        self.emit(EventKind::LeftOpen { cause: cause.clone() });
        let reason = |_, _| "the run stopped before it could be looked at".to_owned();
        self.error(RunErrorKind::Interrupted, cause).with_left(self.left(reason))
    }

    fn left(&self, reason: impl Fn(StepId, StepState) -> String) -> Vec<Left> {
        self.ledger
            .touched()
            .filter(|(.., state)| *state != StepState::Undone)
            .map(|(step, change, state)| Left {
                step,
                change: change.to_string(),
                reason: reason(step, state),
            })
            .collect()
    }
}
