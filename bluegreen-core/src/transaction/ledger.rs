use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Change, Ending, Gate, Header, Plan, Record, StepId};

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
    /// Why steps are stuck.
    reasons: BTreeMap<StepId, String>,
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
    /// Nothing: these are stuck, and an earlier stage is not begun before they are not.
    Stuck(Vec<StepId>),
    /// Everything is in place: say so.
    Commit,
    /// Everything was taken back: look at it once more and say so.
    RollBack,
    /// The run has ended.
    Done(Ending),
}

/// Says that a record cannot follow the ones before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record `{record}` cannot follow the ones before it")]
pub struct IllegalRecord {
    record: String,
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
        }
    }

    /// Folds all records of a journal.
    pub fn replay(records: impl IntoIterator<Item = Record<C, G>>) -> Result<Self, IllegalRecord> {
        let mut records = records.into_iter();
        let Some(Record::Begun(header)) = records.next() else {
            return Err(IllegalRecord { record: "the first".to_owned() });
        };
        let mut ledger = Self::new(*header);
        for record in records {
            ledger.fold(&record)?;
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
    pub fn reason(&self, step: StepId) -> Option<&str> {
        self.reasons.get(&step).map(String::as_str)
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
        let Some((newest, ..)) = newest else { return Next::RollBack };
        let stage = self.stage_of(newest);
        let undo =
            self.of_stage(stage, |state| matches!(state, StepState::Started | StepState::Applied));
        if undo.is_empty() {
            Next::Stuck(self.of_stage(stage, |state| state == StepState::Stuck))
        } else {
            Next::Undo(undo)
        }
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
        use StepState::{Applied, Pending, Started, Stuck, Undone};
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
                    if !in_doubt {
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
                    self.turned.replace(Turned { cause: cause.clone(), asked: *asked }).is_none()
                }
                Record::Undone { step } => {
                    turned && self.move_to(*step, &[Started, Applied, Stuck], Undone)
                }
                Record::Resurfaced { step } => turned && self.move_to(*step, &[Undone], Started),
                Record::Stuck { step, reason } => {
                    self.reasons.insert(*step, reason.clone());
                    turned && self.move_to(*step, &[Started, Applied, Undone], Stuck)
                }
                Record::Resumed { .. } => {
                    self.unstick();
                    true
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
            };
        if legal { Ok(()) } else { Err(IllegalRecord { record: name_of(record) }) }
    }

    /// Gives what is stuck another chance: a person may have cleared the way.
    fn unstick(&mut self) {
        self.resumed |= self.turned.is_some();
        for (_, state) in &mut self.steps {
            if *state == StepState::Stuck {
                *state = StepState::Started;
            }
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

fn name_of<C, G>(record: &Record<C, G>) -> String {
    let (name, step) = match record {
        Record::Begun(_) => ("begun", None),
        Record::Intended { step, .. } => ("intended", Some(step)),
        Record::Applied { step } => ("applied", Some(step)),
        Record::Failed { step, .. } => ("failed", Some(step)),
        Record::Passed { step } => ("passed", Some(step)),
        Record::Unwinding { .. } => ("unwinding", None),
        Record::Undone { step } => ("undone", Some(step)),
        Record::Resurfaced { step } => ("resurfaced", Some(step)),
        Record::Stuck { step, .. } => ("stuck", Some(step)),
        Record::Resumed { .. } => ("resumed", None),
        Record::Committed => ("committed", None),
        Record::RolledBack => ("rolled_back", None),
    };
    step.map_or_else(|| name.to_owned(), |step| format!("{name} {step}"))
}
