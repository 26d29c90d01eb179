use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;

use super::CloudError;
use crate::model::{
    Actions, Alarm, AlarmName, Capacity, FittingKey, LaunchConfigurationName, LaunchEdit,
    LaunchSource, LaunchTemplateName, ListenerKey, ListenerSettings, LoadBalancerName, Mark,
    Opaque, Policy, PolicyKey, Process, ResourceKey, RouteKey, RuleSettings, ScalingGroupName,
    ScalingGroupSettings, Schedule, ScheduleName, TargetGroupName, TargetGroupSettings,
    TemplateSettings,
};

/// Changes what load balancers do with requests. Nothing here can delete one.
#[async_trait]
pub trait WriteLoadBalancers: Debug + Send + Sync {
    /// Replaces what a route does, in one call; its conditions, certificates and all else stay.
    ///
    /// [`NotFound`](super::CloudErrorKind::NotFound) if there is no such route.
    async fn set_route(&self, route: &RouteKey, actions: &Actions) -> Result<(), CloudError>;

    /// Makes a listener, its tags with it.
    async fn create_listener(
        &self,
        listener: &ListenerKey,
        settings: &ListenerSettings,
    ) -> Result<(), CloudError>;

    /// Deletes a listener with its rules.
    async fn delete_listener(&self, listener: &ListenerKey) -> Result<(), CloudError>;

    /// Makes a test rule, its tags with it; never replaces one.
    async fn create_rule(&self, rule: &RouteKey, settings: &RuleSettings)
    -> Result<(), CloudError>;

    /// Deletes a rule; refuses one that takes other requests than those with one header.
    async fn delete_rule(&self, rule: &RouteKey) -> Result<(), CloudError>;

    /// Turns deletion protection on or off.
    async fn set_deletion_protection(
        &self,
        load_balancer: &LoadBalancerName,
        on: bool,
    ) -> Result<(), CloudError>;
}

/// Makes and deletes target groups.
#[async_trait]
pub trait WriteTargetGroups: Debug + Send + Sync {
    /// Makes a target group, its tags with it.
    ///
    /// May take more than one call; a repeat finishes one that carries the same tags and is half
    /// made. Never adopts one that carries other tags.
    async fn create_target_group(
        &self,
        name: &TargetGroupName,
        settings: &TargetGroupSettings,
    ) -> Result<(), CloudError>;

    /// Deletes a target group.
    ///
    /// [`Busy`](super::CloudErrorKind::Busy) while a route names it.
    async fn delete_target_group(&self, name: &TargetGroupName) -> Result<(), CloudError>;
}

/// Changes scaling groups.
#[async_trait]
pub trait WriteScalingGroups: Debug + Send + Sync {
    /// Makes a scaling group in one call: tags, hooks and target groups with it.
    ///
    /// [`Busy`](super::CloudErrorKind::Busy) while one of the same name is being deleted;
    /// [`Rejected`](super::CloudErrorKind::Rejected) if one exists, or if the settings have
    /// something that cannot be carried.
    async fn create_scaling_group(
        &self,
        name: &ScalingGroupName,
        settings: &ScalingGroupSettings,
    ) -> Result<(), CloudError>;

    /// Begins to delete a scaling group; never by force.
    ///
    /// [`Busy`](super::CloudErrorKind::Busy) while it has instances or activities. The group may
    /// stay visible for a while, as being deleted.
    async fn delete_scaling_group(&self, name: &ScalingGroupName) -> Result<(), CloudError>;

    /// Asks a group to have other sizes.
    async fn set_capacity(
        &self,
        name: &ScalingGroupName,
        capacity: Capacity,
    ) -> Result<(), CloudError>;

    /// Makes a group launch its next machines from another source; running ones stay.
    ///
    /// The version of a template is a number or floats; a mark must be resolved before.
    async fn set_launch(
        &self,
        name: &ScalingGroupName,
        launch: &LaunchSource,
    ) -> Result<(), CloudError>;

    /// Suspends (`true`) or resumes (`false`) exactly the processes named.
    async fn set_suspended(
        &self,
        name: &ScalingGroupName,
        processes: &BTreeMap<Process, bool>,
    ) -> Result<(), CloudError>;

    /// Fits a group with something, in the place of what there was.
    ///
    /// Whoever hears of a group may be sent a test message, which nothing takes back.
    async fn put_fitting(&self, key: &FittingKey, value: &Opaque) -> Result<(), CloudError>;

    /// Takes away what a group is fitted with.
    async fn remove_fitting(&self, key: &FittingKey) -> Result<(), CloudError>;
}

/// Changes the rules by which scaling groups change their own size.
#[async_trait]
pub trait WriteScalingPolicies: Debug + Send + Sync {
    /// Makes a policy or replaces the one of its name.
    ///
    /// A target group whose requests it counts must be attached to the group.
    async fn put_policy(&self, group: &ScalingGroupName, policy: &Policy)
    -> Result<(), CloudError>;

    /// Deletes a policy.
    async fn delete_policy(&self, policy: &PolicyKey) -> Result<(), CloudError>;

    /// Makes a scheduled action or replaces the one of its name.
    async fn put_schedule(
        &self,
        group: &ScalingGroupName,
        schedule: &Schedule,
    ) -> Result<(), CloudError>;

    /// Deletes a scheduled action.
    async fn delete_schedule(
        &self,
        group: &ScalingGroupName,
        schedule: &ScheduleName,
    ) -> Result<(), CloudError>;
}

/// Changes alarms.
#[async_trait]
pub trait WriteAlarms: Debug + Send + Sync {
    /// Makes an alarm or replaces the one of its name.
    ///
    /// [`NotFound`](super::CloudErrorKind::NotFound) if it names a policy that does not exist.
    async fn put_alarm(&self, alarm: &Alarm) -> Result<(), CloudError>;

    /// Deletes an alarm.
    async fn delete_alarm(&self, alarm: &AlarmName) -> Result<(), CloudError>;
}

/// Makes and deletes what machines are launched from.
#[async_trait]
pub trait WriteLaunch: Debug + Send + Sync {
    /// Makes a version of a template, found again by its mark. A repeat makes no second one.
    async fn create_template_version(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError>;

    /// Deletes the version that carries the mark.
    async fn delete_template_version(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
    ) -> Result<(), CloudError>;

    /// Makes a template whose first version carries the mark, from a launch configuration.
    ///
    /// A repeat is harmless. [`Rejected`](super::CloudErrorKind::Rejected) if another template has
    /// the name, or if the launch configuration has what no template can say.
    async fn create_launch_template(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
        settings: &TemplateSettings,
    ) -> Result<(), CloudError>;

    /// Deletes the template that was made with the mark.
    ///
    /// [`Rejected`](super::CloudErrorKind::Rejected) if somebody has added versions: they would go
    /// with it.
    async fn delete_launch_template(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
    ) -> Result<(), CloudError>;

    /// Makes a launch configuration as an edit of another one.
    async fn create_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError>;

    /// Deletes a launch configuration.
    ///
    /// [`Busy`](super::CloudErrorKind::Busy) while a group launches from it.
    async fn delete_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
    ) -> Result<(), CloudError>;
}

/// Changes tags.
#[async_trait]
pub trait WriteTags: Debug + Send + Sync {
    /// Sets (`Some`) or removes (`None`) exactly the tags named; none reaches a machine.
    async fn set_tags(
        &self,
        resource: &ResourceKey,
        tags: &BTreeMap<String, Option<String>>,
    ) -> Result<(), CloudError>;
}
