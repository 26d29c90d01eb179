use std::fmt;

use serde::{Deserialize, Serialize};

use super::InstanceId;

/// What a load balancer thinks of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    /// The target; an id that is no instance of the colour's group is a stray.
    pub target: InstanceId,
    /// The port of the target.
    pub port: u16,
    /// The state.
    pub state: HealthState,
    /// Why, in the provider's words, where it says so.
    pub reason: Option<String>,
}

/// The states of a target, in the words of the load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Registering, or before its first checks.
    Initial,
    /// Passes its checks.
    Healthy,
    /// Fails its checks.
    Unhealthy,
    /// Deregistered, and finishing its connections.
    Draining,
    /// Not checked: no route names its target group, or it does not run.
    Unused,
    /// Unknown to the load balancer itself, or a state that is new to this version.
    Unavailable,
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Draining => "draining",
            Self::Unused => "unused",
            Self::Unavailable => "unavailable",
        })
    }
}
