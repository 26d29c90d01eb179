use super::EnvironmentSpec;
use crate::model::{Environment, RunId};
use crate::plan::Decision;
use crate::transaction::Lease;

/// A plan that is ready to be run, of an environment that stays locked until this is run or
/// dropped.
///
/// Between [`prepare`](super::Bluegreen::prepare) and [`execute`](super::Bluegreen::execute) a
/// person can be shown the very plan that is to be run.
#[must_use]
#[derive(Debug)]
pub struct Prepared {
    pub(super) spec: EnvironmentSpec,
    pub(super) operation: &'static str,
    pub(super) run: RunId,
    pub(super) undoes: Option<RunId>,
    pub(super) environment: Environment,
    pub(super) decision: Decision,
    pub(super) lease: Lease,
}

impl Prepared {
    /// Gives the lock back, for somebody who does not want the plan run.
    pub async fn release(self) {
        self.lease.release().await;
    }

    /// Returns the run that the plan is for.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Returns the environment that the plan was made from.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns what is to be done.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}
