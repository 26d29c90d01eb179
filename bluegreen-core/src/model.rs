//! Plain data: what a cloud holds, and what an environment is.
//!
//! Nothing here waits or does I/O. Resources are named by *natural keys*: by
//! what stays the same when a resource is made again, so that plans and
//! journals can be read by people and replayed after a restore.

mod environment;
mod fitting;
mod forward;
mod health;
mod health_strategy;
mod hold;
mod id;
mod launch;
mod limits;
mod load_balancer;
mod opaque;
mod permission;
mod quota;
mod scaling_group;
mod scaling_policy;
mod tag;
mod target_group;
mod timestamp;
mod traffic;

pub use environment::{Color, Colors, Environment, Liveness, Member, Pair, Side};
pub use fitting::{Fitting, FittingKey, UnknownFitting};
pub use forward::{Action, Actions, Forward, InvalidForward, Stickiness};
pub use health::{HealthState, TargetHealth};
pub use health_strategy::{HealthStrategy, RuleSettings, TEST_HEADER, TestMatch, TestRule};
pub use hold::Hold;
pub use id::{
    AccountId, AlarmName, EnvironmentName, ImageId, InstanceId, LaunchConfigurationName,
    LaunchTemplateName, LoadBalancerName, PolicyName, RunId, ScalingGroupName, ScheduleName,
    TargetGroupName,
};
pub use launch::{LaunchEdit, LaunchSource, Mark, TemplateSettings, TemplateVersion, UserData};
pub use limits::{BalancerLimits, Limits};
pub use load_balancer::{
    Listener, ListenerKey, ListenerSettings, LoadBalancer, LoadBalancerKind, ParsePortRangeError,
    PortRange, Route, RouteKey,
};
pub use opaque::Opaque;
pub use permission::{Estate, Evidence, Permission, PermissionVerdict};
pub use quota::{Quota, QuotaKind};
pub use scaling_group::{
    Capacity, GroupTag, Instance, Lifecycle, Process, ScalingGroup, ScalingGroupSettings,
};
pub use scaling_policy::{Alarm, Dimension, DimensionValue, Policy, PolicyKey, Schedule};
pub use tag::{ResourceKey, Tags, tag_key};
pub use target_group::{TargetGroup, TargetGroupSettings};
pub use timestamp::Timestamp;
pub use traffic::{Quiet, Requests};
