use std::fmt;

use serde::{Deserialize, Serialize};

/// How much there may be of something, and how much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Of what.
    pub of: QuotaKind,
    /// How much there may be.
    pub limit: u64,
    /// How much there is, where the cloud counts it.
    pub used: Option<u64>,
}

/// What there may only be so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuotaKind {
    /// Scaling groups of an account and region.
    ScalingGroups,
    /// Launch configurations of an account and region.
    LaunchConfigurations,
    /// Target groups of an account and region.
    TargetGroups,
    /// Listeners of one application load balancer.
    Listeners,
    /// Target groups of one application load balancer.
    TargetGroupsOfOne,
    /// Targets of one application load balancer, each counted once for every target group.
    Targets,
}

impl fmt::Display for QuotaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ScalingGroups => "scaling groups of the account and region",
            Self::LaunchConfigurations => "launch configurations of the account and region",
            Self::TargetGroups => "target groups of the account and region",
            Self::Listeners => "listeners of one application load balancer",
            Self::TargetGroupsOfOne => "target groups of one application load balancer",
            Self::Targets => "targets of one application load balancer",
        })
    }
}
