use std::collections::BTreeMap;

use super::details::{Milestone, MilestoneKind, way};
use super::{CloudEntry, CloudLedger};
use crate::change::CloudChange;
use crate::gate::CloudGate;
use crate::model::Timestamp;
use crate::transaction::{Change as _, Difference, Next, Record, StepId};

/// What happened in a run, and when.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    courses: BTreeMap<StepId, Course>,
    pub(super) milestones: Vec<Milestone>,
}

/// What happened to one step.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    pub(super) began: Option<Timestamp>,
    pub(super) tried: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    pub(super) error: Option<String>,
    pub(super) differences: Vec<Difference>,
    pub(super) remade: bool,
}

impl Timeline {
    /// Goes through the records once more, one by one.
    pub(super) fn of(entries: &[CloudEntry]) -> Self {
        let mut timeline = Self::default();
        let Some((Record::Begun(header), rest)) =
            entries.split_first().map(|(first, rest)| (&first.record, rest))
        else {
            return timeline;
        };
        let mut ledger = CloudLedger::new((**header).clone());
        timeline.awaits(&ledger, entries[0].at);
        let mut is_resumed = false;
        for CloudEntry { at, record } in rest {
            timeline.note_step(*at, record);
            timeline.note_run(*at, record, &ledger, is_resumed);
            is_resumed = matches!(record, Record::Resumed { .. });
            if ledger.fold(record).is_err() {
                // Whoever reads a journal finds that out before.
                break;
            }
            timeline.awaits(&ledger, *at);
        }
        timeline
    }

    /// Returns what happened to one step.
    pub(super) fn course(&self, step: StepId) -> Course {
        self.courses.get(&step).cloned().unwrap_or_default()
    }

    fn at(&mut self, step: StepId) -> &mut Course {
        self.courses.entry(step).or_default()
    }

    /// A gate is waited for as soon as it is next; there is no record of that.
    fn awaits(&mut self, ledger: &CloudLedger, at: Timestamp) {
        if let Next::Await(step) = ledger.next() {
            let course = self.at(step);
            let is_anew = course.ended.is_some();
            if is_anew {
                *course = Course::default();
            }
            course.began.get_or_insert(at);
        }
    }

    fn note_step(&mut self, at: Timestamp, record: &Record<CloudChange, CloudGate>) {
        let (_, Some(step)) = record.name() else { return };
        let course = self.at(step);
        match record {
            Record::Intended { .. } => {
                course.began = Some(at);
                return;
            }
            Record::Applied { .. } | Record::Passed { .. } => course.tried = Some(at),
            Record::Failed { error, .. } => {
                course.tried = Some(at);
                course.error = Some(error.clone());
            }
            Record::Stuck { reason, differences, .. } => {
                course.error = Some(reason.clone());
                course.differences.clone_from(differences);
            }
            Record::Undone { remade, .. } => course.remade |= *remade,
            _ => {}
        }
        course.ended = Some(at);
    }

    fn note_run(
        &mut self,
        at: Timestamp,
        record: &Record<CloudChange, CloudGate>,
        ledger: &CloudLedger,
        is_resumed: bool,
    ) {
        let kind = match record {
            Record::Unwinding { cause, asked } => {
                // A gate that does not hold has no record of its own.
                if let Next::Await(step) = ledger.next()
                    && !(*asked || is_resumed)
                {
                    let course = self.at(step);
                    (course.tried, course.ended) = (Some(at), Some(at));
                    course.error = Some(cause.clone());
                }
                MilestoneKind::TurnedRound { cause: cause.clone(), asked: *asked }
            }
            Record::Resumed { actor, forward } => {
                let Some(way) = way(ledger, *forward) else { return };
                MilestoneKind::Resumed { by: actor.clone(), way }
            }
            Record::Skipped { step, actor } => {
                MilestoneKind::Skipped { step: *step, by: actor.clone() }
            }
            Record::Resurfaced { step } => MilestoneKind::Resurfaced { step: *step },
            Record::Undone { step, remade: true } => {
                let Some(change) = ledger.change(*step) else { return };
                MilestoneKind::Remade { step: *step, thing: change.resource() }
            }
            _ => return,
        };
        self.milestones.push(Milestone { at, kind });
    }
}
