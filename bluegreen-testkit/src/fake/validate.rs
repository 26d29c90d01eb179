//! What a load balancer accepts as the actions of a route.

use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{
    Action, Actions, Forward, ListenerKey, LoadBalancerKind, LoadBalancerName, Opaque,
    TargetGroupName, TargetGroupSettings,
};

use super::refusal::{not_found, rejected};
use super::world::World;

const MOST_TARGET_GROUPS: usize = 5;
const HEAVIEST: u32 = 999;
const LONGEST_STICKINESS: u32 = 604_800;

/// Checks what a route is to do.
///
/// The load balancer must exist.
pub(super) fn actions(
    world: &World,
    method: &str,
    listener: &ListenerKey,
    protocol: &str,
    actions: &Actions,
) -> Result<(), CloudError> {
    let no = |why: &str| Err(rejected(method, listener, why));
    let Some((last, others)) = actions.as_slice().split_last() else {
        return no("there is no action");
    };
    if !ends_a_request(last) || others.iter().any(ends_a_request) {
        return no("exactly the last action must forward, redirect or answer");
    }
    if let Some(forward) = actions.forward() {
        weights(world, method, listener, forward)?;
        for name in forward.weights().keys() {
            attachment(world, method, listener, protocol, name)?;
        }
    }
    Ok(())
}

/// An action without a type of its own is taken for one that answers.
fn ends_a_request(action: &Action) -> bool {
    match action {
        Action::Forward(_) => true,
        Action::Other(opaque) => !kind(opaque).starts_with("authenticate") && kind(opaque) != "jwt",
    }
}

fn kind(opaque: &Opaque) -> &str {
    opaque.value()["type"].as_str().unwrap_or_default()
}

fn weights(
    world: &World,
    method: &str,
    listener: &ListenerKey,
    forward: &Forward,
) -> Result<(), CloudError> {
    let no = |why: &str| Err(rejected(method, listener, why));
    if forward.weights().len() > MOST_TARGET_GROUPS {
        return no("a forward names at most 5 target groups");
    }
    if forward.weights().values().any(|weight| *weight > HEAVIEST) {
        return no("a weight is at most 999");
    }
    let seconds = forward.stickiness().and_then(|stickiness| stickiness.seconds);
    if seconds.is_some_and(|seconds| seconds == 0 || seconds > LONGEST_STICKINESS) {
        return no("stickiness lasts 1 to 604800 seconds");
    }
    let settings = |name| world.target_groups.get(name);
    let sticky = forward.weights().keys().filter_map(settings).any(is_sticky);
    if sticky && forward.weights().len() > 1 && forward.stickiness().is_none() {
        return no("a target group is sticky and the forward is not");
    }
    Ok(())
}

fn is_sticky(settings: &TargetGroupSettings) -> bool {
    settings.details.value()["stickiness"].as_bool().unwrap_or(false)
}

fn attachment(
    world: &World,
    method: &str,
    listener: &ListenerKey,
    protocol: &str,
    name: &TargetGroupName,
) -> Result<(), CloudError> {
    let Some(settings) = world.target_groups.get(name) else {
        return Err(not_found(method, name));
    };
    let elsewhere = |balancer: &LoadBalancerName| *balancer != listener.load_balancer;
    let references = world.references();
    if references.get(name).is_some_and(|balancers| balancers.iter().any(elsewhere)) {
        return Err(rejected(method, name, "a target group belongs to one load balancer"));
    }
    if !carries(world, listener, protocol, settings) {
        let why = format!("a {protocol} listener cannot forward to {}", settings.protocol);
        return Err(rejected(method, name, &why));
    }
    Ok(())
}

/// Returns whether a listener of that protocol can send to such a target group.
fn carries(
    world: &World,
    listener: &ListenerKey,
    protocol: &str,
    settings: &TargetGroupSettings,
) -> bool {
    let to = settings.protocol.as_str();
    let newer =
        matches!(settings.details.value()["protocol_version"].as_str(), Some("HTTP2" | "GRPC"));
    match world.load_balancers[&listener.load_balancer].kind {
        LoadBalancerKind::Application => {
            matches!(to, "HTTP" | "HTTPS") && (!newer || protocol == "HTTPS")
        }
        LoadBalancerKind::Network => match protocol {
            "TCP" => matches!(to, "TCP" | "TCP_UDP"),
            "TLS" => matches!(to, "TCP" | "TLS"),
            "UDP" => matches!(to, "UDP" | "TCP_UDP"),
            other => other == to,
        },
        _ => true,
    }
}

/// Returns whether a load balancer of that kind listens by that protocol.
pub(super) fn listens(kind: LoadBalancerKind, protocol: &str) -> bool {
    match kind {
        LoadBalancerKind::Application => matches!(protocol, "HTTP" | "HTTPS"),
        LoadBalancerKind::Network => matches!(protocol, "TCP" | "TLS" | "UDP" | "TCP_UDP"),
        _ => protocol == "GENEVE",
    }
}

/// Returns whether AWS takes such a name for a target group.
pub(super) fn is_target_group_name(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let dashed = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    (1..=32).contains(&name.len()) && name.chars().all(allowed) && !dashed
}
