use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::CloudError;
use crate::model::{
    AccountId, Actions, Alarm, AlarmName, Estate, ImageId, LaunchSource, LaunchTemplateName,
    Limits, Listener, ListenerKey, ListenerSettings, LoadBalancer, LoadBalancerName, Permission,
    Policy, PortRange, Quota, Requests, ResourceKey, Route, RouteKey, RuleSettings, ScalingGroup,
    ScalingGroupName, ScalingGroupSettings, Schedule, Tags, TargetGroup, TargetGroupName,
    TargetGroupSettings, TargetHealth, TemplateVersion,
};

/// Tells who is asking.
#[async_trait]
pub trait ReadIdentity: Debug + Send + Sync {
    /// Returns the account that the credentials belong to.
    async fn account(&self) -> Result<AccountId, CloudError>;

    /// Returns the name that people gave the account, if they did.
    ///
    /// Not everybody may ask: whoever shows it must do without it.
    async fn account_alias(&self) -> Result<Option<String>, CloudError>;
}

/// Tells how much there may be.
#[async_trait]
pub trait ReadQuotas: Debug + Send + Sync {
    /// Returns how much there may be, once for each kind, and how much there is.
    ///
    /// What the cloud does not tell is left out.
    async fn quotas(&self) -> Result<Vec<Quota>, CloudError>;
}

/// Tells what the caller may do.
#[async_trait]
pub trait ReadPermissions: Debug + Send + Sync {
    /// Returns whether the caller may do what operations do, each action by the name of the
    /// operation; what nobody can tell is told as such.
    async fn permissions(&self, estate: &Estate) -> Result<Vec<Permission>, CloudError>;
}

/// Tells what load balancers do with requests.
#[async_trait]
pub trait ReadLoadBalancers: Debug + Send + Sync {
    /// Returns those of `names` that exist.
    async fn load_balancers(
        &self,
        names: &[LoadBalancerName],
    ) -> Result<Vec<LoadBalancer>, CloudError>;

    /// Returns every listener of a load balancer, by port.
    ///
    /// [`NotFound`](super::CloudErrorKind::NotFound) if there is no such load balancer.
    async fn listeners(
        &self,
        load_balancer: &LoadBalancerName,
    ) -> Result<Vec<Listener>, CloudError>;

    /// Returns every rule of a listener but its default action, by priority.
    ///
    /// [`NotFound`](super::CloudErrorKind::NotFound) if there is no such listener.
    async fn rules(&self, listener: &ListenerKey) -> Result<Vec<Route>, CloudError>;

    /// Returns what those of `keys` that exist do now, in as few calls as possible.
    ///
    /// Never answers from a cache.
    async fn routes(&self, keys: &[RouteKey]) -> Result<BTreeMap<RouteKey, Actions>, CloudError>;

    /// Returns what would make a test rule again, tags included.
    ///
    /// `None` if there is no such rule, or if it takes other requests than those with one header.
    async fn rule_settings(&self, rule: &RouteKey) -> Result<Option<RuleSettings>, CloudError>;

    /// Returns how many of a thing the account may have.
    async fn limits(&self) -> Result<Limits, CloudError>;

    /// Returns what would make a listener again, tags included.
    async fn listener_settings(
        &self,
        listener: &ListenerKey,
    ) -> Result<Option<ListenerSettings>, CloudError>;
}

/// Tells what target groups are and how their targets do.
#[async_trait]
pub trait ReadTargetGroups: Debug + Send + Sync {
    /// Returns those of `names` that exist.
    async fn target_groups(
        &self,
        names: &[TargetGroupName],
    ) -> Result<Vec<TargetGroup>, CloudError>;

    /// Returns what would make a target group again.
    async fn target_group_settings(
        &self,
        name: &TargetGroupName,
    ) -> Result<Option<TargetGroupSettings>, CloudError>;

    /// Returns the load balancer's view of every target.
    ///
    /// [`NotFound`](super::CloudErrorKind::NotFound) if there is no such target group.
    async fn target_health(&self, name: &TargetGroupName) -> Result<Vec<TargetHealth>, CloudError>;
}

/// Tells what scaling groups are.
#[async_trait]
pub trait ReadScalingGroups: Debug + Send + Sync {
    /// Returns those of `names` that exist, those being deleted included.
    async fn scaling_groups(
        &self,
        names: &[ScalingGroupName],
    ) -> Result<Vec<ScalingGroup>, CloudError>;

    /// Returns what would make a scaling group again; reserved tags are left out.
    ///
    /// Whatever the group has that a create could not give back is named in
    /// [`uncarried`](ScalingGroupSettings::uncarried); settings at the provider's defaults are
    /// not.
    async fn scaling_group_settings(
        &self,
        name: &ScalingGroupName,
    ) -> Result<Option<ScalingGroupSettings>, CloudError>;

    /// Returns the state of the instance refresh that is under way in a group, if one is.
    async fn instance_refresh(&self, name: &ScalingGroupName)
    -> Result<Option<String>, CloudError>;
}

/// Tells by which rules scaling groups change their own size.
#[async_trait]
pub trait ReadScalingPolicies: Debug + Send + Sync {
    /// Returns every policy of a group, by name.
    async fn policies(&self, group: &ScalingGroupName) -> Result<Vec<Policy>, CloudError>;

    /// Returns every scheduled action of a group that is still to come, by name.
    async fn schedules(&self, group: &ScalingGroupName) -> Result<Vec<Schedule>, CloudError>;
}

/// Tells which alarms set off scaling policies.
#[async_trait]
pub trait ReadAlarms: Debug + Send + Sync {
    /// Returns those of `names` that exist.
    async fn alarms(&self, names: &[AlarmName]) -> Result<Vec<Alarm>, CloudError>;
}

/// Tells what machines are launched from.
#[async_trait]
pub trait ReadLaunch: Debug + Send + Sync {
    /// Returns the image behind each source that exists and that names one, one call per template.
    async fn images(
        &self,
        sources: &[LaunchSource],
    ) -> Result<Vec<(LaunchSource, ImageId)>, CloudError>;

    /// Returns the number that a version has, or that it means now; `None` if there is none.
    async fn template_version(
        &self,
        template: &LaunchTemplateName,
        version: &TemplateVersion,
    ) -> Result<Option<u64>, CloudError>;

    /// Returns whether a launch source exists.
    async fn launch_source_exists(&self, source: &LaunchSource) -> Result<bool, CloudError>;

    /// Returns whether an image exists and can be launched.
    async fn image_exists(&self, image: &ImageId) -> Result<bool, CloudError>;
}

/// Tells who can reach a load balancer.
#[async_trait]
pub trait ReadNetwork: Debug + Send + Sync {
    /// Returns those of `ports` that the network lets the outside reach, each with what opens it.
    ///
    /// Private address ranges and other security groups are not outside. What cannot be told is
    /// taken to be open.
    async fn open_ports(
        &self,
        load_balancer: &LoadBalancerName,
        ports: PortRange,
    ) -> Result<BTreeMap<u16, String>, CloudError>;
}

/// Tells how much traffic there was.
#[async_trait]
pub trait ReadTraffic: Debug + Send + Sync {
    /// Returns how many requests each target group had within the last `window`, health checks
    /// aside.
    ///
    /// What is not measured is left out: a target group whose kind has no such measure, that does
    /// not exist, or of which there is no recent data. It may have had any number. The measure
    /// lags behind by as much as the cloud's does.
    async fn requests(
        &self,
        names: &[TargetGroupName],
        window: Duration,
    ) -> Result<Requests, CloudError>;
}

/// Tells what tags resources have.
#[async_trait]
pub trait ReadTags: Debug + Send + Sync {
    /// Returns the tags of a resource; `None` if it does not exist.
    async fn tags(&self, resource: &ResourceKey) -> Result<Option<Tags>, CloudError>;

    /// Returns every listener, target group and scaling group that carries a tag of this key,
    /// whatever its value, each with all of its tags, by resource.
    ///
    /// All of the account and region, however many there are, in calls that each describe many: no
    /// call is about one target group, one listener or one scaling group. Load balancers and rules
    /// are never listed. What goes away meanwhile may be left out; a group that is being deleted
    /// may be listed for as long as it is seen.
    async fn tagged(&self, key: &str) -> Result<Vec<(ResourceKey, Tags)>, CloudError>;
}
