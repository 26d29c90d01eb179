mod deletion;
mod judge;
mod kept;

use std::collections::{BTreeMap, BTreeSet};

pub use deletion::delete_orphans;
pub use judge::orphans;
pub use kept::Kept;

use super::CloudPlan;
use super::removal::Making;
use crate::change::CloudChange;
use crate::model::{
    Environment, EnvironmentName, ListenerKey, ListenerSettings, PortRange, ResourceKey, Route,
    RunId, ScalingGroup, ScalingGroupName, Tags, TargetGroupName, TargetGroupSettings, tag_key,
};

/// Something that a run made and that no environment claims.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Orphan {
    /// The thing.
    pub resource: ResourceKey,
    /// The run that made it, as its tag says.
    pub run: RunId,
    /// The environment that it was made for, as its tag says.
    pub environment: Option<EnvironmentName>,
    /// Why it may not be deleted; `None` if it may.
    pub kept: Option<Kept>,
}

impl Orphan {
    /// Returns whether it may be deleted.
    pub fn is_deletable(&self) -> bool {
        self.kept.is_none()
    }
}

/// Something that carries a run's tag and that no environment claims, before a closer look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// The thing.
    pub resource: ResourceKey,
    /// The run that made it.
    pub run: RunId,
    /// The environment that it was made for.
    pub environment: Option<EnvironmentName>,
}

/// A configured environment that could not be read, so that nobody knows what it claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The environment.
    pub environment: EnvironmentName,
    /// Why it could not be read.
    pub why: String,
}

/// A run that has not ended: a recovery takes back what it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub run: RunId,
    /// Its environment.
    pub environment: EnvironmentName,
    /// What it makes or deletes.
    pub touches: BTreeSet<ResourceKey>,
}

impl OpenRun {
    /// Takes from a run's plan what it makes or deletes.
    pub fn new(run: RunId, environment: EnvironmentName, plan: &CloudPlan) -> Self {
        let touches = plan.changes().filter_map(|(_, change)| match change {
            CloudChange::Listener(edit) => Some(ResourceKey::Listener(edit.of.clone())),
            CloudChange::TargetGroup(edit) => Some(ResourceKey::TargetGroup(edit.of.clone())),
            CloudChange::ScalingGroup(edit) => Some(ResourceKey::ScalingGroup(edit.of.clone())),
            _ => None,
        });
        Self { touches: touches.collect(), run, environment }
    }
}

/// What runs made, and who could claim it: all that is known without looking at any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// What nobody claims.
    pub unclaimed: Vec<Unclaimed>,
    /// The environments that are configured in the account and region, each with its idle ports.
    pub configured: BTreeMap<EnvironmentName, PortRange>,
    /// Those of them that could not be read.
    pub unread: Vec<Unread>,
    /// The environments whose orphans are wanted, by name; all if there are none.
    pub named: BTreeSet<EnvironmentName>,
    /// The runs that have not ended.
    pub open: Vec<OpenRun>,
}

/// What a closer look at unclaimed things found; what went away meanwhile is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Every unclaimed scaling group, of whatever environment.
    pub groups: Vec<ScalingGroup>,
    /// Every route of the load balancers that unclaimed things are on.
    pub routes: Vec<Route>,
    /// The listeners, each with what lets the outside reach it.
    pub listeners: BTreeMap<ListenerKey, (ListenerSettings, Option<String>)>,
    /// The target groups, each with how many targets are registered in it.
    pub target_groups: BTreeMap<TargetGroupName, (TargetGroupSettings, usize)>,
    /// What would make the scaling groups again.
    pub makings: BTreeMap<ScalingGroupName, Making>,
}

/// Finds out of all that carries a run's tag what neither an environment nor an open run claims.
pub fn unclaimed(
    tagged: &[(ResourceKey, Tags)],
    environments: &[Environment],
    open: &[OpenRun],
) -> Vec<Unclaimed> {
    let claimed: BTreeSet<ResourceKey> = environments.iter().flat_map(claims).collect();
    let is_open = |resource: &ResourceKey, run: &RunId| {
        open.iter().any(|one| one.run == *run || one.touches.contains(resource))
    };
    tagged
        .iter()
        .filter_map(|(resource, tags)| {
            Some(Unclaimed {
                resource: resource.clone(),
                run: RunId::new(tags.get(tag_key::RUN)?),
                environment: tags.get(tag_key::ENVIRONMENT).map(EnvironmentName::new),
            })
        })
        .filter(|one| !matches!(one.resource, ResourceKey::LoadBalancer(_)))
        .filter(|one| !claimed.contains(&one.resource) && !is_open(&one.resource, &one.run))
        .collect()
}

/// Returns what belongs to an environment.
///
/// Before `upgrade` no idle listener does: one that is there was left by a run that is gone.
fn claims(environment: &Environment) -> Vec<ResourceKey> {
    let mut claimed = Vec::new();
    for (_, side) in environment.sides() {
        claimed.push(ResourceKey::ScalingGroup(side.group.name.clone()));
        for member in &side.members {
            claimed.push(ResourceKey::TargetGroup(member.target_group.name.clone()));
            let listener = member.idle_listener.as_ref().filter(|_| environment.is_upgraded());
            claimed.extend(listener.cloned().map(ResourceKey::Listener));
        }
    }
    claimed
}

impl Census {
    /// Returns whether the orphans of an environment are wanted.
    fn wants(&self, environment: Option<&EnvironmentName>) -> bool {
        self.named.is_empty() || environment.is_some_and(|name| self.named.contains(name))
    }

    /// Returns what is worth a closer look: what may be deleted, as far as the tags tell.
    pub fn candidates(&self) -> impl Iterator<Item = &Unclaimed> {
        self.unclaimed.iter().filter(|one| {
            self.wants(one.environment.as_ref()) && judge::by_tags(self, one).is_none()
        })
    }
}
