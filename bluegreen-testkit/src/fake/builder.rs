//! Worlds are put together by hand here, without the checks of a cloud.

use std::time::Duration;

use bluegreen_core::model::{
    Actions, Alarm, Fitting, ImageId, LaunchConfigurationName, LaunchSource, LaunchTemplateName,
    ListenerKey, LoadBalancerKind, LoadBalancerName, Opaque, Policy, Process, ScalingGroupName,
    ScalingGroupSettings, Schedule, Tags, TargetGroupName, TargetGroupSettings, TemplateVersion,
};
use serde_json::json;

use super::world::{
    LaunchData, ListenerState, LoadBalancerState, RuleState, ScalingGroupState, TemplateState,
    VersionState, World,
};

impl World {
    /// Adds an image that can be launched.
    #[must_use]
    pub fn with_image(mut self, image: &str) -> Self {
        self.images.insert(ImageId::new(image));
        self
    }

    /// Adds a load balancer whose security group opens no port.
    #[must_use]
    pub fn with_load_balancer(mut self, name: &str, kind: LoadBalancerKind) -> Self {
        let balancer = LoadBalancerState {
            kind,
            deletion_protection: false,
            tags: [].into(),
            openings: [].into(),
            shut: [].into(),
            guarded: true,
            listeners: [].into(),
        };
        self.load_balancers.insert(LoadBalancerName::new(name), balancer);
        self
    }

    /// Lets the outside reach a port of a load balancer.
    ///
    /// # Panics
    ///
    /// If the world has no such load balancer.
    #[must_use]
    pub fn with_opening(mut self, load_balancer: &str, port: u16, opening: &str) -> Self {
        self.balancer(load_balancer).openings.insert(port, opening.to_owned());
        self
    }

    /// Lets network ACLs shut a port of a load balancer.
    ///
    /// # Panics
    ///
    /// If the world has no such load balancer.
    #[must_use]
    pub fn with_shut_port(mut self, load_balancer: &str, port: u16) -> Self {
        self.balancer(load_balancer).shut.insert(port);
        self
    }

    /// Takes the security groups from a load balancer, so that every port is open.
    ///
    /// # Panics
    ///
    /// If the world has no such load balancer.
    #[must_use]
    pub fn without_security_group(mut self, load_balancer: &str) -> Self {
        self.balancer(load_balancer).guarded = false;
        self
    }

    /// Adds a listener.
    ///
    /// # Panics
    ///
    /// If the world has no such load balancer.
    #[must_use]
    pub fn with_listener(
        mut self,
        load_balancer: &str,
        port: u16,
        protocol: &str,
        actions: Actions,
    ) -> Self {
        let tls = match protocol {
            "HTTPS" | "TLS" => Opaque::new(json!({"certificate": "arn:aws:acm:certificate/web"})),
            _ => Opaque::default(),
        };
        let listener = ListenerState {
            protocol: protocol.to_owned(),
            actions,
            rules: [].into(),
            tags: [].into(),
            tls,
        };
        self.balancer(load_balancer).listeners.insert(port, listener);
        self
    }

    /// Adds a rule that takes the requests for a path named after its priority.
    ///
    /// # Panics
    ///
    /// If the world has no such listener.
    #[must_use]
    pub fn with_rule(
        mut self,
        load_balancer: &str,
        port: u16,
        priority: u32,
        actions: Actions,
    ) -> Self {
        let key = ListenerKey::new(LoadBalancerName::new(load_balancer), port);
        let path = format!("/{priority}/*");
        let conditions = Opaque::new(json!([{"field": "path-pattern", "values": [path]}]));
        let listener = self.listener_mut(&key).expect("a rule is added to a listener of the world");
        listener.rules.insert(priority, RuleState { conditions, actions, tags: [].into() });
        self
    }

    /// Adds a target group of instances that serve HTTP on `port`.
    #[must_use]
    pub fn with_target_group(self, name: &str, port: u16) -> Self {
        self.with_target_group_settings(name, target_group(port, "HTTP"))
    }

    /// Adds a target group.
    #[must_use]
    pub fn with_target_group_settings(mut self, name: &str, settings: TargetGroupSettings) -> Self {
        self.target_groups.insert(TargetGroupName::new(name), settings);
        self
    }

    /// Adds a launch template with one version per image, the first being its default; the
    /// images are added with it.
    #[must_use]
    pub fn with_template(mut self, name: &str, images: &[&str]) -> Self {
        let versions = (1..).zip(images).map(|(number, image)| {
            (number, VersionState { data: LaunchData::of(*image), mark: None })
        });
        let template =
            TemplateState { versions: versions.collect(), default: 1, tags: Tags::new() };
        self.templates.insert(LaunchTemplateName::new(name), template);
        images.iter().fold(self, |world, image| world.with_image(image))
    }

    /// Adds a launch configuration; its image is added with it.
    #[must_use]
    pub fn with_launch_configuration(mut self, name: &str, image: &str) -> Self {
        self.configurations.insert(LaunchConfigurationName::new(name), LaunchData::of(image));
        self.with_image(image)
    }

    /// Adds a scaling group.
    #[must_use]
    pub fn with_scaling_group(mut self, name: &str, settings: ScalingGroupSettings) -> Self {
        self.scaling_groups.insert(ScalingGroupName::new(name), settings.into());
        self
    }

    /// Adds a policy to a scaling group.
    ///
    /// # Panics
    ///
    /// If the world has no such group.
    #[must_use]
    pub fn with_policy(mut self, group: &str, policy: Policy) -> Self {
        self.group(group).policies.insert(policy.name.clone(), policy);
        self
    }

    /// Adds a scheduled action to a scaling group.
    ///
    /// # Panics
    ///
    /// If the world has no such group.
    #[must_use]
    pub fn with_schedule(mut self, group: &str, schedule: Schedule) -> Self {
        self.group(group).schedules.insert(schedule.name.clone(), schedule);
        self
    }

    /// Fits a scaling group with something.
    ///
    /// # Panics
    ///
    /// If the world has no such group.
    #[must_use]
    pub fn with_fitting(mut self, group: &str, fitting: Fitting, value: Opaque) -> Self {
        self.group(group).fittings.insert(fitting, value);
        self
    }

    /// Suspends processes of a scaling group, and no others.
    ///
    /// # Panics
    ///
    /// If the world has no such group.
    #[must_use]
    pub fn with_suspended(
        mut self,
        group: &str,
        processes: impl IntoIterator<Item = Process>,
    ) -> Self {
        self.group(group).suspended = processes.into_iter().collect();
        self
    }

    /// Adds an alarm.
    #[must_use]
    pub fn with_alarm(mut self, alarm: Alarm) -> Self {
        self.alarms.insert(alarm.name.clone(), alarm);
        self
    }

    fn balancer(&mut self, name: &str) -> &mut LoadBalancerState {
        let balancer = self.load_balancers.get_mut(&LoadBalancerName::new(name));
        balancer.expect("the load balancer is added before what belongs to it")
    }

    fn group(&mut self, name: &str) -> &mut ScalingGroupState {
        let group = self.scaling_groups.get_mut(&ScalingGroupName::new(name));
        group.expect("the scaling group is added before what belongs to it")
    }
}

impl From<ScalingGroupSettings> for ScalingGroupState {
    /// Makes the group that the settings describe, with nothing that scales it.
    fn from(settings: ScalingGroupSettings) -> Self {
        let ScalingGroupSettings {
            launch,
            capacity,
            target_groups,
            tags,
            details,
            uncarried,
            // A group that is made does not get what nobody knows.
            unknown: _,
        } = settings;
        Self {
            capacity,
            launch,
            target_groups,
            tags,
            details,
            uncarried,
            unknown: vec![],
            fittings: [].into(),
            suspended: [].into(),
            operator: None,
            policies: [].into(),
            schedules: [].into(),
        }
    }
}

/// Makes the settings of a target group of instances.
pub fn target_group(port: u16, protocol: &str) -> TargetGroupSettings {
    TargetGroupSettings {
        port,
        protocol: protocol.to_owned(),
        deregistration_delay: Duration::from_mins(1),
        details: Opaque::new(json!({
            "target_type": "instance",
            "protocol_version": "HTTP1",
            "vpc": "vpc-0a",
            "health_check": {"protocol": protocol, "path": "/health", "interval": 10},
        })),
        tags: [].into(),
        sticky: false,
    }
}

/// Names a version of a launch template by its number.
pub fn template(name: &str, version: u64) -> LaunchSource {
    LaunchSource::Template {
        template: LaunchTemplateName::new(name),
        version: TemplateVersion::Number(version),
    }
}
