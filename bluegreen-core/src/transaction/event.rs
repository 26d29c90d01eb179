use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;

use super::{Difference, Ending, Progress, StepId};
use crate::model::{EnvironmentName, RunId, Timestamp};

/// Something that happens in a run, for people and programs that watch.
///
/// Not what is journaled: [records](super::Record) are for recovery and change
/// only with the format, events may grow with every release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// In which run.
    pub run: RunId,
    /// What.
    pub event: EventKind,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A run begins.
    Begun {
        /// The operation.
        operation: String,
        /// The environment.
        environment: EnvironmentName,
        /// How many changes it is to make.
        changes: usize,
    },
    /// A stage of changes begins.
    StageBegun {
        /// What it is for.
        title: String,
        /// How many changes it makes at the same time.
        changes: usize,
    },
    /// A change is about to be made.
    ChangeBegun {
        /// Its place in the plan.
        step: StepId,
        /// The change, in words.
        change: String,
    },
    /// A change is in place.
    ChangeDone {
        /// Its place in the plan.
        step: StepId,
        /// The change, in words.
        change: String,
    },
    /// A change could not be made, or not be seen in place.
    ChangeFailed {
        /// Its place in the plan.
        step: StepId,
        /// The change, in words.
        change: String,
        /// Why.
        error: String,
    },
    /// All changes of a stage are in place.
    StageDone {
        /// What it was for.
        title: String,
        /// The time between the first and the last change to be made.
        skew: Duration,
    },
    /// A gate does not hold yet.
    GateWaiting {
        /// Its place in the plan.
        step: StepId,
        /// The gate, in words.
        gate: String,
        /// How far it has come; absent if it could not be looked at just now.
        progress: Option<Progress>,
        /// For how long it has been waited for.
        waited: Duration,
    },
    /// A gate holds.
    GatePassed {
        /// Its place in the plan.
        step: StepId,
        /// The gate, in words.
        gate: String,
        /// What it saw.
        progress: Progress,
    },
    /// A gate did not hold.
    GateFailed {
        /// Its place in the plan.
        step: StepId,
        /// The gate, in words.
        gate: String,
        /// Why.
        reason: String,
    },
    /// The run turns round.
    Unwinding {
        /// Why.
        cause: String,
        /// How many changes are to be taken back, or looked at.
        changes: usize,
    },
    /// A change is not in place any more.
    Undone {
        /// Its place in the plan.
        step: StepId,
        /// The change, in words.
        change: String,
    },
    /// A change cannot be taken back just now and is tried again.
    UndoRetried {
        /// Its place in the plan.
        step: StepId,
        /// The change, in words.
        change: String,
        /// Why.
        error: String,
    },
    /// A change can go neither way.
    UndoStuck {
        /// Its place in the plan.
        step: StepId,
        /// The change, in words.
        change: String,
        /// Why.
        reason: String,
        /// In what the thing is not as it was before.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        differences: Vec<Difference>,
    },
    /// Calls of a process that is gone are waited for, which may still land.
    Settling {
        /// For how long.
        settle: Duration,
    },
    /// Everything the run touched is looked at once more.
    Verifying {
        /// For how long calls are waited for that may still land.
        settle: Duration,
    },
    /// The run ended.
    Ended {
        /// How.
        ending: Ending,
    },
    /// The run stopped and something is left.
    LeftOpen {
        /// Why.
        cause: String,
    },
}

/// Takes events. Must not block: it is called between changes.
pub trait EventSink: Debug + Send + Sync {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// Takes events and forgets them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSink;

impl EventSink for NoSink {
    fn emit(&self, _: &Event) {}
}
