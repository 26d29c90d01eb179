use super::Overtaken;
use crate::model::{
    Color, EnvironmentName, ImageId, LaunchSource, LaunchTemplateName, ListenerKey,
    LoadBalancerName, PortRange, Process, ResourceKey, RouteKey, RunId, ScalingGroup,
    ScalingGroupName, TargetGroupName,
};
use crate::transaction::PlanError;

/// What to do about a quota.
const MORE: &str = "ask AWS for a higher quota, delete what is not needed any more, or set another \
                    `health` in the environment's configuration";

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
    /// What was there first does not serve, and it is not ours to delete.
    #[error("green is live in `{0}`, and blue, which was there first, is never deleted")]
    GreenIsLive(EnvironmentName),
    /// No run made what would have to be deleted.
    #[error("{0} carries no tag of a run: it is not ours to delete")]
    NotOurs(ResourceKey),
    /// No run made a rule that would have to be deleted.
    #[error("rule {0} carries no tag of a run: it is not ours to delete")]
    RuleNotOurs(RouteKey),
    /// Somebody gave rules to an idle listener.
    #[error("idle listener `{0}` has rules that are not ours and would go with it")]
    Ruled(ListenerKey),
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
    /// Somebody suspended what starts, registers or ends machines: it would be waited for in vain.
    #[error("{process} of scaling group `{group}` is suspended: {effect}")]
    Suspended {
        /// The group.
        group: ScalingGroupName,
        /// What is suspended.
        process: Process,
        /// What would not happen.
        effect: &'static str,
    },
    /// Machines stay when their group shrinks.
    #[error(
        "scaling group `{group}` cannot be stopped: {} protected from scale-in",
        protected.join(", ")
    )]
    Protected {
        /// The group.
        group: ScalingGroupName,
        /// The machines, by id.
        protected: Vec<String>,
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
    #[error("load balancer `{name}` is {kind}, which cannot be switched")]
    LoadBalancerKind {
        /// The load balancer.
        name: LoadBalancerName,
        /// Its kind.
        kind: String,
    },
    /// A network load balancer's ports cannot be closed.
    #[error(
        "network load balancer `{0}` was made without security groups and can never get any: an \
         idle port of it cannot be closed"
    )]
    Unguarded(LoadBalancerName),
    /// A target group is of a kind that is not handled yet.
    #[error("target group `{name}` cannot have a second colour: {reason}")]
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
    /// A target group of a colour has nothing to keep it checked.
    #[error(
        "target group `{0}` has no idle listener, no test rule and no route that keeps it at weight \
         0: nothing would check it while it is idle"
    )]
    NoIdleListener(TargetGroupName),
    /// A network load balancer would close connections.
    #[error(
        "network load balancer `{0}` closes the connections of a target group that gets weight 0"
    )]
    CutsConnections(LoadBalancerName),
    /// Clients stay where they are whatever the weights say.
    #[error("route {route} cannot hold a target group at weight 0: {reason}")]
    Sticky {
        /// The route.
        route: RouteKey,
        /// Why.
        reason: String,
    },
    /// A load balancer cannot tell requests apart.
    #[error("load balancer `{0}` is a network one, which has no rules that look at a header")]
    NoRules(LoadBalancerName),
    /// A quota would be exceeded.
    #[error("{of} has {used} {what} and would need {needed} more; the account allows {limit}")]
    Quota {
        /// What would be exceeded.
        of: String,
        /// Of what there would be too many.
        what: &'static str,
        /// How many there are.
        used: usize,
        /// How many more are needed.
        needed: usize,
        /// How many there may be.
        limit: u32,
    },
    /// A listener is in the way.
    #[error("listener `{0}` is on an idle port, but is no idle listener of this environment")]
    ForeignListener(ListenerKey),
    /// Nobody counts the requests to a target group: it may serve.
    #[error(
        "nothing measures the requests to target group `{0}`, so nobody knows that it has none"
    )]
    Unmeasured(TargetGroupName),
    /// Nothing can be deployed to a group of this kind.
    #[error("scaling group `{group}` launches from {launch}, which cannot be deployed to yet")]
    LaunchKind {
        /// The group.
        group: ScalingGroupName,
        /// What it launches from.
        launch: LaunchSource,
    },
    /// There is nothing to migrate.
    #[error("what would be launched is of launch template `{0}` already")]
    IsTemplate(LaunchTemplateName),
    /// A launch template that is not ours has the name of the one to be made.
    #[error("launch template `{0}` exists")]
    TemplateTaken(LaunchTemplateName),
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
    /// Refuses to deploy to a group that launches from what nobody can edit.
    pub(super) fn launch_kind(group: &ScalingGroup) -> Self {
        Self::LaunchKind { group: group.name.clone(), launch: group.launch.clone() }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        if let Some(hint) = self.hint_about_settings() {
            return hint.to_owned();
        }
        match self {
            Self::NotUpgraded(name) => format!("run `bluegreen upgrade {name}` first"),
            Self::Split(name) => format!(
                "look at `bluegreen status {name}`, then send all traffic to one colour with \
                 `bluegreen switch {name} --to COLOR`"
            ),
            Self::IsLive { environment, .. } => {
                format!("switch first: `bluegreen switch {environment}`")
            }
            Self::GreenIsLive(name) => {
                format!("switch back to blue first: `bluegreen switch {name} --to blue`")
            }
            Self::NotOurs(_) | Self::RuleNotOurs(_) => {
                "delete it by hand if nobody needs it, or tag it with the run that made it"
                    .to_owned()
            }
            Self::Ruled(_) => "move or delete its rules first".to_owned(),
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
            Self::Suspended { group, process, .. } => format!(
                "`aws autoscaling resume-processes --auto-scaling-group-name {group} \
                 --scaling-processes {process}`"
            ),
            Self::Protected { group, protected } => format!(
                "`aws autoscaling set-instance-protection --no-protected-from-scale-in \
                 --auto-scaling-group-name {group} --instance-ids {}`",
                protected.join(" ")
            ),
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
            Self::LoadBalancerKind { .. } => {
                "this version handles application and network load balancers".to_owned()
            }
            Self::TargetGroupKind { .. } => {
                "this version handles target groups of instances, over HTTP, HTTPS, HTTP2, gRPC, \
                 TCP, TLS, UDP and TCP_UDP; take this one off the scaling group to leave it out"
                    .to_owned()
            }
            Self::LaunchKind { .. } => {
                "launch from a launch template or a launch configuration".to_owned()
            }
            Self::IsTemplate(_) => "leave `--to-template` out".to_owned(),
            Self::TemplateTaken(_) => {
                "nothing is added to it: give `--to-template` another name".to_owned()
            }
            Self::NoImage(_) | Self::NoLaunchSource(_) => {
                "check the name, the account and the region".to_owned()
            }
            Self::NoSize => "give the size with `--size`".to_owned(),
            // That the stages do not make a plan; all else has a hint above.
            _ => "this is a mistake in bluegreen: please report it".to_owned(),
        }
    }

    /// Returns what to set in the environment's configuration, where that mends it.
    fn hint_about_settings(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unguarded(_) => {
                "make the load balancer again with a security group, which is decided when it is made, \
                 or set `health = \"weight-zero\"` with `cuts_connections = true` in the \
                 environment's configuration"
            }
            Self::NameTooLong { .. } => {
                "set a shorter `green_suffix` in the environment's configuration"
            }
            Self::NameTaken { .. } => {
                "rename or delete it, or set another `green_suffix` in the environment's \
                 configuration"
            }
            Self::NoIdlePort { .. } => {
                "widen `idle_ports` in the environment's configuration, or close the ports in the \
                 load balancer's security groups"
            }
            Self::NoIdleListener(_) | Self::ForeignListener(_) => {
                "check `idle_ports` in the environment's configuration against the load \
                 balancer's listeners"
            }
            Self::Unmeasured(_) => {
                "if routes, draining targets and the deregistration delay are to be enough, say \
                 `unmeasured = \"quiet\"` in the environment's configuration"
            }
            Self::CutsConnections(_) => {
                "leave `health` at `idle-listener`, or agree to that with `cuts_connections = true` \
                 in the environment's configuration"
            }
            Self::Sticky { .. } | Self::NoRules(_) => {
                "set `health = \"idle-listener\"` in the environment's configuration"
            }
            Self::Quota { .. } => MORE,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
