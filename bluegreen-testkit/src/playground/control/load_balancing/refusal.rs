//! What load balancing says no with.

use bluegreen_core::model::TargetGroupName;

use super::super::WireError;
use super::arn::Names;
use crate::fake::validate::Objection;

/// Refuses what is out of range or does not fit together.
pub(super) fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("ValidationError", message)
}

/// Refuses what is not allowed to anybody.
pub(super) fn not_permitted(message: impl Into<String>) -> WireError {
    WireError::new("OperationNotPermitted", message)
}

/// Refuses a combination.
pub(super) fn configuration(message: impl Into<String>) -> WireError {
    WireError::new("InvalidConfigurationRequest", message)
}

pub(super) fn no_load_balancer(arn: &str) -> WireError {
    WireError::new("LoadBalancerNotFound", format!("Load balancer '{arn}' not found"))
}

pub(super) fn no_listener() -> WireError {
    WireError::new("ListenerNotFound", "One or more listeners not found")
}

pub(super) fn no_rule() -> WireError {
    WireError::new("RuleNotFound", "One or more rules not found")
}

pub(super) fn no_target_group() -> WireError {
    WireError::new("TargetGroupNotFound", "One or more target groups not found")
}

/// Says with AWS's codes why a route cannot do what it is told.
pub(super) fn objection(names: &Names<'_>, objection: &Objection) -> WireError {
    let arn = |name: &TargetGroupName| names.target_group(name);
    match objection {
        Objection::NoAction => invalid("You must specify at least one action"),
        Objection::WrongEnd => WireError::new(
            "InvalidLoadBalancerAction",
            "Exactly one of the actions forward, redirect and fixed-response is required, and it must be the last one",
        ),
        Objection::TooManyTargetGroups => WireError::new(
            "TooManyTargetGroups",
            "You cannot specify more than 5 target groups in a forward action",
        ),
        Objection::Weight(weight) => {
            invalid(format!("Target group weight '{weight}' must be between 0 and 999"))
        }
        Objection::Stickiness(seconds) => invalid(format!(
            "Target group stickiness duration '{seconds}' must be between 1 and 604800 seconds"
        )),
        Objection::StickyTargetGroup => configuration(
            "You must enable group-level stickiness on an action with several target groups if stickiness is enabled on one of them",
        ),
        Objection::UnknownTargetGroup(_) => no_target_group(),
        Objection::Elsewhere(name) => WireError::new(
            "TargetGroupAssociationLimit",
            format!(
                "The following target groups cannot be associated with more than one load balancer: {}",
                arn(name)
            ),
        ),
        Objection::Protocols { name, listener, target } => WireError::new(
            "IncompatibleProtocols",
            format!(
                "Target group '{}' with protocol {target} cannot be used by a listener with protocol {listener}",
                arn(name)
            ),
        ),
    }
}

/// A no from within a change, before ARNs are put in.
#[derive(Debug)]
pub(super) enum No {
    Objection(Objection),
    Wire(WireError),
}

impl No {
    /// Says it with AWS's codes.
    pub(super) fn say(self, names: &Names<'_>) -> WireError {
        match self {
            Self::Objection(found) => objection(names, &found),
            Self::Wire(error) => error,
        }
    }
}

impl From<Objection> for No {
    fn from(objection: Objection) -> Self {
        Self::Objection(objection)
    }
}

impl From<WireError> for No {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}
