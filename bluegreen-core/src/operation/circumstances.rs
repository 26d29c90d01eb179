use std::time::Duration;

use super::history::{self, RunSummary};
use super::{Bluegreen, EnvironmentSpec, Operation, OperationError, RunState};
use crate::model::{EnvironmentName, RunId};
use crate::plan::CloudPlan;
use crate::transaction::Ending;

/// What a plan depends on beside the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Circumstances {
    /// The run that the plan is for.
    pub run: RunId,
    /// For how long the idle colour is known to have been idle; zero if nobody knows.
    pub idle_for: Duration,
    /// What the run did that is to be taken back; nothing if that is not what is wanted.
    pub undone: Option<CloudPlan>,
    /// What the last upgrade did; nothing if nobody knows, or that is not what is wanted.
    pub upgraded: Option<CloudPlan>,
}

impl Circumstances {
    /// Plans for `run`, knowing nothing of earlier ones.
    pub fn new(run: RunId) -> Self {
        Self { run, idle_for: Duration::ZERO, undone: None, upgraded: None }
    }

    /// Says for how long the idle colour is known to have been idle.
    #[must_use]
    pub fn with_idle_for(mut self, idle_for: Duration) -> Self {
        self.idle_for = idle_for;
        self
    }

    /// Says what the run did that is to be taken back.
    #[must_use]
    pub fn with_undone(mut self, plan: CloudPlan) -> Self {
        self.undone = Some(plan);
        self
    }
}

impl Bluegreen {
    /// Learns from earlier runs; refuses while one of the same environment is open.
    pub(super) async fn circumstances(
        &self,
        spec: &EnvironmentSpec,
        operation: &Operation,
        run: RunId,
    ) -> Result<Circumstances, OperationError> {
        let runs = self.log().await?;
        check_ended(&runs, &spec.name)?;
        let ours: Vec<&RunSummary> =
            runs.iter().filter(|summary| summary.environment == spec.name).collect();
        self.wait_until_seen(&ours).await;
        // Either may have moved the traffic, and taken it back as well.
        let moved = ours.iter().find(|summary| {
            matches!(summary.operation.as_str(), "switch" | "undo") && summary.changes > 0
        });
        let idle_for = moved
            .and_then(|summary| summary.ended)
            .map_or(Duration::ZERO, |ended| self.clock.now().since(ended));
        let circumstances = Circumstances::new(run).with_idle_for(idle_for);
        Ok(match operation {
            Operation::Undo(options) => {
                circumstances.with_undone(self.undoable(spec, &options.run).await?)
            }
            Operation::Downgrade(_) => {
                Circumstances { upgraded: self.last_upgrade(&ours).await?, ..circumstances }
            }
            _ => circumstances,
        })
    }

    /// Waits until reads show everything that the latest run did: a plan that is made from an older
    /// view leaves out what it believes to be done.
    async fn wait_until_seen(&self, ours: &[&RunSummary]) {
        let changed = ours.iter().filter(|summary| summary.changes > 0);
        let Some(ended) = changed.filter_map(|summary| summary.ended).max() else { return };
        let since = self.clock.now().since(ended);
        tokio::time::sleep(self.policy.reread.saturating_sub(since)).await;
    }

    /// Returns what the last upgrade did of which there is a journal.
    async fn last_upgrade(
        &self,
        ours: &[&RunSummary],
    ) -> Result<Option<CloudPlan>, OperationError> {
        let committed = |summary: &&&RunSummary| {
            summary.operation == "upgrade" && summary.state == RunState::Committed
        };
        let Some(upgrade) = ours.iter().find(committed) else { return Ok(None) };
        let run = &upgrade.run;
        let (_, ledger) = history::understood(run, &self.store.read(run).await?)?;
        Ok(Some(ledger.plan().clone()))
    }

    /// Returns what a run did, if it can be taken back: it is of this environment, and committed.
    async fn undoable(
        &self,
        spec: &EnvironmentSpec,
        run: &RunId,
    ) -> Result<CloudPlan, OperationError> {
        let (_, ledger) = history::understood(run, &self.store.read(run).await?)?;
        let (name, of) = (&spec.name, &ledger.header().environment);
        if of != name {
            return Err(OperationError::refused(format!(
                "run {run} is of environment `{of}`, not of `{name}`"
            ))
            .with_hint(format!("`bluegreen log {name}` lists the runs of `{name}`")));
        }
        match ledger.ending() {
            Some(Ending::Committed) => Ok(ledger.plan().clone()),
            Some(ending) => Err(OperationError::refused(format!(
                "run {run} has ended: {ending}; only what is committed can be undone"
            ))
            .with_hint(format!("`bluegreen show {run}` tells what it did"))),
            None => Err(OperationError::refused(format!("run {run} has not ended"))
                .with_hint(format!("run `bluegreen recover {run}`"))),
        }
    }
}

/// Refuses while a run of an environment is open.
pub(super) fn check_ended(
    runs: &[RunSummary],
    environment: &EnvironmentName,
) -> Result<(), OperationError> {
    let mut ours = runs.iter().filter(|summary| summary.environment == *environment);
    let Some(open) = ours.find(|summary| summary.is_open()) else { return Ok(()) };
    let (id, operation, state) = (&open.run, &open.operation, open.state.as_str());
    Err(OperationError::refused(format!(
        "run {id} ({operation} of `{environment}`) is {state} and must be finished first"
    ))
    .with_hint(format!("run `bluegreen recover {id}`")))
}
