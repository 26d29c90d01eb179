use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    AlarmName, LoadBalancerName, Opaque, PolicyName, ScalingGroupName, ScheduleName,
    TargetGroupName,
};

/// Names a scaling policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyKey {
    /// The group that it scales.
    pub group: ScalingGroupName,
    /// Its name within the group.
    pub policy: PolicyName,
}

impl fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.policy)
    }
}

/// A rule by which a group changes its own size.
///
/// Natural keys stand where the provider has identifiers, so that a clone can
/// be made by naming other resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name within its group.
    pub name: PolicyName,
    /// The load balancer and target group whose requests it counts, if it does.
    pub counts_requests_of: Option<(LoadBalancerName, TargetGroupName)>,
    /// Everything else about it.
    pub details: Opaque,
    /// The alarms that set it off and that are *ours to make*: none for target tracking, whose
    /// alarms the cloud makes and owns. Read only: a put ignores it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmName>,
    /// Why a clone cannot carry it yet, if so. A put refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncarried: Option<String>,
}

/// A metric alarm that sets off scaling policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name.
    pub name: AlarmName,
    /// What the metric is narrowed to.
    pub dimensions: Vec<Dimension>,
    /// The policies that it sets off when it goes into the alarm state.
    pub sets_off: Vec<PolicyKey>,
    /// Everything else about it.
    pub details: Opaque,
    /// Why a clone cannot carry it yet, if so. A put refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncarried: Option<String>,
}

/// One dimension of a metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// Its name, as the provider spells it.
    pub name: String,
    /// Its value.
    pub value: DimensionValue,
}

/// The value of a dimension, by natural key where it names a resource of the environment's kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DimensionValue {
    /// A scaling group.
    ScalingGroup(ScalingGroupName),
    /// A target group.
    TargetGroup(TargetGroupName),
    /// A load balancer.
    LoadBalancer(LoadBalancerName),
    /// The requests that a target group gets from a load balancer.
    Requests(LoadBalancerName, TargetGroupName),
    /// Anything else, as it stands.
    Literal(String),
}

/// Something that changes a group's size at a time of the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name within its group.
    pub name: ScheduleName,
    /// When, and to what.
    pub details: Opaque,
}
