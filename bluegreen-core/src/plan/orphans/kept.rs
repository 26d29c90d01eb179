use crate::model::{EnvironmentName, RouteKey, RunId, ScalingGroupName, TargetGroupName};

/// Why an orphan may not be deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kept {
    /// An environment could not be read, and may claim it.
    #[error("environment `{0}` could not be read, and may claim it")]
    Unread(EnvironmentName),
    /// It names no environment, so that nobody can be asked.
    #[error("its tags name no environment")]
    NoEnvironment,
    /// Another configuration may claim it.
    #[error("environment `{0}` is not configured here, and may be elsewhere")]
    NotConfigured(EnvironmentName),
    /// A run of its environment has not ended.
    #[error("run {run} of `{environment}` has not ended")]
    Open {
        /// The run.
        run: RunId,
        /// The environment.
        environment: EnvironmentName,
    },
    /// Its environment is not configured here, and something of it is in use.
    #[error("`{environment}` is in use: route {route} names {target_group}")]
    InUse {
        /// The environment.
        environment: EnvironmentName,
        /// The route.
        route: RouteKey,
        /// The target group.
        target_group: TargetGroupName,
    },
    /// A route that stays names the target group.
    #[error("route {0} names it")]
    Routed(RouteKey),
    /// A scaling group that stays is attached to the target group.
    #[error("scaling group {0} is attached to it")]
    Attached(ScalingGroupName),
    /// Targets are registered in the target group that no group would register again.
    #[error("targets are registered in it: {0}")]
    Targets(usize),
    /// The listener may serve requests.
    #[error("it may serve requests: {0}")]
    MayServe(String),
    /// The listener keeps a target group checked that has machines.
    #[error("it keeps target group {0} checked, which stays")]
    Needed(TargetGroupName),
    /// The scaling group has machines.
    #[error("it has machines: {0}")]
    Machines(usize),
    /// The scaling group is to have machines.
    #[error("it is to have machines: {0}")]
    Size(u32),
    /// The cloud is deleting the scaling group.
    #[error("it is being deleted")]
    Deleting,
    /// A service manages the scaling group.
    #[error("`{0}` manages it, which refuses our changes")]
    Managed(String),
    /// It could not be made again as it is, so that a rollback could not end well.
    #[error("it could not be made again as it is: {}", .0.join(", "))]
    NotRemade(Vec<String>),
}

impl Kept {
    /// Returns what to do before it can be deleted; `None` if it can only be waited for.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unread(name) => format!("`bluegreen status {name}` tells what is in the way"),
            Self::NoEnvironment | Self::NotRemade(_) => {
                "delete it by hand if nobody needs it".to_owned()
            }
            Self::NotConfigured(name) => {
                format!("if nobody needs it, name it: `bluegreen orphans {name} --delete`")
            }
            Self::Open { run, .. } => format!("run `bluegreen recover {run}`"),
            Self::InUse { .. } => "use the configuration that it is in".to_owned(),
            Self::Routed(_) => "take it out of that route".to_owned(),
            Self::Attached(group) => format!("delete {group} first, or detach it"),
            Self::Targets(_) => "deregister them".to_owned(),
            Self::MayServe(_) => "send no requests there, and close the port".to_owned(),
            Self::Needed(target_group) => {
                format!("do first what target group {target_group} needs")
            }
            Self::Machines(_) | Self::Size(_) => {
                "set its least and its desired size to 0, and wait until its machines are gone"
                    .to_owned()
            }
            Self::Deleting => return None,
            Self::Managed(operator) => format!("ask for it where `{operator}` is run"),
        })
    }
}
