//! Nothing that a live route reaches is stopped or deleted, forwards or on the way back.
//!
//! Plans see to that before they are run. This looks again right before the call, since somebody
//! may have moved the traffic meanwhile: a rollback that stops what it started would then stop what
//! serves. What cannot be looked at counts as serving.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::CloudChange;
use super::scaling_group::read;
use crate::cloud::{CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    Capacity, Listener, ListenerKey, LoadBalancerName, ResourceKey, Route, RouteKey,
    ScalingGroupName, TargetGroupName, tag_key,
};

/// Refuses a change that would stop or delete what a live route reaches.
pub(super) async fn check(change: &CloudChange, cloud: &dyn ReadCloud) -> Result<(), CloudError> {
    match change {
        CloudChange::Capacity(edit) => {
            check_group(cloud, &edit.of, Some(edit.after), "setting the size").await
        }
        CloudChange::ScalingGroup(edit) if edit.after.is_none() => {
            check_group(cloud, &edit.of, None, "deleting the scaling group").await
        }
        CloudChange::TargetGroup(edit) if edit.after.is_none() => {
            let names = BTreeSet::from([edit.of.clone()]);
            refuse_if_reached(cloud, &names, "deleting the target group", &edit.of).await
        }
        _ => Ok(()),
    }
}

async fn check_group(
    cloud: &dyn ReadCloud,
    name: &ScalingGroupName,
    capacity: Option<Capacity>,
    what: &'static str,
) -> Result<(), CloudError> {
    let Some(group) = read(cloud, name).await? else { return Ok(()) };
    // Somebody may have made another one of the name of one that a run deleted, and its size looks
    // like any other.
    if capacity.is_some() && group.environment().is_none() {
        return Err(CloudError::new(CloudErrorKind::Rejected, what, name).with_source(
            "it carries no tag of an environment: it is another group of the same name",
        ));
    }
    let stops = |after: Capacity| after.desired.min(after.max) < group.capacity.desired;
    if !capacity.is_none_or(stops) || group.instances.is_empty() {
        return Ok(());
    }
    refuse_if_reached(cloud, &group.target_groups, what, name).await
}

async fn refuse_if_reached(
    cloud: &dyn ReadCloud,
    names: &BTreeSet<TargetGroupName>,
    what: &'static str,
    resource: impl std::fmt::Display,
) -> Result<(), CloudError> {
    let all: Vec<_> = names.iter().cloned().collect();
    let target_groups = cloud.target_groups(&all).await?;
    let balancers: BTreeSet<_> =
        target_groups.into_iter().flat_map(|group| group.load_balancers).collect();
    let reaching = try_join_all(balancers.iter().map(|one| reaching(cloud, one, names))).await?;
    for (route, target_group) in reaching.into_iter().flatten() {
        if !is_idle(cloud, &route.listener).await? {
            return Err(CloudError::new(CloudErrorKind::Rejected, what, resource).with_source(
                format!(
                    "it serves: live route {route} sends requests to {target_group}; send them \
                     elsewhere first"
                ),
            ));
        }
    }
    Ok(())
}

/// Returns the routes of a load balancer that send requests to some target groups.
async fn reaching(
    cloud: &dyn ReadCloud,
    load_balancer: &LoadBalancerName,
    names: &BTreeSet<TargetGroupName>,
) -> Result<Vec<(RouteKey, TargetGroupName)>, CloudError> {
    let listeners = cloud.listeners(load_balancer).await?;
    let rules = try_join_all(listeners.iter().map(|one| cloud.rules(&one.key))).await?;
    let defaults = listeners.iter().map(Listener::default_route);
    let reached = |route: Route| {
        let forward = route.actions.forward()?;
        let name = names.iter().find(|name| forward.reaches(name))?;
        Some((route.key, name.clone()))
    };
    // No request takes a test rule that does not know how.
    let routes = defaults.chain(rules.into_iter().flatten()).filter(|route| !route.is_test());
    Ok(routes.filter_map(reached).collect())
}

/// Returns whether a listener is one that this tool made to keep a colour checked.
async fn is_idle(cloud: &dyn ReadCloud, listener: &ListenerKey) -> Result<bool, CloudError> {
    let tags = cloud.tags(&ResourceKey::Listener(listener.clone())).await?;
    Ok(tags
        .is_some_and(|tags| tags.contains_key(tag_key::RUN) && tags.contains_key(tag_key::COLOR)))
}
