//! How Auto Scaling says no.

use std::error::Error as _;
use std::fmt::Display;

use bluegreen_core::cloud::{CloudError, CloudErrorKind};
use bluegreen_core::model::ScalingGroupName;

use super::WireError;

/// Refuses a request that is not valid, which is nearly every refusal of Auto Scaling.
pub(super) fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("ValidationError", message)
}

pub(super) fn unknown_group(name: &ScalingGroupName) -> WireError {
    invalid(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"))
}

pub(super) fn pending_delete() -> WireError {
    invalid("The AutoScaling group may not be modified while it is pending delete")
}

pub(super) fn exists(name: &ScalingGroupName) -> WireError {
    let message = format!(
        "AutoScalingGroup by this name already exists - A group with the name {name} already exists"
    );
    WireError::new("AlreadyExists", message)
}

pub(super) fn exists_pending_delete(name: &ScalingGroupName) -> WireError {
    let message = format!(
        "AutoScalingGroup by this name already exists - A group with the name {name} already exists \
         and is pending delete. Please wait until Autoscaling completes the deletion process before \
         creating another group with the same name."
    );
    WireError::new("AlreadyExists", message)
}

/// Refuses what only the service that manages a group may do.
pub(super) fn operated(name: &ScalingGroupName, operator: &str) -> WireError {
    let message = format!("The AutoScalingGroup {name} is managed by {operator}");
    WireError::new("AccessDenied", message).with_status(403)
}

pub(super) fn out_of_range(name: &str, least: impl Display, most: impl Display) -> WireError {
    invalid(format!("{name} must have a value between {least} and {most}"))
}

pub(super) fn unknown_token() -> WireError {
    WireError::new("InvalidNextToken", "The token is not valid")
}

/// Says what the fake's own rules say; most of them are checked with AWS's words before.
pub(super) fn refused(error: &CloudError) -> WireError {
    let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.kind() {
        CloudErrorKind::Denied => WireError::new("AccessDenied", why).with_status(403),
        CloudErrorKind::Busy => {
            let message = "You already have a pending update to an Auto Scaling resource";
            WireError::new("ResourceContention", message).with_status(500)
        }
        CloudErrorKind::NotFound => invalid(format!("{} not found", error.resource())),
        _ => invalid(why),
    }
}
