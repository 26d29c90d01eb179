//! What must hold before a run goes on: pure verdicts over what was observed.
//!
//! There is one judgement of health, used wherever health matters: every
//! instance of the group healthy in every target group of its colour, *n of n*
//! with *n* > 0, read twice. `unused` is not healthy; a target that is no
//! instance of the group is a stray and is never counted.

mod drained;
mod health;
mod quiet;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};

pub use health::{HealthCount, health};

use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    Quiet, RouteKey, ScalingGroup, ScalingGroupName, TargetGroupName, TargetHealth,
};
use crate::transaction::{Gate, Patience, Verdict};

/// Something that must hold before a run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CloudGate {
    /// Every instance of a colour is healthy in every target group of it.
    Healthy {
        /// The colour.
        side: SideKey,
        /// The colour that it must not be smaller than, counted in healthy instances.
        than: Option<SideKey>,
        /// How long to wait for that.
        patience: Patience,
    },
    /// A group has no instances any more.
    Empty {
        /// The group.
        group: ScalingGroupName,
        /// How long to wait for that.
        patience: Patience,
    },
    /// No route sends requests to a colour, none of its targets is draining, it has been so for
    /// long enough that old connections are done, and the cloud measured no requests to it.
    Drained {
        /// The target groups of the colour.
        target_groups: Vec<TargetGroupName>,
        /// The live routes of the environment.
        routes: Vec<RouteKey>,
        /// For how long it must be waited yet.
        rest: Duration,
        /// For how long it must have had no requests; not asked by runs of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quiet: Option<Quiet>,
        /// How long to wait for that.
        patience: Patience,
    },
}

/// Names a colour's resources, for a look at them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideKey {
    /// Its scaling group.
    pub group: ScalingGroupName,
    /// Its target groups.
    pub target_groups: Vec<TargetGroupName>,
}

/// A colour, freshly looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) group: ScalingGroup,
    pub(crate) targets: Vec<(TargetGroupName, Vec<TargetHealth>)>,
}

impl SideKey {
    /// Looks at the group and at every target group at the same time.
    async fn look(&self, cloud: &dyn Cloud) -> Result<Sight, CloudError> {
        let groups = cloud.scaling_groups(std::slice::from_ref(&self.group));
        let targets = target_health(cloud, &self.target_groups);
        let (groups, targets) = try_join(groups, targets).await?;
        let group = groups.into_iter().next().ok_or_else(|| {
            CloudError::new(CloudErrorKind::NotFound, "looking at the scaling group", &self.group)
        })?;
        Ok(Sight { group, targets })
    }
}

/// Reads the load balancer's view of every target group, all at the same time.
pub(crate) async fn target_health(
    cloud: &dyn ReadCloud,
    names: &[TargetGroupName],
) -> Result<Vec<(TargetGroupName, Vec<TargetHealth>)>, CloudError> {
    let looks = names
        .iter()
        .map(|name| async move { Ok((name.clone(), cloud.target_health(name).await?)) });
    try_join_all(looks).await
}

#[async_trait]
impl Gate for CloudGate {
    type World = dyn Cloud;
    type Error = CloudError;

    fn patience(&self) -> Patience {
        match self {
            Self::Healthy { patience, .. }
            | Self::Empty { patience, .. }
            | Self::Drained { patience, .. } => *patience,
        }
    }

    async fn look(&self, cloud: &dyn Cloud, waited: Duration) -> Result<Verdict, CloudError> {
        match self {
            Self::Healthy { side, than: None, .. } => {
                Ok(health::verdict(&health::of(&side.look(cloud).await?), None))
            }
            Self::Healthy { side, than: Some(than), .. } => {
                let (side, than) = try_join(side.look(cloud), than.look(cloud)).await?;
                Ok(health::verdict(&health::of(&side), Some(&health::of(&than))))
            }
            Self::Empty { group, .. } => {
                let found = cloud.scaling_groups(std::slice::from_ref(group)).await?;
                let left = found.first().map_or(0, |group| group.instances.len());
                Ok(drained::empty(left))
            }
            Self::Drained { target_groups, routes, rest, quiet, .. } => {
                let targets = target_health(cloud, target_groups);
                let (routes, targets) = try_join(cloud.routes(routes), targets).await?;
                match (drained::verdict(&routes, &targets, *rest, waited), quiet) {
                    // Measures are asked for last: they lag, and cost more than other reads.
                    (Verdict::Pass(drained), Some(quiet)) => {
                        let requests = cloud.requests(target_groups, quiet.window).await?;
                        Ok(quiet::verdict(target_groups, &requests, *quiet, drained))
                    }
                    (verdict, _) => Ok(verdict),
                }
            }
        }
    }
}

impl fmt::Display for CloudGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy { side, than: None, .. } => {
                write!(f, "every instance of {} is healthy", side.group)
            }
            Self::Healthy { side, than: Some(than), .. } => {
                let (group, than) = (&side.group, &than.group);
                write!(f, "every instance of {group} is healthy, and they are as many as in {than}")
            }
            Self::Empty { group, .. } => write!(f, "{group} has no instances"),
            Self::Drained { target_groups, quiet, .. } => {
                let names: Vec<_> = target_groups.iter().map(ToString::to_string).collect();
                let names = names.join(" and ");
                match quiet.map(|quiet| quiet.window.as_secs()) {
                    Some(time) => write!(f, "{names} idle, drained, no requests for {time} s"),
                    None => write!(f, "{names} idle and drained"),
                }
            }
        }
    }
}
