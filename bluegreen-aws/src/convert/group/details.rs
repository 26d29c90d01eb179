use std::collections::BTreeMap;

use aws_sdk_autoscaling::operation::create_auto_scaling_group::builders::CreateAutoScalingGroupInputBuilder;
use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::{
    LaunchSource, ScalingGroupName, ScalingGroupSettings, TargetGroupName,
};
use serde::{Deserialize, Serialize};

use super::super::{ConvertError, number, opaque};
use super::{read, uncarried, write_version};

/// The keys that AWS keeps for itself: no request may have one.
const RESERVED_TAG_PREFIX: &str = "aws:";

/// How the ARN of the role ends that AWS takes if none is named.
const DEFAULT_ROLE: &str = "/AWSServiceRoleForAutoScaling";

/// What belongs to a group but stands in answers of their own.
#[derive(Debug, Default)]
pub(crate) struct Related {
    pub(crate) hooks: Vec<sdk::LifecycleHook>,
    pub(crate) notifications: Vec<sdk::NotificationConfiguration>,
}

/// What the core does not reason about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    vpc_zone_identifier: Option<String>,
    /// Only of a group that names no subnets: they imply the zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    availability_zones: Vec<String>,
    health_check_type: Option<String>,
    health_check_grace_period: Option<i32>,
    default_cooldown: Option<i32>,
    default_instance_warmup: Option<i32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    termination_policies: Vec<String>,
    service_linked_role: Option<String>,
    max_instance_lifetime: Option<i32>,
    capacity_rebalance: Option<bool>,
    maintenance: Option<Maintenance>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<Hook>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Maintenance {
    min_healthy_percentage: Option<i32>,
    max_healthy_percentage: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hook {
    name: Option<String>,
    transition: Option<String>,
    default_result: Option<String>,
    heartbeat_timeout: Option<i32>,
    notification_target: Option<String>,
    notification_metadata: Option<String>,
    role: Option<String>,
}

/// Reads what would make a scaling group again.
pub(crate) fn read_settings(
    group: &sdk::AutoScalingGroup,
    related: &Related,
) -> Result<ScalingGroupSettings, ConvertError> {
    let known = read(group)?;
    let mut tags = known.tags;
    tags.retain(|key, _| !key.starts_with(RESERVED_TAG_PREFIX));
    Ok(ScalingGroupSettings {
        launch: known.launch,
        capacity: known.capacity,
        target_groups: known.target_groups,
        tags,
        details: opaque::pack(&details(group, &related.hooks))?,
        uncarried: uncarried::list(group, related),
    })
}

fn details(group: &sdk::AutoScalingGroup, hooks: &[sdk::LifecycleHook]) -> Details {
    let text = |value: Option<&str>| value.filter(|one| !one.is_empty()).map(str::to_owned);
    let subnets = text(group.vpc_zone_identifier());
    let zones = if subnets.is_some() { &[] } else { group.availability_zones() };
    let mut hooks: Vec<Hook> = hooks.iter().map(Hook::read).collect();
    // The order in which AWS lists them means nothing.
    hooks.sort_by(|one, other| one.name.cmp(&other.name));
    Details {
        vpc_zone_identifier: subnets,
        availability_zones: zones.to_vec(),
        health_check_type: text(group.health_check_type()),
        health_check_grace_period: group.health_check_grace_period(),
        default_cooldown: group.default_cooldown(),
        // -1 and 0 say that there is none.
        default_instance_warmup: group.default_instance_warmup().filter(|one| *one >= 0),
        termination_policies: group.termination_policies().to_vec(),
        service_linked_role: text(group.service_linked_role_arn())
            .filter(|role| !role.ends_with(DEFAULT_ROLE)),
        max_instance_lifetime: group.max_instance_lifetime().filter(|one| *one > 0),
        capacity_rebalance: group.capacity_rebalance().filter(|on| *on),
        maintenance: group.instance_maintenance_policy().and_then(Maintenance::read),
        hooks,
    }
}

impl Maintenance {
    fn read(policy: &sdk::InstanceMaintenancePolicy) -> Option<Self> {
        // -1 says that there is none.
        let set = |value: Option<i32>| value.filter(|one| *one >= 0);
        let min_healthy_percentage = set(policy.min_healthy_percentage());
        let max_healthy_percentage = set(policy.max_healthy_percentage());
        (min_healthy_percentage.is_some() || max_healthy_percentage.is_some())
            .then_some(Self { min_healthy_percentage, max_healthy_percentage })
    }

    fn write(self) -> sdk::InstanceMaintenancePolicy {
        sdk::InstanceMaintenancePolicy::builder()
            .set_min_healthy_percentage(self.min_healthy_percentage)
            .set_max_healthy_percentage(self.max_healthy_percentage)
            .build()
    }
}

impl Hook {
    /// The global timeout follows from the heartbeat and cannot be set.
    fn read(hook: &sdk::LifecycleHook) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        Self {
            name: text(hook.lifecycle_hook_name()),
            transition: text(hook.lifecycle_transition()),
            default_result: text(hook.default_result()),
            heartbeat_timeout: hook.heartbeat_timeout(),
            notification_target: text(hook.notification_target_arn()),
            notification_metadata: text(hook.notification_metadata()),
            role: text(hook.role_arn()),
        }
    }

    fn write(self) -> sdk::LifecycleHookSpecification {
        sdk::LifecycleHookSpecification::builder()
            .set_lifecycle_hook_name(self.name)
            .set_lifecycle_transition(self.transition)
            .set_default_result(self.default_result)
            .set_heartbeat_timeout(self.heartbeat_timeout)
            .set_notification_target_arn(self.notification_target)
            .set_notification_metadata(self.notification_metadata)
            .set_role_arn(self.role)
            .build()
    }
}

/// Writes the request that makes a group: everything goes into one call.
pub(crate) fn write(
    name: &ScalingGroupName,
    settings: &ScalingGroupSettings,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<CreateAutoScalingGroupInputBuilder, ConvertError> {
    let details: Details = opaque::unpack(&settings.details)?;
    let hooks = details.hooks.into_iter().map(Hook::write);
    let request = CreateAutoScalingGroupInputBuilder::default()
        .auto_scaling_group_name(name.as_str())
        .min_size(number("min", settings.capacity.min)?)
        .desired_capacity(number("desired", settings.capacity.desired)?)
        .max_size(number("max", settings.capacity.max)?)
        .set_target_group_arns(target_groups(settings, arns)?)
        .set_tags(tags(name, settings))
        .set_vpc_zone_identifier(details.vpc_zone_identifier)
        .set_availability_zones(filled(details.availability_zones))
        .set_health_check_type(details.health_check_type)
        .set_health_check_grace_period(details.health_check_grace_period)
        .set_default_cooldown(details.default_cooldown)
        .set_default_instance_warmup(details.default_instance_warmup)
        .set_termination_policies(filled(details.termination_policies))
        .set_service_linked_role_arn(details.service_linked_role)
        .set_max_instance_lifetime(details.max_instance_lifetime)
        .set_capacity_rebalance(details.capacity_rebalance)
        .set_instance_maintenance_policy(details.maintenance.map(Maintenance::write))
        .set_lifecycle_hook_specification_list(filled(hooks.collect()));
    launch(request, &settings.launch)
}

fn launch(
    request: CreateAutoScalingGroupInputBuilder,
    launch: &LaunchSource,
) -> Result<CreateAutoScalingGroupInputBuilder, ConvertError> {
    match launch {
        LaunchSource::Template { template, version } => Ok(request.launch_template(
            sdk::LaunchTemplateSpecification::builder()
                .launch_template_name(template.as_str())
                .version(write_version(version)?)
                .build(),
        )),
        LaunchSource::Configuration(name) => Ok(request.launch_configuration_name(name.as_str())),
        other => Err(ConvertError::Unknown { what: "launch source", value: other.to_string() }),
    }
}

fn target_groups(
    settings: &ScalingGroupSettings,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<Option<Vec<String>>, ConvertError> {
    let arn = |name: &TargetGroupName| {
        arns.get(name)
            .cloned()
            .ok_or_else(|| ConvertError::Unknown { what: "target group", value: name.to_string() })
    };
    Ok(filled(settings.target_groups.iter().map(arn).collect::<Result<_, _>>()?))
}

fn tags(name: &ScalingGroupName, settings: &ScalingGroupSettings) -> Option<Vec<sdk::Tag>> {
    let tags = settings.tags.iter().filter(|(key, _)| !key.starts_with(RESERVED_TAG_PREFIX));
    filled(
        tags.map(|(key, tag)| {
            sdk::Tag::builder()
                .resource_id(name.as_str())
                .resource_type("auto-scaling-group")
                .key(key)
                .value(&tag.value)
                .propagate_at_launch(tag.propagate)
                .build()
        })
        .collect(),
    )
}

/// AWS refuses empty lists.
fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
