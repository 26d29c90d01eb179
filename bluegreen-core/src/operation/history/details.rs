use serde::Serialize;

use super::timeline::{Course, Timeline};
use super::{CloudEntry, CloudLedger, RunSummary, summary};
use crate::model::{RunId, Timestamp};
use crate::transaction::{Change as _, Difference, Next, Record, StepId, StepState, Work};

/// One run, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunDetails {
    /// The run in a line.
    pub summary: RunSummary,
    /// Why it went back, if it did.
    pub cause: Option<String>,
    /// The earlier run that this one takes back, if it does.
    pub undoes: Option<RunId>,
    /// Which way a recovery goes; nothing if the run has ended.
    pub recovery: Option<Way>,
    /// Whether a recovery may go on with the plan instead of back.
    pub may_go_on: bool,
    /// Whether nothing but going on is left: what cannot be undone has been begun.
    pub is_past_return: bool,
    /// Its changes and gates in order.
    pub steps: Vec<StepDetails>,
    /// What happened to the run as a whole, in order.
    pub milestones: Vec<Milestone>,
}

/// Which way a recovery goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Way {
    /// It takes back what the run did.
    Back,
    /// It goes on with the plan.
    Forward,
    /// Everything is in place: it only says so.
    Commit,
}

/// One change or gate of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepDetails {
    /// Its place in the plan.
    pub step: StepId,
    /// What its stage is for.
    pub stage: String,
    /// The change or the gate, in words.
    pub what: String,
    /// What takes it back, in words; nothing for a gate.
    pub inverse: Option<String>,
    /// How well it can be taken back; nothing for a gate.
    pub reversibility: Option<String>,
    /// How it stands.
    pub state: String,
    /// When it began.
    pub began: Option<Timestamp>,
    /// When it was seen in place, or failed: what came after that is the way back.
    pub tried: Option<Timestamp>,
    /// When it last came to another state.
    pub ended: Option<Timestamp>,
    /// What went wrong with it, if anything did.
    pub error: Option<String>,
    /// In what the thing is not as it should be, if it is stuck or was left.
    pub differences: Vec<Difference>,
    /// Whether what it had taken away was made again on the way back, with another identity.
    pub remade: bool,
    /// Whether a person may decide to leave it as it is.
    pub may_be_skipped: bool,
}

/// Something that happened to a run as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Milestone {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: MilestoneKind,
}

/// What happened to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MilestoneKind {
    /// It turned round.
    TurnedRound {
        /// Why.
        cause: String,
        /// Whether somebody asked for it.
        asked: bool,
    },
    /// Another process took over.
    Resumed {
        /// Who.
        by: String,
        /// Which way it went.
        way: Way,
    },
    /// A person decided to leave a stuck change as it is.
    Skipped {
        /// Its place in the plan.
        step: StepId,
        /// Who decided.
        by: String,
    },
    /// A call landed after its change had been taken back.
    Resurfaced {
        /// Its place in the plan.
        step: StepId,
    },
    /// What a change had taken away was made again: its settings are as before, its identity is
    /// not.
    Remade {
        /// Its place in the plan.
        step: StepId,
        /// The thing.
        thing: String,
    },
}

/// Returns which way a recovery goes that may be told to go on.
pub(in crate::operation) fn way(ledger: &CloudLedger, forward: bool) -> Option<Way> {
    if ledger.ending().is_some() {
        return None;
    }
    let mut resumed = ledger.clone();
    let record = Record::Resumed { actor: String::new(), forward };
    // What may not go on goes back.
    let is_legal = resumed.fold(&record).is_ok();
    Some(if !is_legal || !resumed.may_go_on() {
        Way::Back
    } else if resumed.next() == Next::Commit {
        Way::Commit
    } else if forward || resumed.is_past_return() {
        Way::Forward
    } else {
        Way::Back
    })
}

/// Sums a run up, step by step, with the way of a recovery that is told nothing.
pub(in crate::operation) fn details(entries: &[CloudEntry], ledger: &CloudLedger) -> RunDetails {
    let timeline = Timeline::of(entries);
    let stages = ledger.plan().stages();
    let steps = ledger
        .plan()
        .steps()
        .map(|(step, stage, work)| {
            let course = timeline.course(step);
            let state = ledger.state(step);
            StepDetails {
                step,
                stage: stages[stage].title.clone(),
                what: work.map_or_else(ToString::to_string, ToString::to_string),
                inverse: work.ok().map(|change| change.inverse().to_string()),
                reversibility: work.ok().map(|change| change.reversibility().to_string()),
                state: match &stages[stage].work {
                    Work::Gate(_) if state == StepState::Pending => {
                        gate_name(&course, ledger.next() == Next::Await(step))
                    }
                    work => state_name(state, work),
                }
                .to_owned(),
                began: course.began,
                tried: course.tried,
                ended: course.ended,
                error: course.error,
                differences: match state {
                    StepState::Stuck | StepState::Skipped => course.differences,
                    _ => Vec::new(),
                },
                remade: course.remade,
                may_be_skipped: ledger.may_skip(step),
            }
        })
        .collect();
    RunDetails {
        summary: summary(entries, ledger),
        cause: ledger.cause().map(str::to_owned),
        undoes: ledger.header().undoes.clone(),
        recovery: way(ledger, false),
        may_go_on: ledger.may_go_on(),
        is_past_return: ledger.is_past_return(),
        steps,
        milestones: timeline.milestones,
    }
}

/// Says how a gate stands that has not held.
fn gate_name(course: &Course, is_awaited: bool) -> &'static str {
    match (&course.error, course.began) {
        (Some(_), _) => "failed",
        (None, Some(_)) if is_awaited => "waiting",
        (None, Some(_)) => "given up",
        (None, None) => "not begun",
    }
}

fn state_name<C, G>(state: StepState, work: &Work<C, G>) -> &'static str {
    match (state, work) {
        (StepState::Pending, _) => "not begun",
        (StepState::Started, _) => "in doubt",
        (StepState::Applied, Work::Changes(_)) => "applied",
        (StepState::Applied, Work::Gate(_)) => "passed",
        (StepState::Undone, _) => "undone",
        (StepState::Stuck, _) => "stuck",
        (StepState::Skipped, _) => "left",
    }
}
