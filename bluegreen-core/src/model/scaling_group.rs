use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    AccountId, EnvironmentName, Hold, InstanceId, LaunchSource, Opaque, RunId, ScalingGroupName,
    TargetGroupName, Timestamp, tag_key,
};

/// A scaling group, as far as the core reasons about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalingGroup {
    /// Its name.
    pub name: ScalingGroupName,
    /// The account that owns it, as the cloud says.
    pub account: AccountId,
    /// How many machines it is to have.
    pub capacity: Capacity,
    /// What it starts machines from.
    pub launch: LaunchSource,
    /// The machines it has, in whatever state.
    pub instances: Vec<Instance>,
    /// The target groups in which it registers its machines.
    pub target_groups: BTreeSet<TargetGroupName>,
    /// The processes that somebody suspended, as far as the core knows them.
    pub suspended: BTreeSet<Process>,
    /// Its tags.
    pub tags: BTreeMap<String, GroupTag>,
    /// Whether the cloud is deleting it.
    pub deleting: bool,
    /// The service that manages it, which refuses everybody else's changes.
    pub operator: Option<String>,
}

impl ScalingGroup {
    /// Returns the value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(|tag| tag.value.as_str())
    }

    /// Returns the environment that the group says it belongs to.
    pub fn environment(&self) -> Option<EnvironmentName> {
        self.tag(tag_key::ENVIRONMENT).map(EnvironmentName::new)
    }

    /// Returns the run that made the group, if one did.
    pub fn made_by(&self) -> Option<RunId> {
        self.tag(tag_key::RUN).map(RunId::new)
    }

    /// Returns who holds the group while it is idle, if somebody does.
    pub fn hold(&self) -> Option<Hold> {
        self.tag(tag_key::HOLD).and_then(Hold::read)
    }

    /// Returns whether it has no machines and wants none.
    pub fn is_stopped(&self) -> bool {
        self.capacity == Capacity::ZERO && self.instances.is_empty()
    }

    /// Returns how many machines are in service.
    pub fn in_service(&self) -> usize {
        self.instances.iter().filter(|one| one.lifecycle == Lifecycle::InService).count()
    }
}

/// How many machines a group is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Never fewer.
    pub min: u32,
    /// As many as this just now.
    pub desired: u32,
    /// Never more.
    pub max: u32,
}

impl Capacity {
    /// Makes a capacity.
    pub const fn new(min: u32, desired: u32, max: u32) -> Self {
        Self { min, desired, max }
    }

    /// The capacity of a group that is to have no machines.
    pub const ZERO: Self = Self::new(0, 0, 0);
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (min {}, max {})", self.desired, self.min, self.max)
    }
}

/// A machine of a scaling group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Where it stands in its life.
    pub lifecycle: Lifecycle,
    /// Whether the group thinks it healthy; says nothing about the load balancer's view.
    pub healthy: bool,
    /// Whether it stays when its group shrinks.
    pub protected: bool,
    /// Since when it runs, where the provider says so.
    pub launched: Option<Timestamp>,
}

/// Where a machine stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    /// Starting.
    Pending,
    /// Started and registered; *not* necessarily passing the load balancer's checks.
    InService,
    /// Leaving.
    Terminating,
    /// Anything else: standby, detached, warmed.
    Other,
}

/// A process of a scaling group that can be suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Process {
    /// Acting on alarms, that is on scaling policies.
    AlarmNotification,
    /// Acting on the clock.
    ScheduledActions,
    /// Starting machines.
    Launch,
    /// Ending machines.
    Terminate,
    /// Registering machines in target groups.
    AddToLoadBalancer,
    /// Spreading machines over zones.
    #[serde(rename = "AZRebalance")]
    AzRebalance,
    /// Checking machines.
    HealthCheck,
    /// Replacing all machines, one after the other.
    InstanceRefresh,
    /// Replacing unhealthy machines.
    ReplaceUnhealthy,
}

impl Process {
    /// Every process that there is.
    pub const ALL: [Self; 9] = [
        Self::AlarmNotification,
        Self::ScheduledActions,
        Self::Launch,
        Self::Terminate,
        Self::AddToLoadBalancer,
        Self::AzRebalance,
        Self::HealthCheck,
        Self::InstanceRefresh,
        Self::ReplaceUnhealthy,
    ];

    /// What is suspended on the idle colour, since no traffic would shrink it.
    pub const HELD_ON_IDLE: [Self; 2] = [Self::AlarmNotification, Self::ScheduledActions];

    /// Returns the name that AWS gives it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlarmNotification => "AlarmNotification",
            Self::ScheduledActions => "ScheduledActions",
            Self::Launch => "Launch",
            Self::Terminate => "Terminate",
            Self::AddToLoadBalancer => "AddToLoadBalancer",
            Self::AzRebalance => "AZRebalance",
            Self::HealthCheck => "HealthCheck",
            Self::InstanceRefresh => "InstanceRefresh",
            Self::ReplaceUnhealthy => "ReplaceUnhealthy",
        }
    }

    /// Returns the process of a name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A tag of a scaling group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTag {
    /// The value.
    pub value: String,
    /// Whether machines get it as they are launched.
    pub propagate: bool,
}

/// Everything that a clone of a scaling group is created with.
///
/// Policies, schedules and alarms are resources of their own and are not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalingGroupSettings {
    /// What it starts machines from.
    pub launch: LaunchSource,
    /// How many machines it is to have.
    pub capacity: Capacity,
    /// The target groups in which it registers its machines.
    pub target_groups: BTreeSet<TargetGroupName>,
    /// Its tags, without those that the cloud reserves for itself.
    pub tags: BTreeMap<String, GroupTag>,
    /// Subnets, health checks, grace, cooldown, warm-up, termination policies, lifecycle hooks.
    pub details: Opaque,
    /// What the group has that a clone cannot carry yet, by name. A create refuses if there is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncarried: Vec<String>,
    /// What the group has that this version does not know, by name. A create leaves it out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}
