use super::Overtaken;
use crate::model::{
    Color, EnvironmentName, ImageId, LaunchSource, ListenerKey, LoadBalancerName, PortRange, RunId,
    ScalingGroupName, TargetGroupName,
};
use crate::transaction::PlanError;

/// Why an operation is not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The environment has one colour only.
    #[error("environment `{0}` is not upgraded: it has one colour only")]
    NotUpgraded(EnvironmentName),
    /// The live routes disagree about which colour is live.
    #[error("environment `{0}` is split: its live routes do not agree on one colour")]
    Split(EnvironmentName),
    /// The colour to be stopped serves.
    #[error("{color} is the live colour of `{environment}`: it serves requests")]
    IsLive {
        /// The environment.
        environment: EnvironmentName,
        /// The colour.
        color: Color,
    },
    /// A configured environment could not be read: nobody knows what it claims.
    #[error("nothing may be deleted while environment `{environment}` cannot be read: {why}")]
    Unread {
        /// The environment.
        environment: EnvironmentName,
        /// Why it cannot be read.
        why: String,
    },
    /// Somebody changed what a run left, so that it cannot be taken back.
    #[error("what run {run} left was changed since")]
    Overtaken {
        /// The run.
        run: RunId,
        /// What was changed.
        overtaken: Vec<Overtaken>,
    },
    /// The live routes were split before a run, and would be again.
    #[error("environment `{0}` was split before that run, and would be again")]
    SplitBefore(EnvironmentName),
    /// A group would follow a floating version again that has moved on.
    #[error(
        "scaling group `{group}` serves with version {pinned}, and {launch} means another by now"
    )]
    FloatMoved {
        /// The group.
        group: ScalingGroupName,
        /// What it would follow.
        launch: LaunchSource,
        /// The number that it launches now.
        pinned: u64,
    },
    /// The cloud is deleting a group.
    #[error("scaling group `{0}` is being deleted")]
    Deleting(ScalingGroupName),
    /// A service manages a group and refuses everybody else's changes.
    #[error("scaling group `{group}` is managed by `{operator}`, which refuses our changes")]
    Managed {
        /// The group.
        group: ScalingGroupName,
        /// The service.
        operator: String,
    },
    /// Instances of a group are being replaced.
    #[error("an instance refresh of scaling group `{group}` is under way ({state})")]
    Refreshing {
        /// The group.
        group: ScalingGroupName,
        /// The state of the refresh.
        state: String,
    },
    /// A clone would not be the same.
    #[error("scaling group `{group}` has what a clone cannot carry yet: {}", features.join(", "))]
    Uncarried {
        /// The group.
        group: ScalingGroupName,
        /// What it has, by name.
        features: Vec<String>,
    },
    /// Somebody suspended or set what this version does not know.
    #[error("scaling group `{group}` has what this version does not know: {}", members.join(", "))]
    Unknown {
        /// The group.
        group: ScalingGroupName,
        /// What it has, by name.
        members: Vec<String>,
    },
    /// The load balancer is of a kind that is not handled yet.
    #[error("load balancer `{name}` is not an application load balancer, but {kind}")]
    LoadBalancerKind {
        /// The load balancer.
        name: LoadBalancerName,
        /// Its kind.
        kind: String,
    },
    /// A target group is of a kind that is not handled yet.
    #[error("target group `{name}` cannot be cloned: {reason}")]
    TargetGroupKind {
        /// The target group.
        name: TargetGroupName,
        /// What about it.
        reason: String,
    },
    /// A name would be longer than the cloud allows.
    #[error("the {what} name `{name}` would have {length} characters, and {limit} are allowed", length = name.len())]
    NameTooLong {
        /// What is named.
        what: &'static str,
        /// The name.
        name: String,
        /// How long it may be.
        limit: usize,
    },
    /// Something that is not ours has the name that is needed.
    #[error("{what} `{name}` exists and is not of this environment")]
    NameTaken {
        /// What is named.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is no port for an idle listener.
    #[error(
        "load balancer `{load_balancer}` has no {needed} free and closed ports in {range}: {why}"
    )]
    NoIdlePort {
        /// The load balancer.
        load_balancer: LoadBalancerName,
        /// How many are needed.
        needed: usize,
        /// Where they were looked for.
        range: PortRange,
        /// What is in the way.
        why: String,
    },
    /// A target group of a colour has no idle listener to keep it checked.
    #[error("target group `{0}` has no idle listener: nothing would check it while it is idle")]
    NoIdleListener(TargetGroupName),
    /// A listener is in the way.
    #[error("listener `{0}` is on an idle port, but is no idle listener of this environment")]
    ForeignListener(ListenerKey),
    /// Nothing can be deployed to a group of this kind.
    #[error("scaling group `{group}` launches from {launch}, which cannot be deployed to yet")]
    LaunchKind {
        /// The group.
        group: ScalingGroupName,
        /// What it launches from.
        launch: LaunchSource,
    },
    /// There is no such image.
    #[error("image `{0}` does not exist, or is not ready to be launched")]
    NoImage(ImageId),
    /// There is no such launch source.
    #[error("`{0}` does not exist")]
    NoLaunchSource(LaunchSource),
    /// The size asked for is none.
    #[error("the live colour has size 0, and no `--size` says how many machines are wanted")]
    NoSize,
    /// A mistake of this program: the stages do not make a plan.
    #[error("the plan is inconsistent")]
    Inconsistent(#[source] PlanError),
}

impl Refusal {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotUpgraded(name) => format!("run `bluegreen upgrade {name}` first"),
            Self::Split(name) => format!(
                "look at `bluegreen status {name}`, then send all traffic to one colour with \
                 `bluegreen switch {name} --to COLOR`"
            ),
            Self::IsLive { environment, .. } => {
                format!("switch first: `bluegreen switch {environment}`")
            }
            Self::Unread { environment, .. } => format!(
                "`bluegreen status {environment}` must work first; if it is gone for good, take it \
                 out of the configuration"
            ),
            Self::Overtaken { .. } => {
                "take those changes back first, newest run first, or leave the run as it is"
                    .to_owned()
            }
            Self::SplitBefore(name) => {
                format!("choose a colour instead: `bluegreen switch {name} --to COLOR`")
            }
            Self::FloatMoved { .. } => {
                "the next machine of the live colour would be another one: leave it pinned"
                    .to_owned()
            }
            Self::Deleting(_) => "wait until it is gone, then look again".to_owned(),
            Self::Managed { operator, .. } => {
                format!("ask for the change where `{operator}` is run")
            }
            Self::Refreshing { .. } => "wait for it to end, or cancel it".to_owned(),
            Self::Uncarried { .. } => {
                "nothing is stripped silently: remove it from the group, or wait for a version \
                 that carries it"
                    .to_owned()
            }
            Self::Unknown { .. } => {
                "take a newer version, or go on with `--ignore-unknown`: the clone will lack it"
                    .to_owned()
            }
            Self::LoadBalancerKind { .. } | Self::TargetGroupKind { .. } => {
                "this version handles application load balancers and instance targets over HTTP"
                    .to_owned()
            }
            Self::NameTooLong { .. } => {
                "set a shorter `green_suffix` in the environment's configuration".to_owned()
            }
            Self::NameTaken { .. } => {
                "rename or delete it, or set another `green_suffix` in the environment's \
                 configuration"
                    .to_owned()
            }
            Self::NoIdlePort { .. } => {
                "widen `idle_ports` in the environment's configuration, or close the ports in the \
                 load balancer's security groups"
                    .to_owned()
            }
            Self::NoIdleListener(_) | Self::ForeignListener(_) => {
                "check `idle_ports` in the environment's configuration against the load \
                 balancer's listeners"
                    .to_owned()
            }
            Self::LaunchKind { .. } => {
                "launch from a launch template or a launch configuration".to_owned()
            }
            Self::NoImage(_) | Self::NoLaunchSource(_) => {
                "check the name, the account and the region".to_owned()
            }
            Self::NoSize => "give the size with `--size`".to_owned(),
            Self::Inconsistent(_) => "this is a mistake in bluegreen: please report it".to_owned(),
        }
    }
}
