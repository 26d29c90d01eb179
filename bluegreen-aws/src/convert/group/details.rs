use std::collections::BTreeMap;

use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::{
    LaunchSource, LaunchTemplateName, ScalingGroupName, ScalingGroupSettings, TargetGroupName,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{ConvertError, number, opaque};
use super::{Described, known, read, uncarried, write_version};
use crate::query::{Form, Tree, filled};

/// The keys that AWS keeps for itself: no request may have one.
const RESERVED_TAG_PREFIX: &str = "aws:";

/// How the ARN of the role ends that AWS takes if none is named.
const DEFAULT_ROLE: &str = "/AWSServiceRoleForAutoScaling";

/// What belongs to a group but stands in answers of their own.
#[derive(Debug, Default)]
pub(crate) struct Related {
    pub(crate) hooks: Vec<sdk::LifecycleHook>,
    /// The same as AWS wrote them.
    pub(crate) hook_trees: Vec<Tree>,
    pub(crate) policies: Vec<Tree>,
    pub(crate) schedules: Vec<Tree>,
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
    /// What is carried as AWS wrote it, by the names that AWS gives it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    members: BTreeMap<String, Value>,
}

/// The members that are carried as AWS wrote them.
const MEMBERS: [&str; 7] = [
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "DesiredCapacityType",
    "InstanceLifecyclePolicy",
    "NewInstancesProtectedFromScaleIn",
    "PlacementGroup",
];

/// Returns whether a member says what AWS takes if nothing is said.
fn says_nothing(member: &str, value: &Value) -> bool {
    let is = |path: &str, usual: &str| value.pointer(path).is_none_or(|one| one == usual);
    match member {
        "AvailabilityZoneDistribution" => {
            is("/CapacityDistributionStrategy", "balanced-best-effort")
        }
        "AvailabilityZoneImpairmentPolicy" => is("/ZonalShiftEnabled", "false"),
        "CapacityReservationSpecification" => {
            value.get("CapacityReservationTarget").is_none()
                && is("/CapacityReservationPreference", "default")
        }
        // Says more only where types are chosen by what machines must have, and is refused
        // elsewhere.
        "DesiredCapacityType" => value == "units",
        "InstanceLifecyclePolicy" => is("/RetentionTriggers/TerminateHookAbandon", "terminate"),
        "NewInstancesProtectedFromScaleIn" => value == "false",
        _ => false,
    }
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
    described: &Described,
    related: &Related,
) -> Result<ScalingGroupSettings, ConvertError> {
    let known = read(described)?;
    let mut tags = known.tags;
    tags.retain(|key, _| !key.starts_with(RESERVED_TAG_PREFIX));
    Ok(ScalingGroupSettings {
        launch: known.launch,
        capacity: known.capacity,
        target_groups: known.target_groups,
        tags,
        details: opaque::pack(&details(described, &related.hooks))?,
        uncarried: uncarried::list(&described.group),
        unknown: unknown(described, related),
    })
}

/// Names everything that is newer than this version.
fn unknown(described: &Described, related: &Related) -> Vec<String> {
    let mut unknown = known::unknown_of_group(&described.tree);
    unknown.extend(uncarried::unknown_processes(&described.group));
    unknown.extend(known::unknown_of_hooks(&related.hook_trees));
    unknown.extend(known::unknown_of_policies(&related.policies));
    unknown.extend(known::unknown_of_schedules(&related.schedules));
    unknown
}

fn members(tree: &Tree) -> BTreeMap<String, Value> {
    let carried = MEMBERS.into_iter().filter_map(|name| {
        let value = tree.get(name).filter(|value| !says_nothing(name, value))?;
        Some((name.to_owned(), value.clone()))
    });
    carried.collect()
}

fn details(described: &Described, hooks: &[sdk::LifecycleHook]) -> Details {
    let group = &described.group;
    let text = |value: Option<&str>| filled(value).map(str::to_owned);
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
        members: members(&described.tree),
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

    fn write(&self, form: Form) -> Form {
        let number = |value: Option<i32>| value.map(|one| one.to_string());
        let member = |name| format!("InstanceMaintenancePolicy.{name}");
        form.with_some(&member("MinHealthyPercentage"), number(self.min_healthy_percentage))
            .with_some(&member("MaxHealthyPercentage"), number(self.max_healthy_percentage))
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

    fn write(self, form: Form, index: usize) -> Form {
        let member = |name| format!("LifecycleHookSpecificationList.member.{index}.{name}");
        form.with_some(&member("LifecycleHookName"), self.name)
            .with_some(&member("LifecycleTransition"), self.transition)
            .with_some(&member("DefaultResult"), self.default_result)
            .with_some(
                &member("HeartbeatTimeout"),
                self.heartbeat_timeout.map(|one| one.to_string()),
            )
            .with_some(&member("NotificationTargetARN"), self.notification_target)
            .with_some(&member("NotificationMetadata"), self.notification_metadata)
            .with_some(&member("RoleARN"), self.role)
    }
}

/// Writes the request that makes a group: everything goes into one call.
pub(crate) fn write(
    name: &ScalingGroupName,
    settings: &ScalingGroupSettings,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<Form, ConvertError> {
    let details: Details = opaque::unpack(&settings.details)?;
    let text = |value: Option<i32>| value.map(|one| one.to_string());
    let form = Form::new("CreateAutoScalingGroup")
        .with("AutoScalingGroupName", name.as_str())
        .with("MinSize", number("min", settings.capacity.min)?.to_string())
        .with("DesiredCapacity", number("desired", settings.capacity.desired)?.to_string())
        .with("MaxSize", number("max", settings.capacity.max)?.to_string())
        .with_list("TargetGroupARNs.member", target_groups(settings, arns)?)
        .with_some("VPCZoneIdentifier", details.vpc_zone_identifier)
        .with_list("AvailabilityZones.member", details.availability_zones)
        .with_some("HealthCheckType", details.health_check_type)
        .with_some("HealthCheckGracePeriod", text(details.health_check_grace_period))
        .with_some("DefaultCooldown", text(details.default_cooldown))
        .with_some("DefaultInstanceWarmup", text(details.default_instance_warmup))
        .with_list("TerminationPolicies.member", details.termination_policies)
        .with_some("ServiceLinkedRoleARN", details.service_linked_role)
        .with_some("MaxInstanceLifetime", text(details.max_instance_lifetime))
        .with_some("CapacityRebalance", details.capacity_rebalance.map(|on| on.to_string()));
    let form = write_launch(tags(form, name, settings), &settings.launch)?;
    let form = match details.maintenance {
        Some(maintenance) => maintenance.write(form),
        None => form,
    };
    let hooks = (1..).zip(details.hooks);
    let form = hooks.fold(form, |form, (index, hook)| hook.write(form, index));
    Ok(details.members.iter().fold(form, |form, (name, value)| form.with_tree(name, value)))
}

/// Writes what a group is to launch from.
pub(crate) fn write_launch(form: Form, launch: &LaunchSource) -> Result<Form, ConvertError> {
    let specified = |form: Form, at: &str, template: &LaunchTemplateName, version| {
        let version = write_version(version)?;
        let form = form.with(format!("{at}.LaunchTemplateName"), template.as_str());
        Ok::<_, ConvertError>(form.with(format!("{at}.Version"), version))
    };
    match launch {
        LaunchSource::Template { template, version } => {
            specified(form, "LaunchTemplate", template, version)
        }
        LaunchSource::Mixed { template, version, policy } => {
            let form = form.with_tree("MixedInstancesPolicy", policy.value());
            let at = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification";
            specified(form, at, template, version)
        }
        LaunchSource::Configuration(name) => {
            Ok(form.with("LaunchConfigurationName", name.as_str()))
        }
        other => Err(ConvertError::Unknown { what: "launch source", value: other.to_string() }),
    }
}

fn target_groups(
    settings: &ScalingGroupSettings,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<Vec<String>, ConvertError> {
    let arn = |name: &TargetGroupName| {
        arns.get(name)
            .cloned()
            .ok_or_else(|| ConvertError::Unknown { what: "target group", value: name.to_string() })
    };
    settings.target_groups.iter().map(arn).collect()
}

fn tags(form: Form, name: &ScalingGroupName, settings: &ScalingGroupSettings) -> Form {
    let tags = settings.tags.iter().filter(|(key, _)| !key.starts_with(RESERVED_TAG_PREFIX));
    (1..).zip(tags).fold(form, |form, (index, (key, tag)): (u32, _)| {
        let member = |name| format!("Tags.member.{index}.{name}");
        form.with(member("ResourceId"), name.as_str())
            .with(member("ResourceType"), "auto-scaling-group")
            .with(member("Key"), key)
            .with(member("Value"), &tag.value)
            .with(member("PropagateAtLaunch"), tag.propagate.to_string())
    })
}
