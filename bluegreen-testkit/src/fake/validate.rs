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

/// Why a load balancer does not take what a route is to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Objection {
    #[error("there is no action")]
    NoAction,
    #[error("exactly the last action must forward, redirect or answer")]
    WrongEnd,
    #[error("a forward names at most 5 target groups")]
    TooManyTargetGroups,
    #[error("a weight is at most 999")]
    Weight(u32),
    #[error("stickiness lasts 1 to 604800 seconds")]
    Stickiness(u32),
    #[error("a target group is sticky and the forward is not")]
    StickyTargetGroup,
    #[error("`{0}` does not exist")]
    UnknownTargetGroup(TargetGroupName),
    #[error("a target group belongs to one load balancer")]
    Elsewhere(TargetGroupName),
    #[error("a {listener} listener cannot forward to {target}")]
    Protocols { name: TargetGroupName, listener: String, target: String },
}

impl Objection {
    /// Makes the error that a call of the traits ends with.
    pub(super) fn into_error(self, method: &str, listener: &ListenerKey) -> CloudError {
        let why = self.to_string();
        match self {
            Self::UnknownTargetGroup(name) => not_found(method, name),
            Self::Elsewhere(name) | Self::Protocols { name, .. } => rejected(method, name, &why),
            _ => rejected(method, listener, &why),
        }
    }
}

/// Checks what a route is to do.
///
/// The load balancer must exist.
pub(crate) fn actions(
    world: &World,
    listener: &ListenerKey,
    protocol: &str,
    actions: &Actions,
) -> Result<(), Objection> {
    let Some((last, others)) = actions.as_slice().split_last() else {
        return Err(Objection::NoAction);
    };
    if !ends_a_request(last) || others.iter().any(ends_a_request) {
        return Err(Objection::WrongEnd);
    }
    if let Some(forward) = actions.forward() {
        weights(world, forward)?;
        for name in forward.weights().keys() {
            attachment(world, listener, protocol, name)?;
        }
    }
    Ok(())
}

/// An action without a type of its own is taken for one that answers.
fn ends_a_request(action: &Action) -> bool {
    match action {
        Action::Forward(_) => true,
        Action::Other(opaque) => {
            !kind(opaque).starts_with("authenticate") && !kind(opaque).starts_with("jwt")
        }
    }
}

fn kind(opaque: &Opaque) -> &str {
    opaque.value()["type"].as_str().unwrap_or_default()
}

fn weights(world: &World, forward: &Forward) -> Result<(), Objection> {
    if forward.weights().len() > MOST_TARGET_GROUPS {
        return Err(Objection::TooManyTargetGroups);
    }
    if let Some(weight) = forward.weights().values().find(|weight| **weight > HEAVIEST) {
        return Err(Objection::Weight(*weight));
    }
    let seconds = forward.stickiness().and_then(|stickiness| stickiness.seconds);
    if let Some(seconds) = seconds
        && (seconds == 0 || seconds > LONGEST_STICKINESS)
    {
        return Err(Objection::Stickiness(seconds));
    }
    let settings = |name| world.target_groups.get(name);
    let sticky = forward.weights().keys().filter_map(settings).any(is_sticky);
    if sticky && forward.weights().len() > 1 && forward.stickiness().is_none() {
        return Err(Objection::StickyTargetGroup);
    }
    Ok(())
}

/// Returns whether clients stay with the target that they were sent to first.
pub(super) fn is_sticky(settings: &TargetGroupSettings) -> bool {
    let details = settings.details.value();
    details["stickiness"].as_bool().unwrap_or(false)
        || details["attributes"]["stickiness.enabled"] == "true"
}

fn attachment(
    world: &World,
    listener: &ListenerKey,
    protocol: &str,
    name: &TargetGroupName,
) -> Result<(), Objection> {
    let Some(settings) = world.target_groups.get(name) else {
        return Err(Objection::UnknownTargetGroup(name.clone()));
    };
    let elsewhere = |balancer: &LoadBalancerName| *balancer != listener.load_balancer;
    let references = world.references();
    if references.get(name).is_some_and(|balancers| balancers.iter().any(elsewhere)) {
        return Err(Objection::Elsewhere(name.clone()));
    }
    if !carries(world, listener, protocol, settings) {
        return Err(Objection::Protocols {
            name: name.clone(),
            listener: protocol.to_owned(),
            target: settings.protocol.clone(),
        });
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
pub(crate) fn listens(kind: LoadBalancerKind, protocol: &str) -> bool {
    match kind {
        LoadBalancerKind::Application => matches!(protocol, "HTTP" | "HTTPS"),
        LoadBalancerKind::Network => matches!(protocol, "TCP" | "TLS" | "UDP" | "TCP_UDP"),
        _ => protocol == "GENEVE",
    }
}

/// Returns whether AWS takes such a name for a target group.
pub(crate) fn is_target_group_name(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let dashed = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    (1..=32).contains(&name.len()) && name.chars().all(allowed) && !dashed
}
