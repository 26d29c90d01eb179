use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ListenerKey, LoadBalancerName, ScalingGroupName, TargetGroupName};

/// Tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// The keys of the tags that this tool writes.
pub mod tag_key {
    /// The environment that a resource belongs to.
    pub const ENVIRONMENT: &str = "bluegreen:environment";
    /// The colour of a resource.
    pub const COLOR: &str = "bluegreen:color";
    /// The pair of target groups that a resource belongs to.
    pub const PAIR: &str = "bluegreen:pair";
    /// The run that made a resource; nothing without it is ever deleted.
    pub const RUN: &str = "bluegreen:run";
    /// The image behind a group's launch source, so that `status` need not look it up:
    /// the launch source, a space, the image. Worth nothing if the launch source is another.
    pub const IMAGE: &str = "bluegreen:image";
    /// The capacity that `scaledown` took away: min/desired/max.
    pub const CAPACITY: &str = "bluegreen:capacity";
    /// The run that holds an idle group, and what of it was suspended before that.
    pub const HOLD: &str = "bluegreen:hold";

    /// Returns whether a tag is one that this tool writes, by its key.
    pub fn is_ours(key: &str) -> bool {
        key.starts_with("bluegreen:")
    }
}

/// Names a resource that has tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResourceKey {
    /// A load balancer.
    LoadBalancer(LoadBalancerName),
    /// A listener.
    Listener(ListenerKey),
    /// A target group.
    TargetGroup(TargetGroupName),
    /// A scaling group.
    ScalingGroup(ScalingGroupName),
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadBalancer(name) => write!(f, "load balancer {name}"),
            Self::Listener(key) => write!(f, "listener {key}"),
            Self::TargetGroup(name) => write!(f, "target group {name}"),
            Self::ScalingGroup(name) => write!(f, "scaling group {name}"),
        }
    }
}
