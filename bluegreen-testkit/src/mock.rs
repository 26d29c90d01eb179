//! A cloud of which every answer is planned, for tests in which one odd reply is the point.
//!
//! Prefer [`FakeCloud`](crate::FakeCloud), and to assert on what its world shows: a mock knows
//! nothing of what a cloud does.

#![expect(clippy::struct_field_names, reason = "the macro names its fields after the traits")]

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::cloud::{
    CloudError, ReadAlarms, ReadIdentity, ReadLaunch, ReadLoadBalancers, ReadNetwork,
    ReadPermissions, ReadQuotas, ReadScalingGroups, ReadScalingPolicies, ReadTags,
    ReadTargetGroups, ReadTraffic, WriteAlarms, WriteLaunch, WriteLoadBalancers,
    WriteScalingGroups, WriteScalingPolicies, WriteTags, WriteTargetGroups,
};
use bluegreen_core::model::{
    AccountId, Actions, Alarm, AlarmName, Capacity, Estate, Fitting, FittingKey, ImageId,
    LaunchConfigurationName, LaunchEdit, LaunchSource, LaunchTemplateName, Limits, Listener,
    ListenerKey, ListenerSettings, LoadBalancer, LoadBalancerName, Mark, Opaque, Permission,
    Policy, PolicyKey, PortRange, Process, Quota, Requests, ResourceKey, Route, RouteKey,
    RuleSettings, ScalingGroup, ScalingGroupName, ScalingGroupSettings, Schedule, ScheduleName,
    Tags, TargetGroup, TargetGroupName, TargetGroupSettings, TargetHealth, TemplateSettings,
    TemplateVersion,
};

mockall::mock! {
    /// A cloud of which every answer is planned with `expect_` and the name of the method.
    pub Cloud {}

    #[async_trait]
    impl ReadIdentity for Cloud {
        async fn account(&self) -> Result<AccountId, CloudError>;
        async fn account_alias(&self) -> Result<Option<String>, CloudError>;
    }

    #[async_trait]
    impl ReadQuotas for Cloud {
        async fn quotas(&self) -> Result<Vec<Quota>, CloudError>;
    }

    #[async_trait]
    impl ReadPermissions for Cloud {
        async fn permissions(&self, estate: &Estate) -> Result<Vec<Permission>, CloudError>;
    }

    #[async_trait]
    impl ReadLoadBalancers for Cloud {
        async fn load_balancers(
            &self,
            names: &[LoadBalancerName],
        ) -> Result<Vec<LoadBalancer>, CloudError>;
        async fn listeners(
            &self,
            load_balancer: &LoadBalancerName,
        ) -> Result<Vec<Listener>, CloudError>;
        async fn rules(&self, listener: &ListenerKey) -> Result<Vec<Route>, CloudError>;
        async fn rule_settings(&self, rule: &RouteKey) -> Result<Option<RuleSettings>, CloudError>;
        async fn limits(&self) -> Result<Limits, CloudError>;
        async fn routes(&self, keys: &[RouteKey]) -> Result<BTreeMap<RouteKey, Actions>, CloudError>;
        async fn listener_settings(
            &self,
            listener: &ListenerKey,
        ) -> Result<Option<ListenerSettings>, CloudError>;
    }

    #[async_trait]
    impl ReadTargetGroups for Cloud {
        async fn target_groups(
            &self,
            names: &[TargetGroupName],
        ) -> Result<Vec<TargetGroup>, CloudError>;
        async fn target_group_settings(
            &self,
            name: &TargetGroupName,
        ) -> Result<Option<TargetGroupSettings>, CloudError>;
        async fn target_health(&self, name: &TargetGroupName) -> Result<Vec<TargetHealth>, CloudError>;
    }

    #[async_trait]
    impl ReadScalingGroups for Cloud {
        async fn scaling_groups(
            &self,
            names: &[ScalingGroupName],
        ) -> Result<Vec<ScalingGroup>, CloudError>;
        async fn scaling_group_settings(
            &self,
            name: &ScalingGroupName,
        ) -> Result<Option<ScalingGroupSettings>, CloudError>;
        async fn fittings(
            &self,
            name: &ScalingGroupName,
        ) -> Result<BTreeMap<Fitting, Opaque>, CloudError>;
        async fn instance_refresh(&self, name: &ScalingGroupName)
        -> Result<Option<String>, CloudError>;
    }

    #[async_trait]
    impl ReadScalingPolicies for Cloud {
        async fn policies(&self, group: &ScalingGroupName) -> Result<Vec<Policy>, CloudError>;
        async fn schedules(&self, group: &ScalingGroupName) -> Result<Vec<Schedule>, CloudError>;
    }

    #[async_trait]
    impl ReadAlarms for Cloud {
        async fn alarms(&self, names: &[AlarmName]) -> Result<Vec<Alarm>, CloudError>;
    }

    #[async_trait]
    impl ReadLaunch for Cloud {
        async fn images(
            &self,
            sources: &[LaunchSource],
        ) -> Result<Vec<(LaunchSource, ImageId)>, CloudError>;
        async fn template_version(
            &self,
            template: &LaunchTemplateName,
            version: &TemplateVersion,
        ) -> Result<Option<u64>, CloudError>;
        async fn launch_source_exists(&self, source: &LaunchSource) -> Result<bool, CloudError>;
        async fn image_exists(&self, image: &ImageId) -> Result<bool, CloudError>;
    }

    #[async_trait]
    impl ReadTraffic for Cloud {
        async fn requests(
            &self,
            names: &[TargetGroupName],
            window: Duration,
        ) -> Result<Requests, CloudError>;
    }

    #[async_trait]
    impl ReadNetwork for Cloud {
        async fn open_ports(
            &self,
            load_balancer: &LoadBalancerName,
            ports: PortRange,
        ) -> Result<BTreeMap<u16, String>, CloudError>;
    }

    #[async_trait]
    impl ReadTags for Cloud {
        async fn tags(&self, resource: &ResourceKey) -> Result<Option<Tags>, CloudError>;
        async fn tagged(&self, key: &str) -> Result<Vec<(ResourceKey, Tags)>, CloudError>;
    }

    #[async_trait]
    impl WriteLoadBalancers for Cloud {
        async fn set_route(&self, route: &RouteKey, actions: &Actions) -> Result<(), CloudError>;
        async fn create_listener(
            &self,
            listener: &ListenerKey,
            settings: &ListenerSettings,
        ) -> Result<(), CloudError>;
        async fn create_rule(
            &self,
            rule: &RouteKey,
            settings: &RuleSettings,
        ) -> Result<(), CloudError>;
        async fn delete_rule(&self, rule: &RouteKey) -> Result<(), CloudError>;
        async fn delete_listener(&self, listener: &ListenerKey) -> Result<(), CloudError>;
        async fn set_deletion_protection(
            &self,
            load_balancer: &LoadBalancerName,
            on: bool,
        ) -> Result<(), CloudError>;
    }

    #[async_trait]
    impl WriteTargetGroups for Cloud {
        async fn create_target_group(
            &self,
            name: &TargetGroupName,
            settings: &TargetGroupSettings,
        ) -> Result<(), CloudError>;
        async fn delete_target_group(&self, name: &TargetGroupName) -> Result<(), CloudError>;
    }

    #[async_trait]
    impl WriteScalingGroups for Cloud {
        async fn create_scaling_group(
            &self,
            name: &ScalingGroupName,
            settings: &ScalingGroupSettings,
        ) -> Result<(), CloudError>;
        async fn delete_scaling_group(&self, name: &ScalingGroupName) -> Result<(), CloudError>;
        async fn set_capacity(
            &self,
            name: &ScalingGroupName,
            capacity: Capacity,
        ) -> Result<(), CloudError>;
        async fn set_launch(
            &self,
            name: &ScalingGroupName,
            launch: &LaunchSource,
        ) -> Result<(), CloudError>;
        async fn set_suspended(
            &self,
            name: &ScalingGroupName,
            processes: &BTreeMap<Process, bool>,
        ) -> Result<(), CloudError>;
        async fn put_fitting(&self, key: &FittingKey, value: &Opaque) -> Result<(), CloudError>;
        async fn remove_fitting(&self, key: &FittingKey) -> Result<(), CloudError>;
    }

    #[async_trait]
    impl WriteScalingPolicies for Cloud {
        async fn put_policy(&self, group: &ScalingGroupName, policy: &Policy)
        -> Result<(), CloudError>;
        async fn delete_policy(&self, policy: &PolicyKey) -> Result<(), CloudError>;
        async fn put_schedule(
            &self,
            group: &ScalingGroupName,
            schedule: &Schedule,
        ) -> Result<(), CloudError>;
        async fn delete_schedule(
            &self,
            group: &ScalingGroupName,
            schedule: &ScheduleName,
        ) -> Result<(), CloudError>;
    }

    #[async_trait]
    impl WriteAlarms for Cloud {
        async fn put_alarm(&self, alarm: &Alarm) -> Result<(), CloudError>;
        async fn delete_alarm(&self, alarm: &AlarmName) -> Result<(), CloudError>;
    }

    #[async_trait]
    impl WriteLaunch for Cloud {
        async fn create_template_version(
            &self,
            template: &LaunchTemplateName,
            mark: &Mark,
            edit: &LaunchEdit,
        ) -> Result<(), CloudError>;
        async fn delete_template_version(
            &self,
            template: &LaunchTemplateName,
            mark: &Mark,
        ) -> Result<(), CloudError>;
        async fn create_launch_template(
            &self,
            template: &LaunchTemplateName,
            mark: &Mark,
            settings: &TemplateSettings,
        ) -> Result<(), CloudError>;
        async fn delete_launch_template(
            &self,
            template: &LaunchTemplateName,
            mark: &Mark,
        ) -> Result<(), CloudError>;
        async fn create_launch_configuration(
            &self,
            name: &LaunchConfigurationName,
            edit: &LaunchEdit,
        ) -> Result<(), CloudError>;
        async fn delete_launch_configuration(
            &self,
            name: &LaunchConfigurationName,
        ) -> Result<(), CloudError>;
    }

    #[async_trait]
    impl WriteTags for Cloud {
        async fn set_tags(
            &self,
            resource: &ResourceKey,
            tags: &BTreeMap<String, Option<String>>,
        ) -> Result<(), CloudError>;
    }
}

impl fmt::Debug for MockCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockCloud").finish_non_exhaustive()
    }
}
