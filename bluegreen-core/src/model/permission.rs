use serde::{Deserialize, Serialize};

use super::{
    AccountId, EnvironmentName, HealthStrategy, LoadBalancerName, ScalingGroupName, TargetGroupName,
};

/// What an environment consists of by name, for whoever is asked what may be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estate {
    /// The environment, as its resources are tagged.
    pub environment: EnvironmentName,
    /// The account that it is in.
    pub account: AccountId,
    /// The scaling group that was there first.
    pub blue: ScalingGroupName,
    /// The scaling group that an upgrade makes.
    pub green: ScalingGroupName,
    /// What the name of everything ends in that an upgrade makes.
    pub green_suffix: String,
    /// How its target groups are kept checked.
    pub health: HealthStrategy,
    /// Its load balancers; none if nobody knows.
    pub load_balancers: Vec<LoadBalancerName>,
    /// The target groups that were there first; none if nobody knows.
    pub target_groups: Vec<TargetGroupName>,
}

/// Whether the caller may do what an operation does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The operation, by the name of its command.
    pub operation: String,
    /// The action, as the provider spells it.
    pub action: String,
    /// Whether the caller may.
    pub verdict: PermissionVerdict,
    /// How that is known.
    pub evidence: Evidence,
}

/// How it is known what a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The provider played it through.
    Simulation,
    /// The caller's policies were read: what else may forbid it is not in them.
    Documents,
}

/// Whether the caller may do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermissionVerdict {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
    /// Nobody could tell, and why.
    Unknown(String),
}
