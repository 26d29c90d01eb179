//! The closed list of changes that can be made to a cloud, each with its inverse.
//!
//! There is no change that deletes a load balancer, a live listener or a rule
//! that takes requests, and none that cannot be undone.

mod describe;
mod edit;
mod fitting;
mod guard;
mod hold;
mod launch;
mod load_balancer;
mod look;
mod scaling_group;
mod scaling_policy;
mod tags;
mod target_group;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use edit::Edit;
pub use launch::MarkedVersion;
pub(crate) use look::look;
pub use tags::ImageNote;

use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    Actions, Alarm, AlarmName, Capacity, FittingKey, Hold, LaunchConfigurationName, LaunchEdit,
    LaunchSource, ListenerKey, ListenerSettings, LoadBalancerName, Opaque, Policy, PolicyKey,
    Process, ResourceKey, RouteKey, RuleSettings, ScalingGroupName, ScalingGroupSettings, Schedule,
    ScheduleName, TargetGroupName, TargetGroupSettings, TemplateSettings, UserData,
};
use crate::transaction::{Change, Failure, Fields, Position, Reversibility, Severity};
use edit::EditKind;

/// One reversible edit of a cloud. Absent is a value like any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CloudChange {
    /// What a route does with requests.
    Route(Edit<RouteKey, Actions>),
    /// An idle listener.
    Listener(Edit<ListenerKey, Option<ListenerSettings>>),
    /// A test rule.
    Rule(Edit<RouteKey, Option<RuleSettings>>),
    /// Whether the cloud refuses to delete a load balancer.
    DeletionProtection(Edit<LoadBalancerName, bool>),
    /// A target group.
    TargetGroup(Edit<TargetGroupName, Option<TargetGroupSettings>>),
    /// A scaling group.
    ScalingGroup(Edit<ScalingGroupName, Option<ScalingGroupSettings>>),
    /// How many machines a group is to have.
    Capacity(Edit<ScalingGroupName, Capacity>),
    /// What a group starts its next machines from.
    Launch(Edit<ScalingGroupName, LaunchSource>),
    /// Which of the named processes of a group are suspended.
    Processes(Edit<ScalingGroupName, BTreeMap<Process, bool>>),
    /// Who hears of a group, what is measured of it, its warm pool, its protection from deletion.
    Fitting(Edit<FittingKey, Option<Opaque>>),
    /// A scaling policy.
    Policy(Edit<PolicyKey, Option<Policy>>),
    /// A scheduled action.
    Schedule(Edit<(ScalingGroupName, ScheduleName), Option<Schedule>>),
    /// An alarm that sets off scaling policies.
    Alarm(Edit<AlarmName, Option<Alarm>>),
    /// A version of a launch template.
    TemplateVersion(Edit<MarkedVersion, Option<LaunchEdit>>),
    /// A launch template, made from a launch configuration.
    LaunchTemplate(Edit<MarkedVersion, Option<TemplateSettings>>),
    /// A launch configuration.
    LaunchConfiguration(Edit<LaunchConfigurationName, Option<LaunchEdit>>),
    /// The tags that are named, and no others.
    Tags(Edit<ResourceKey, BTreeMap<String, Option<String>>>),
    /// Which image a group's launch source stands for, noted on the group.
    Image(Edit<ScalingGroupName, Option<ImageNote>>),
    /// Which run holds a group while it is idle, noted on the group.
    Hold(Edit<ScalingGroupName, Option<Hold>>),
}

/// Does the same to the edit of every variant.
macro_rules! each {
    ($change:expr, $edit:ident => $body:expr) => {
        match $change {
            CloudChange::Route($edit) => $body,
            CloudChange::Listener($edit) => $body,
            CloudChange::Rule($edit) => $body,
            CloudChange::DeletionProtection($edit) => $body,
            CloudChange::TargetGroup($edit) => $body,
            CloudChange::ScalingGroup($edit) => $body,
            CloudChange::Capacity($edit) => $body,
            CloudChange::Launch($edit) => $body,
            CloudChange::Processes($edit) => $body,
            CloudChange::Fitting($edit) => $body,
            CloudChange::Policy($edit) => $body,
            CloudChange::Schedule($edit) => $body,
            CloudChange::Alarm($edit) => $body,
            CloudChange::TemplateVersion($edit) => $body,
            CloudChange::LaunchTemplate($edit) => $body,
            CloudChange::LaunchConfiguration($edit) => $body,
            CloudChange::Tags($edit) => $body,
            CloudChange::Image($edit) => $body,
            CloudChange::Hold($edit) => $body,
        }
    };
}

/// How long it takes, roughly, to make a call and see its effect.
const CALL: Duration = Duration::from_secs(2);
/// How long it takes, roughly, until machines have started and are healthy, or are drained and gone.
const MACHINES: Duration = Duration::from_mins(5);

impl CloudChange {
    fn kind(&self) -> &dyn EditKind {
        each!(self, edit => edit)
    }

    /// Returns whether the change takes away what the cloud would make again only under another
    /// number or address.
    fn loses_identity(&self) -> bool {
        match self {
            Self::Listener(edit) => edit.after.is_none(),
            Self::Rule(edit) => edit.after.is_none(),
            Self::TargetGroup(edit) => edit.after.is_none(),
            Self::ScalingGroup(edit) => edit.after.is_none(),
            Self::Policy(edit) => edit.after.is_none(),
            Self::TemplateVersion(edit) => edit.after.is_none(),
            Self::LaunchTemplate(edit) => edit.after.is_none(),
            Self::LaunchConfiguration(edit) => edit.after.is_none(),
            _ => false,
        }
    }

    /// Reads from a cloud that can only be read the value that is there now.
    pub(crate) async fn find_in(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        self.kind().find(cloud).await
    }
}

#[async_trait]
impl Change for CloudChange {
    type World = dyn Cloud;
    type Error = CloudError;

    fn resource(&self) -> String {
        self.kind().resource()
    }

    fn inverse(&self) -> Self {
        let mut inverse = self.clone();
        each!(&mut inverse, edit => std::mem::swap(&mut edit.before, &mut edit.after));
        inverse
    }

    fn follows(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Route(one), Self::Route(last)) => one.before == last.after,
            (Self::Listener(one), Self::Listener(last)) => one.before == last.after,
            (Self::Rule(one), Self::Rule(last)) => one.before == last.after,
            (Self::DeletionProtection(one), Self::DeletionProtection(last)) => {
                one.before == last.after
            }
            (Self::TargetGroup(one), Self::TargetGroup(last)) => one.before == last.after,
            (Self::ScalingGroup(one), Self::ScalingGroup(last)) => one.before == last.after,
            (Self::Capacity(one), Self::Capacity(last)) => one.before == last.after,
            (Self::Launch(one), Self::Launch(last)) => one.before == last.after,
            (Self::Processes(one), Self::Processes(last)) => one.before == last.after,
            (Self::Fitting(one), Self::Fitting(last)) => one.before == last.after,
            (Self::Policy(one), Self::Policy(last)) => one.before == last.after,
            (Self::Schedule(one), Self::Schedule(last)) => one.before == last.after,
            (Self::Alarm(one), Self::Alarm(last)) => one.before == last.after,
            (Self::TemplateVersion(one), Self::TemplateVersion(last)) => one.before == last.after,
            (Self::LaunchTemplate(one), Self::LaunchTemplate(last)) => one.before == last.after,
            (Self::LaunchConfiguration(one), Self::LaunchConfiguration(last)) => {
                one.before == last.after
            }
            (Self::Tags(one), Self::Tags(last)) => one.before == last.after,
            (Self::Image(one), Self::Image(last)) => one.before == last.after,
            (Self::Hold(one), Self::Hold(last)) => one.before == last.after,
            _ => false,
        }
    }

    fn reversibility(&self) -> Reversibility {
        match self {
            Self::Capacity(edit) if edit.after.desired < edit.before.desired => {
                Reversibility::Equivalent
            }
            _ if self.loses_identity() => Reversibility::Equivalent,
            _ => Reversibility::Exact,
        }
    }

    fn undo_time(&self) -> Duration {
        match self {
            Self::Capacity(_) => MACHINES,
            // The cloud takes its time to let go of it.
            Self::ScalingGroup(_) => Duration::from_secs(30),
            _ => CALL,
        }
    }

    fn before(&self) -> Fields {
        self.kind().values().0
    }

    fn after(&self) -> Fields {
        self.kind().values().1
    }

    fn redacted(&self) -> Self {
        let mut change = self.clone();
        let edits = match &mut change {
            Self::TemplateVersion(Edit { before, after, .. })
            | Self::LaunchConfiguration(Edit { before, after, .. }) => {
                [before.as_mut(), after.as_mut()]
            }
            Self::LaunchTemplate(Edit { before, after, .. }) => {
                [before, after].map(|one| one.as_mut().map(|settings| &mut settings.version))
            }
            _ => [None, None],
        };
        for edit in edits.into_iter().flatten() {
            edit.user_data = edit.user_data.take().map(UserData::redacted);
        }
        change
    }

    async fn find(&self, cloud: &Self::World) -> Result<Fields, CloudError> {
        self.find_in(cloud).await
    }

    async fn observe(changes: &[&Self], cloud: &Self::World) -> Vec<Result<Position, CloudError>> {
        look(changes, cloud).await
    }

    async fn apply(&self, cloud: &Self::World) -> Result<(), CloudError> {
        guard::check(self, cloud).await?;
        self.kind().apply(cloud).await
    }
}

impl fmt::Display for CloudChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().describe(f)
    }
}

impl Failure for CloudError {
    fn severity(&self) -> Severity {
        match self.kind() {
            CloudErrorKind::Busy => Severity::Busy,
            CloudErrorKind::NotFound | CloudErrorKind::Denied | CloudErrorKind::Rejected => {
                Severity::Refused
            }
            CloudErrorKind::Credentials => Severity::Hopeless,
            CloudErrorKind::OutcomeUnknown => Severity::Unknown,
        }
    }
}
