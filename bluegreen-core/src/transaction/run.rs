use std::time::Duration;

use super::outcome::chain;
use super::record::{Entry, encode};
use super::{
    Change, Ending, Engine, Event, EventKind, Gate, Journal, LeaseError, Ledger, Left, Next,
    Obstacle, Outcome, Record, Recovery, RunError, RunErrorKind, StepId, StepState,
};

/// Why a run cannot go on at all: neither forward nor back.
#[derive(Debug)]
pub(super) struct Halt(pub(super) String);

impl Halt {
    fn of_lease(error: &LeaseError) -> Self {
        Self(format!("this run changes nothing any more: {}", chain(error)))
    }
}

/// One run under way.
pub(super) struct Run<'e, C: Change, G> {
    pub(super) engine: &'e Engine<C, G>,
    pub(super) ledger: Ledger<C, G>,
    pub(super) journal: Box<dyn Journal>,
    pub(super) skew: Duration,
    /// Whether the answer to some inverse was lost, so that it may still land.
    pub(super) in_doubt: bool,
}

impl<'e, C: Change, G: Gate<World = C::World>> Run<'e, C, G> {
    pub(super) fn new(
        engine: &'e Engine<C, G>,
        ledger: Ledger<C, G>,
        journal: Box<dyn Journal>,
    ) -> Self {
        Self { engine, ledger, journal, skew: Duration::ZERO, in_doubt: false }
    }

    /// Takes over from a process that is gone.
    pub(super) async fn resume(&mut self, recovery: Recovery) -> Result<(), Halt> {
        let Recovery { actor, forward, skip } = recovery;
        self.note(vec![Record::Resumed { actor: actor.clone(), forward }]).await?;
        let skipped = skip.into_iter().map(|step| Record::Skipped { step, actor: actor.clone() });
        self.note(skipped.collect()).await?;
        let is_over = !self.ledger.may_go_on() || self.ledger.next() == Next::Commit;
        if is_over || forward || self.ledger.is_past_return() {
            return Ok(());
        }
        self.turn("the process that ran it is gone".to_owned(), false).await
    }

    /// Does what the ledger says is next until there is an end, or no way on.
    pub(super) async fn drive(&mut self) -> Result<Ending, RunError> {
        let cancel = self.engine.cancel.clone();
        loop {
            let next = self.ledger.next();
            if let Next::Done(ending) = next {
                // It has ended; whether the store packs the journal is the store's affair.
                if let Err(error) = self.journal.close().await {
                    tracing::warn!("a journal was not packed: {}", chain(&error));
                }
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
            Next::RollBack => self.certify(Record::RolledBack).await,
            Next::Abandon => self.certify(Record::Abandoned).await,
            Next::Stuck(_) | Next::Done(_) => Ok(()),
        }
    }

    pub(super) async fn turn_as_asked(&mut self) -> Result<(), Halt> {
        if self.ledger.is_past_return() {
            return Err(Halt("stopped as asked, past the point of no return".to_owned()));
        }
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

    /// Turns the run round because of what is wrong with some steps; past the point of no return
    /// they are stuck instead.
    pub(super) async fn give_up(&mut self, cause: String, steps: &[StepId]) -> Result<(), Halt> {
        if !self.ledger.is_past_return() {
            return self.turn(cause, false).await;
        }
        let stuck = |step: &StepId| Record::Stuck {
            step: *step,
            reason: cause.clone(),
            differences: Vec::new(),
        };
        self.note(steps.iter().map(stuck).collect()).await
    }

    /// Asks whether anything may still be changed: the lock may have been lost meanwhile.
    ///
    /// The last question before a change: a look at the world may have taken its time.
    pub(super) async fn permit(&self) -> Result<(), Halt> {
        match &self.engine.lease {
            Some(lease) => lease.check().await.map_err(|error| Halt::of_lease(&error)),
            None => Ok(()),
        }
    }

    /// Asks whether waiting still makes sense. A store that does not answer just now says nothing:
    /// it is asked again before anything is changed.
    pub(super) async fn watch(&self) -> Result<(), Halt> {
        let Some(lease) = &self.engine.lease else { return Ok(()) };
        match lease.check().await {
            Err(error) if error.is_for_good() => Err(Halt::of_lease(&error)),
            _ => Ok(()),
        }
    }

    /// Makes records durable and folds them. After an error nothing may be changed any more.
    pub(super) async fn note(&mut self, records: Vec<Record<C, G>>) -> Result<(), Halt> {
        if records.is_empty() {
            return Ok(());
        }
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

    pub(super) fn outcome(&self, ending: Ending) -> Outcome {
        Outcome {
            run: self.ledger.header().run.clone(),
            ending,
            changes: self.ledger.touched().count(),
            skew: self.skew,
            remade: self.remade(),
            left: self.left(|state| state == StepState::Skipped, "left as it is, as decided"),
        }
    }

    fn remade(&self) -> Vec<String> {
        self.ledger.remade().map(Change::resource).collect()
    }

    fn error(&self, kind: RunErrorKind, cause: impl Into<String>) -> RunError {
        RunError::new(kind, self.ledger.header().run.clone(), cause).with_remade(self.remade())
    }

    pub(super) fn rolled_back(&self) -> RunError {
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
        let first = steps.first().and_then(|step| self.ledger.obstacle(*step));
        let cause = self.ledger.cause().or(first.map(|obstacle| obstacle.reason.as_str()));
        let cause = cause.unwrap_or("it could not be taken back").to_owned();
        self.emit(EventKind::LeftOpen { cause: cause.clone() });
        let is_left = |state| !matches!(state, StepState::Undone | StepState::Skipped);
        let left = self.left(is_left, "not begun before the stuck ones are cleared");
        self.error(RunErrorKind::Dirty, cause).with_left(left)
    }

    pub(super) fn interrupted(&self, halt: Halt) -> RunError {
        let Halt(cause) = halt;
        self.emit(EventKind::LeftOpen { cause: cause.clone() });
        let is_left = |state| !matches!(state, StepState::Undone | StepState::Skipped);
        let left = self.left(is_left, "the run stopped before it could be looked at");
        self.error(RunErrorKind::Interrupted, cause).with_left(left)
    }

    /// Lists the changes in some states, each with what is in its way, or else with `otherwise`.
    fn left(&self, is_left: impl Fn(StepState) -> bool, otherwise: &str) -> Vec<Left> {
        let obstacle = |step, state| match state {
            StepState::Stuck | StepState::Skipped => self.ledger.obstacle(step).cloned(),
            _ => None,
        };
        self.ledger
            .touched()
            .filter(|(.., state)| is_left(*state))
            .map(|(step, change, state)| {
                let Obstacle { reason, differences } = obstacle(step, state).unwrap_or_else(|| {
                    Obstacle { reason: otherwise.to_owned(), differences: Vec::new() }
                });
                Left { step, change: change.to_string(), reason, differences }
            })
            .collect()
    }
}
