use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Change, Difference, Ending, Gate, Header, Plan, Record, StepId, Work};

/// The records of a run, folded into what is next. Pure.
#[derive(Clone, Debug)]
pub struct Ledger<C, G> {
    header: Arc<Header<C, G>>,
    /// One per step of the plan, in order, with the index of its stage.
    steps: Vec<(usize, StepState)>,
    turned: Option<Turned>,
    ending: Option<Ending>,
    /// Steps whose call certainly did not land late: it was refused.
    refused: BTreeSet<StepId>,
    /// Whether another process took over while the run went back: its predecessor may have had
    /// inverses under way.
    resumed: bool,
    /// Why steps are stuck, or were.
    reasons: BTreeMap<StepId, Obstacle>,
    /// What was made again on the way back.
    remade: BTreeSet<StepId>,
    /// Changes that are stuck and were never begun.
    unbegun: BTreeSet<StepId>,
}

/// Why a step is stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// In words.
    pub reason: String,
    /// In what the thing is not as it should be.
    pub differences: Vec<Difference>,
}

/// Why a run went back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Turned {
    cause: String,
    asked: bool,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Begun: it may be in place or not, only the world knows.
    Started,
    /// Seen in place; for a gate: passed.
    Applied,
    /// Seen not to be in place any more.
    Undone,
    /// Can go neither way.
    Stuck,
    /// Left as it is, since a person decided so.
    Skipped,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make these changes of one stage.
    Apply(Vec<StepId>),
    /// Wait for this gate.
    Await(StepId),
    /// Take these changes of one stage back.
    Undo(Vec<StepId>),
    /// Nothing: these are stuck, and no other stage is begun before they are not.
    Stuck(Vec<StepId>),
    /// Everything is in place: say so.
    Commit,
    /// Everything was taken back: look at it once more and say so.
    RollBack,
    /// Everything was taken back but what a person decided to leave: look and say so.
    Abandon,
    /// The run has ended.
    Done(Ending),
}

/// Says that a record cannot follow the ones before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record `{record}` cannot follow the ones before it")]
pub struct IllegalRecord {
    record: String,
}

impl IllegalRecord {
    fn of<C, G>(record: &Record<C, G>) -> Self {
        let record = match record.name() {
            (name, Some(step)) => format!("{name} {step}"),
            (name, None) => name.to_owned(),
        };
        Self { record }
    }
}

impl<C: Change, G: Gate> Ledger<C, G> {
    /// Begins with a run's first record.
    pub fn new(header: Header<C, G>) -> Self {
        let steps = header.plan.steps().map(|(_, at, _)| (at, StepState::Pending)).collect();
        Self {
            header: Arc::new(header),
            steps,
            turned: None,
            ending: None,
            refused: BTreeSet::new(),
            resumed: false,
            reasons: BTreeMap::new(),
            remade: BTreeSet::new(),
            unbegun: BTreeSet::new(),
        }
    }

    /// Folds all records of a journal.
    pub fn replay<R: Borrow<Record<C, G>>>(
        records: impl IntoIterator<Item = R>,
    ) -> Result<Self, IllegalRecord> {
        let mut records = records.into_iter();
        let first = records.next();
        let Some(Record::Begun(header)) = first.as_ref().map(Borrow::borrow) else {
            return Err(IllegalRecord { record: "the first".to_owned() });
        };
        let mut ledger = Self::new(Header::clone(header));
        for record in records {
            ledger.fold(record.borrow())?;
        }
        Ok(ledger)
    }

    /// Returns the first record.
    pub fn header(&self) -> &Header<C, G> {
        &self.header
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Plan<C, G> {
        &self.header.plan
    }

    /// Returns why the run went back, if it did.
    pub fn cause(&self) -> Option<&str> {
        self.turned.as_ref().map(|turned| turned.cause.as_str())
    }

    /// Returns whether the run went back because somebody asked.
    pub fn was_asked(&self) -> bool {
        self.turned.as_ref().is_some_and(|turned| turned.asked)
    }

    /// Returns how the run ended, if it did.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Returns whether another process took over while the run went back.
    pub fn was_resumed(&self) -> bool {
        self.resumed
    }

    /// Returns whether the call of a change may still land: nothing certain is known about it.
    pub fn is_in_doubt(&self, step: StepId) -> bool {
        self.state(step) == StepState::Started && !self.refused.contains(&step)
    }

    /// Returns where a step stands.
    pub fn state(&self, step: StepId) -> StepState {
        usize::try_from(step.0)
            .ok()
            .and_then(|number| self.steps.get(number.checked_sub(1)?))
            .map_or(StepState::Pending, |(_, state)| *state)
    }

    /// Returns why a step is stuck, or was.
    pub fn obstacle(&self, step: StepId) -> Option<&Obstacle> {
        self.reasons.get(&step)
    }

    /// Returns whether nothing but going on is left: what cannot be undone has been begun.
    pub fn is_past_return(&self) -> bool {
        self.plan().point_of_no_return().is_some_and(|barrier| {
            self.steps
                .iter()
                .any(|(stage, state)| *stage >= barrier && *state != StepState::Pending)
        })
    }

    /// Returns whether a recovery may go on with the plan: the run has not turned round.
    pub fn may_go_on(&self) -> bool {
        self.ending.is_none() && self.turned.is_none()
    }

    /// Returns whether a person may decide to leave a change as it is: the run goes back, and the
    /// change is stuck, or was before another process took over.
    pub fn may_skip(&self, step: StepId) -> bool {
        self.ending.is_none()
            && self.turned.is_some()
            && self.is_change(step)
            && self.reasons.contains_key(&step)
            && matches!(self.state(step), StepState::Stuck | StepState::Started)
    }

    /// Returns what was taken away, and on the way back made again with another identity.
    pub fn remade(&self) -> impl Iterator<Item = &C> {
        self.remade.iter().filter_map(|step| self.change(*step))
    }

    /// Returns the change at a step.
    pub fn change(&self, step: StepId) -> Option<&C> {
        self.plan().changes().find_map(|(id, change)| (id == step).then_some(change))
    }

    /// Returns every change that was begun, with where it stands.
    pub fn touched(&self) -> impl Iterator<Item = (StepId, &C, StepState)> {
        self.plan()
            .changes()
            .map(|(step, change)| (step, change, self.state(step)))
            .filter(|(.., state)| *state != StepState::Pending)
    }

    /// Decides what to do next, from the records alone.
    pub fn next(&self) -> Next {
        if let Some(ending) = self.ending {
            return Next::Done(ending);
        }
        if self.turned.is_some() { self.next_back() } else { self.next_forward() }
    }

    fn next_forward(&self) -> Next {
        let stuck = self.in_state(StepState::Stuck);
        if !stuck.is_empty() {
            return Next::Stuck(stuck);
        }
        let open = self.plan().steps().find(|(step, ..)| self.state(*step) != StepState::Applied);
        match open {
            None => Next::Commit,
            Some((step, _, Err(_))) => Next::Await(step),
            Some((_, stage, Ok(_))) => {
                Next::Apply(self.of_stage(stage, |state| {
                    matches!(state, StepState::Pending | StepState::Started)
                }))
            }
        }
    }

    fn next_back(&self) -> Next {
        let is_open =
            |state| matches!(state, StepState::Started | StepState::Applied | StepState::Stuck);
        let newest = self.touched().filter(|(.., state)| is_open(*state)).last();
        let Some((newest, ..)) = newest else {
            let is_whole = self.in_state(StepState::Skipped).is_empty();
            return if is_whole { Next::RollBack } else { Next::Abandon };
        };
        let stage = self.stage_of(newest);
        let undo =
            self.of_stage(stage, |state| matches!(state, StepState::Started | StepState::Applied));
        if undo.is_empty() {
            Next::Stuck(self.of_stage(stage, |state| state == StepState::Stuck))
        } else {
            Next::Undo(undo)
        }
    }

    fn in_state(&self, wanted: StepState) -> Vec<StepId> {
        let steps = self.plan().steps().map(|(step, ..)| step);
        steps.filter(|step| self.state(*step) == wanted).collect()
    }

    fn stage_of(&self, step: StepId) -> usize {
        self.plan().steps().find(|(id, ..)| *id == step).map_or(0, |(_, stage, _)| stage)
    }

    fn of_stage(&self, stage: usize, matches: impl Fn(StepState) -> bool) -> Vec<StepId> {
        self.plan()
            .steps()
            .filter(|(step, at, _)| *at == stage && matches(self.state(*step)))
            .map(|(step, ..)| step)
            .collect()
    }

    /// Takes in one more record.
    pub fn fold(&mut self, record: &Record<C, G>) -> Result<(), IllegalRecord> {
        use StepState::{Applied, Pending, Skipped, Started, Stuck, Undone};
        let turned = self.turned.is_some();
        let legal = self.ending.is_none()
            && match record {
                Record::Begun(_) => false,
                Record::Intended { step, change, inverse } => {
                    !turned
                        && self.may_begin(*step, change, inverse)
                        && self.move_to(*step, &[Pending], Started)
                }
                Record::Applied { step } => {
                    !turned && self.is_change(*step) && self.move_to(*step, &[Started], Applied)
                }
                Record::Failed { step, in_doubt, .. } => {
                    if *in_doubt {
                        self.refused.remove(step);
                    } else {
                        self.refused.insert(*step);
                    }
                    !turned && self.move_to(*step, &[Started], Started)
                }
                Record::Passed { step } => {
                    !turned
                        && self.next() == Next::Await(*step)
                        && self.move_to(*step, &[Pending], Applied)
                }
                Record::Unwinding { cause, asked } => {
                    let may = !self.is_past_return();
                    let turned = Turned { cause: cause.clone(), asked: *asked };
                    self.turned.replace(turned).is_none() && may
                }
                Record::Undone { step, remade } => {
                    if *remade {
                        self.remade.insert(*step);
                    }
                    turned && self.move_to(*step, &[Started, Applied, Stuck], Undone)
                }
                Record::Resurfaced { step } => turned && self.move_to(*step, &[Undone], Started),
                Record::Stuck { step, reason, differences } => {
                    let (reason, differences) = (reason.clone(), differences.clone());
                    self.reasons.insert(*step, Obstacle { reason, differences });
                    if self.state(*step) == Pending {
                        self.unbegun.insert(*step);
                    }
                    if turned {
                        self.move_to(*step, &[Started, Applied, Undone], Stuck)
                    } else {
                        self.is_past_return() && self.move_to(*step, &[Started, Pending], Stuck)
                    }
                }
                Record::Skipped { step, .. } => {
                    self.may_skip(*step) && self.move_to(*step, &[Started, Stuck], Skipped)
                }
                Record::Resumed { forward, .. } => {
                    self.unstick();
                    if !turned {
                        self.reopen_gates();
                    }
                    // Calls will be made again, and may land late then.
                    if *forward || self.is_past_return() {
                        self.refused.clear();
                    }
                    !(turned && *forward)
                }
                Record::Committed => {
                    let legal = self.next() == Next::Commit;
                    self.ending = Some(Ending::Committed);
                    legal
                }
                Record::RolledBack => {
                    let legal = self.next() == Next::RollBack;
                    self.ending = Some(Ending::RolledBack);
                    legal
                }
                Record::Abandoned => {
                    let legal = self.next() == Next::Abandon;
                    self.ending = Some(Ending::Abandoned);
                    legal
                }
            };
        if legal { Ok(()) } else { Err(IllegalRecord::of(record)) }
    }

    /// Gives what is stuck another chance: a person may have cleared the way.
    fn unstick(&mut self) {
        self.resumed |= self.turned.is_some();
        for step in self.in_state(StepState::Stuck) {
            let is_begun = self.is_change(step) && !self.unbegun.remove(&step);
            let to = if is_begun { StepState::Started } else { StepState::Pending };
            self.move_to(step, &[StepState::Stuck], to);
        }
    }

    /// Wants the gates to hold once more that stand right before what is next: what was true when
    /// the run was interrupted need not be true any more.
    fn reopen_gates(&mut self) {
        let is_open = |(step, ..): &(StepId, _, _)| self.state(*step) != StepState::Applied;
        let Some((_, next, _)) = self.plan().steps().find(is_open) else { return };
        let is_gate = |stage: &usize| matches!(self.plan().stages()[*stage].work, Work::Gate(_));
        let first = (0..next).rev().take_while(is_gate).last().unwrap_or(next);
        let gates: Vec<StepId> = self
            .plan()
            .steps()
            .filter(|(_, stage, _)| (first..next).contains(stage))
            .map(|(step, ..)| step)
            .collect();
        for gate in gates {
            self.move_to(gate, &[StepState::Applied], StepState::Pending);
        }
    }

    /// Returns whether the change at `step` is the plan's and its stage is the next one.
    fn may_begin(&self, step: StepId, change: &C, inverse: &C) -> bool {
        let is_planned = self
            .change(step)
            .is_some_and(|planned| planned == change && planned.inverse() == *inverse);
        is_planned && matches!(self.next(), Next::Apply(steps) if steps.contains(&step))
    }

    fn is_change(&self, step: StepId) -> bool {
        self.change(step).is_some()
    }

    /// Moves a step that is in one of `from` to `to`; returns whether it was.
    fn move_to(&mut self, step: StepId, from: &[StepState], to: StepState) -> bool {
        let slot = usize::try_from(step.0)
            .ok()
            .and_then(|number| self.steps.get_mut(number.checked_sub(1)?));
        match slot {
            Some((_, state)) if from.contains(state) => {
                *state = to;
                true
            }
            _ => false,
        }
    }
}
