use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LoadBalancerName, Opaque, Tags, TargetGroupName};

/// A target group, as far as the core reasons about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGroup {
    /// Its name.
    pub name: TargetGroupName,
    /// The port on which its targets serve.
    pub port: u16,
    /// The protocol as the provider spells it, such as `HTTP`.
    pub protocol: String,
    /// The version of the protocol where there is one: `HTTP1`, `HTTP2`, `GRPC`.
    pub protocol_version: Option<String>,
    /// What a target is, as the provider spells it: `instance`, `ip`, `lambda`, `alb`.
    pub target_type: String,
    /// The load balancers that refer to it.
    pub load_balancers: BTreeSet<LoadBalancerName>,
}

/// Everything that makes a target group what it is, for a clone.
///
/// Two settings are equal if the groups behave alike and carry the same tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupSettings {
    /// The port on which its targets serve.
    pub port: u16,
    /// The protocol as the provider spells it.
    pub protocol: String,
    /// For how long connections to a leaving target may go on.
    pub deregistration_delay: Duration,
    /// Network, kind of target, health check and every other attribute.
    pub details: Opaque,
    /// Its tags.
    pub tags: Tags,
    /// Whether clients stay with the target that they were sent to first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sticky: bool,
}
