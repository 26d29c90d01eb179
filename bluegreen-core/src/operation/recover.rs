use std::sync::Arc;

use super::history::{self, CloudLedger, RunDetails};
use super::{Bluegreen, Done, EnvironmentSpec, OperationError};
use crate::model::{EnvironmentName, RunId};
use crate::transaction::{Lease, Recovery, StepId, Store};

/// What may be said about a recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoverOptions {
    /// Whether to go on with the plan instead of back.
    pub forward: bool,
    /// The stuck changes that are to be left as they are.
    pub skip: Vec<StepId>,
}

impl RecoverOptions {
    /// Goes on with the plan instead of back.
    #[must_use]
    pub fn with_forward(mut self, forward: bool) -> Self {
        self.forward = forward;
        self
    }

    /// Leaves these stuck changes as they are; that is a person's decision.
    #[must_use]
    pub fn with_skip(mut self, skip: impl IntoIterator<Item = StepId>) -> Self {
        self.skip = skip.into_iter().collect();
        self
    }
}

/// Tells what a recovery would begin with and which way it would go, and refuses what it would
/// refuse; needs no cloud.
pub async fn recovery(
    store: &dyn Store,
    run: &RunId,
    options: &RecoverOptions,
) -> Result<RunDetails, OperationError> {
    let (entries, ledger) = history::understood(run, &store.read(run).await?)?;
    if ledger.ending().is_none() {
        check_possible(run, &ledger, options)?;
    }
    let recovery = history::way(&ledger, options.forward);
    Ok(RunDetails { recovery, ..history::details(&entries, &ledger) })
}

impl Bluegreen {
    /// Finishes what an interrupted run left: takes it back, or commits it where nothing else was
    /// missing, or goes on with its plan where that is wanted.
    ///
    /// `check` is told the environment of the run and answers with its specification, so that the
    /// account is guarded here as everywhere.
    pub async fn recover(
        &self,
        run: &RunId,
        options: &RecoverOptions,
        check: impl FnOnce(&EnvironmentName) -> Option<EnvironmentSpec>,
    ) -> Result<Done, OperationError> {
        let (_, ledger) = history::understood(run, &self.store.read(run).await?)?;
        let environment = ledger.header().environment.clone();
        if let Some(ending) = ledger.ending() {
            return Ok(Done::Nothing(format!("run {run} has ended: {ending}")));
        }
        check_possible(run, &ledger, options)?;
        let Some(spec) = check(&environment) else {
            return Err(OperationError::refused(format!(
                "run {run} is of environment `{environment}`, which is not configured"
            ))
            .with_hint("use the configuration that the run was started with"));
        };
        self.check_confirmed(&spec)?;
        let lease = Arc::new(self.lock(&environment, "recover", run).await?);
        let done = self.finish(run, options, &spec, &lease).await;
        lease.release().await;
        done
    }

    async fn finish(
        &self,
        run: &RunId,
        options: &RecoverOptions,
        spec: &EnvironmentSpec,
        lease: &Arc<Lease>,
    ) -> Result<Done, OperationError> {
        let cloud = &*self.cloud;
        super::observe::check_account(cloud, &cloud.account().await?, spec).await?;
        // Read again: whoever held the lock before may have gone on with it.
        let (lines, journal) = self.store.open(run).await?;
        let (_, ledger) = history::understood(run, &lines)?;
        check_possible(run, &ledger, options)?;
        let recovery = Recovery::by(self.actor.to_string())
            .with_forward(options.forward)
            .with_skip(options.skip.iter().copied());
        Ok(Done::Ran(self.engine(lease).recover(ledger, journal, recovery).await?))
    }
}

/// Refuses what the run does not allow, before anything is done.
fn check_possible(
    run: &RunId,
    ledger: &CloudLedger,
    options: &RecoverOptions,
) -> Result<(), OperationError> {
    if options.forward && !ledger.may_go_on() && ledger.ending().is_none() {
        return Err(OperationError::refused(format!(
            "run {run} has turned round: it can only be taken back"
        ))
        .with_hint(format!("`bluegreen recover {run}` goes on with that")));
    }
    if let Some(step) = options.skip.iter().find(|step| !ledger.may_skip(**step)) {
        return Err(OperationError::refused(format!(
            "step {step} of run {run} is not stuck: only what is stuck can be left as it is"
        ))
        .with_hint(format!("`bluegreen show {run}` tells which steps are")));
    }
    Ok(())
}
