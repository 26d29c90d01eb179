//! What default actions and rules have in common.

use std::collections::BTreeSet;

use bluegreen_core::model::{Action, Actions, ListenerKey, LoadBalancerKind, TargetGroupName};

use super::super::WireError;
use super::refusal::No;
use crate::fake::{ListenerState, World, validate};

/// The most target groups that all routes of a load balancer name.
const MOST_TARGET_GROUPS: usize = 100;

/// Checks what a route of a load balancer that exists is to do.
pub(super) fn check(
    world: &World,
    key: &ListenerKey,
    protocol: &str,
    actions: &Actions,
) -> Result<(), No> {
    let balancer = &world.load_balancers[&key.load_balancer];
    let only_forwards = balancer.kind != LoadBalancerKind::Application;
    let is_other = |action: &Action| match action {
        Action::Forward(_) => false,
        Action::Other(carried) => carried.value()["type"] != "forward",
    };
    if only_forwards && actions.as_slice().iter().any(is_other) {
        let message =
            "The action type must be 'forward' for load balancers that are not application ones";
        return Err(WireError::new("InvalidLoadBalancerAction", message).into());
    }
    validate::actions(world, key, protocol, actions)?;
    let routes = balancer.listeners.values().flat_map(ListenerState::routes);
    let of_routes = routes.filter_map(|(_, actions)| actions.forward());
    let forwards = of_routes.chain(actions.forward());
    let names: BTreeSet<&TargetGroupName> =
        forwards.flat_map(|forward| forward.weights().keys()).collect();
    if names.len() > MOST_TARGET_GROUPS {
        let message = format!(
            "You have reached the maximum of {MOST_TARGET_GROUPS} unique target groups of a load balancer"
        );
        return Err(WireError::new("TooManyUniqueTargetGroupsPerLoadBalancer", message).into());
    }
    Ok(())
}
