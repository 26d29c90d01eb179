mod findings;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use super::circumstances::check_ended;
use super::history::{self, RunSummary};
use super::observe::check_account;
use super::{Bluegreen, Done, EnvironmentSpec, OperationError};
use crate::model::{EnvironmentName, PortRange, RunId, tag_key};
use crate::plan::{
    Census, Decision, Findings, OpenRun, Orphan, Refusal, Unread, delete_orphans, orphans,
    unclaimed,
};
use crate::transaction::{Lease, chain};

/// The name under which deletions of orphans stand in journals.
const OPERATION: &str = "orphans";

/// What runs made in an account and region, and no environment there claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Orphans {
    /// The orphans, by resource.
    pub found: Vec<Orphan>,
    /// The configured environments that could not be read: while there is one, nobody knows
    /// whether what was found is an orphan, and none of it is deleted.
    pub unread: Vec<Unread>,
}

impl Orphans {
    /// Returns the environments of which something may be deleted.
    pub fn deletable(&self) -> BTreeSet<EnvironmentName> {
        let deletable = self.found.iter().filter(|orphan| orphan.is_deletable());
        deletable.filter_map(|orphan| orphan.environment.clone()).collect()
    }
}

/// The deletion of an environment's orphans, ready to be run; the environment stays locked until
/// this is run or dropped.
#[must_use]
#[derive(Debug)]
pub struct PreparedOrphans {
    spec: EnvironmentSpec,
    run: RunId,
    orphans: Orphans,
    decision: Decision,
    lease: Lease,
}

impl PreparedOrphans {
    /// Gives the lock back, for somebody who does not want the plan run.
    pub async fn release(self) {
        self.lease.release().await;
    }

    /// Returns the run that the plan is for.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Returns the orphans of the environment, those that are kept too.
    pub fn orphans(&self) -> &Orphans {
        &self.orphans
    }

    /// Returns what is to be done.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}

impl Bluegreen {
    /// Finds what runs made and no environment claims; changes nothing.
    ///
    /// `configured` must be every environment that is configured in the cloud's account and
    /// region: what is left out may be taken for an orphan. Only orphans of the environments that
    /// are `named` are told, or all if none is. One that is named need not be configured.
    pub async fn orphans(
        &self,
        configured: &[EnvironmentSpec],
        named: &[EnvironmentName],
    ) -> Result<Orphans, OperationError> {
        let (census, findings) = self.look_for_orphans(configured, named).await?;
        Ok(Orphans { found: orphans(&census, &findings), unread: census.unread })
    }

    /// Plans to delete the orphans of one environment and does nothing else.
    pub async fn plan_orphans(
        &self,
        configured: &[EnvironmentSpec],
        environment: &EnvironmentName,
    ) -> Result<(Orphans, Decision), OperationError> {
        check_ended(&self.log().await?, environment)?;
        let named = std::slice::from_ref(environment);
        let (census, findings) = self.look_for_orphans(configured, named).await?;
        if let Some(Unread { environment, why }) = census.unread.first().cloned() {
            return Err(Refusal::Unread { environment, why }.into());
        }
        let found = orphans(&census, &findings);
        let decision = delete_orphans(environment, &found, &findings)?;
        Ok((Orphans { found, unread: census.unread }, decision))
    }

    /// Locks an environment and plans to delete its orphans, so that the plan can be looked at
    /// before [`delete_orphans`](Self::delete_orphans) runs it.
    ///
    /// The environment counts as named: that it is not configured is no reason to keep its orphans.
    pub async fn prepare_orphans(
        &self,
        configured: &[EnvironmentSpec],
        environment: &EnvironmentName,
    ) -> Result<PreparedOrphans, OperationError> {
        let spec = guarded_as(configured, environment)?;
        let run = RunId::generate(self.clock.now());
        let lease = self.lock(environment, OPERATION, &run).await?;
        match self.plan_orphans(configured, environment).await {
            Ok((orphans, decision)) => Ok(PreparedOrphans { spec, run, orphans, decision, lease }),
            Err(error) => {
                lease.release().await;
                Err(error)
            }
        }
    }

    /// Deletes the orphans that were prepared, and nothing else; then gives the lock back.
    ///
    /// An error says in its [kind](super::OperationErrorKind) what state the world is in.
    pub async fn delete_orphans(&self, prepared: PreparedOrphans) -> Result<Done, OperationError> {
        let PreparedOrphans { spec, run, decision, lease, .. } = prepared;
        self.decided(&spec, OPERATION, run, None, decision, lease).await
    }

    async fn look_for_orphans(
        &self,
        configured: &[EnvironmentSpec],
        named: &[EnvironmentName],
    ) -> Result<(Census, Findings), OperationError> {
        let cloud = &*self.cloud;
        let account = cloud.account().await?;
        for spec in configured {
            check_account(cloud, &account, spec).await?;
        }
        // In this order: whatever made one of these has its journal by now, and if its run has ended
        // since, its environment shows it.
        let tagged = cloud.tagged(tag_key::RUN).await?;
        let open = self.open_runs().await?;
        let looks = configured.iter().map(|spec| async move { (spec, self.observe(spec).await) });
        let (mut environments, mut unread) = (Vec::new(), Vec::new());
        for (spec, observed) in join_all(looks).await {
            match observed {
                Ok(observed) => environments.push(observed),
                Err(error) => {
                    let environment = spec.name.clone();
                    unread.push(Unread { environment, why: chain(&error) });
                }
            }
        }
        let ports = |spec: &EnvironmentSpec| -> (EnvironmentName, PortRange) {
            (spec.name.clone(), spec.idle_ports)
        };
        let census = Census {
            unclaimed: unclaimed(&tagged, &environments, &open),
            configured: configured.iter().map(ports).collect::<BTreeMap<_, _>>(),
            unread,
            named: named.iter().cloned().collect(),
            open,
        };
        let findings = findings::read(cloud, &census, &environments).await?;
        Ok((census, findings))
    }

    /// Returns the runs that have not ended, each with what it makes or deletes.
    async fn open_runs(&self) -> Result<Vec<OpenRun>, OperationError> {
        let open = self.log().await?.into_iter().filter(RunSummary::is_open);
        let reads = open.map(|summary| async move {
            let (_, ledger) =
                history::understood(&summary.run, &self.store.read(&summary.run).await?)?;
            Ok::<_, OperationError>(OpenRun::new(summary.run, summary.environment, ledger.plan()))
        });
        try_join_all(reads).await
    }
}

/// Returns how changes of an environment are guarded; one that is not configured is guarded like
/// its neighbours.
fn guarded_as(
    configured: &[EnvironmentSpec],
    environment: &EnvironmentName,
) -> Result<EnvironmentSpec, OperationError> {
    if let Some(spec) = configured.iter().find(|spec| spec.name == *environment) {
        return Ok(spec.clone());
    }
    let neighbour = configured.first().cloned().ok_or_else(|| {
        OperationError::refused("no environment is configured in this account and region")
            .with_hint("orphans are what the configuration does not claim: give one")
    })?;
    let protected = configured.iter().any(|spec| spec.protected);
    Ok(EnvironmentSpec { name: environment.clone(), protected, ..neighbour })
}
