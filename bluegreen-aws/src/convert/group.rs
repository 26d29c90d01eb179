//! Scaling groups: what they are, what would make them again.

mod details;
mod fittings;
mod known;
mod uncarried;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::{
    Capacity, GroupTag, Instance, InstanceId, LaunchConfigurationName, LaunchSource,
    LaunchTemplateName, Lifecycle, Opaque, Process, ScalingGroup, ScalingGroupName,
    TargetGroupName, TemplateVersion,
};

use serde_json::Value;

use super::{ConvertError, size};
use crate::arn;
use crate::query::Tree;

pub(crate) use details::{Related, read_settings, write, write_launch};
pub(crate) use fittings::read as read_fittings;

/// How AWS calls a target group among a group's traffic sources.
const TARGET_GROUP_SOURCE: &str = "elbv2";

/// A group as the SDK reads it, and as AWS wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) group: sdk::AutoScalingGroup,
    pub(crate) tree: Tree,
}

/// Reads a scaling group.
pub(crate) fn read(described: &Described) -> Result<ScalingGroup, ConvertError> {
    let group = &described.group;
    let name = group.auto_scaling_group_name();
    let arn = group.auto_scaling_group_arn().ok_or(ConvertError::Missing("AutoScalingGroupARN"))?;
    Ok(ScalingGroup {
        name: ScalingGroupName::new(name.ok_or(ConvertError::Missing("AutoScalingGroupName"))?),
        account: arn::account(arn).ok_or_else(|| ConvertError::Unknown {
            what: "scaling group ARN",
            value: arn.to_owned(),
        })?,
        capacity: read_capacity(group)?,
        launch: read_launch(described)?,
        instances: group.instances().iter().map(read_instance).collect::<Result<_, _>>()?,
        target_groups: read_target_groups(group)?,
        suspended: read_suspended(group),
        tags: read_tags(group),
        // The status is set only while the group is being deleted.
        deleting: group.status().is_some(),
        operator: group.operator().map(|one| one.principal().unwrap_or("a service").to_owned()),
    })
}

fn read_capacity(group: &sdk::AutoScalingGroup) -> Result<Capacity, ConvertError> {
    Ok(Capacity::new(
        size("MinSize", group.min_size())?,
        size("DesiredCapacity", group.desired_capacity())?,
        size("MaxSize", group.max_size())?,
    ))
}

fn read_launch(described: &Described) -> Result<LaunchSource, ConvertError> {
    let group = &described.group;
    if let Some(name) = group.launch_configuration_name() {
        return Ok(LaunchSource::Configuration(LaunchConfigurationName::new(name)));
    }
    let mixed = group.mixed_instances_policy().and_then(sdk::MixedInstancesPolicy::launch_template);
    let template = match mixed {
        Some(mixed) => mixed.launch_template_specification(),
        None => group.launch_template(),
    };
    let template = template.ok_or(ConvertError::Missing("LaunchTemplate"))?;
    let name = template.launch_template_name();
    let name = name.ok_or(ConvertError::Missing("LaunchTemplateName"))?;
    let template_name = LaunchTemplateName::new(name);
    // A group that names no version launches the default one.
    let version = read_version(template.version().unwrap_or("$Default"))?;
    Ok(match described.tree.get("MixedInstancesPolicy").filter(|_| mixed.is_some()) {
        Some(policy) => LaunchSource::Mixed {
            template: template_name,
            version,
            policy: Opaque::new(without_template(policy)),
        },
        None => LaunchSource::Template { template: template_name, version },
    })
}

/// Returns a policy of mixed instances without what the core knows of it.
fn without_template(policy: &Value) -> Value {
    let mut policy = policy.clone();
    if let Some(part) = policy.get_mut("LaunchTemplate").and_then(Value::as_object_mut) {
        part.remove("LaunchTemplateSpecification");
    }
    policy
}

fn read_version(text: &str) -> Result<TemplateVersion, ConvertError> {
    match text {
        "$Latest" => Ok(TemplateVersion::Latest),
        "$Default" => Ok(TemplateVersion::Default),
        number => number.parse().map(TemplateVersion::Number).map_err(|_| ConvertError::Unknown {
            what: "launch template version",
            value: number.to_owned(),
        }),
    }
}

/// Writes the version of a launch template; a mark must be resolved before.
pub(crate) fn write_version(version: &TemplateVersion) -> Result<String, ConvertError> {
    match version {
        TemplateVersion::Marked(mark) => {
            Err(ConvertError::Unknown { what: "unresolved mark", value: mark.to_string() })
        }
        version => Ok(version.to_string()),
    }
}

fn read_instance(instance: &sdk::Instance) -> Result<Instance, ConvertError> {
    use sdk::LifecycleState as State;
    let lifecycle = match instance.lifecycle_state() {
        Some(State::Pending | State::PendingWait | State::PendingProceed) => Lifecycle::Pending,
        Some(State::InService) => Lifecycle::InService,
        Some(
            State::Terminating
            | State::TerminatingWait
            | State::TerminatingProceed
            | State::TerminatingRetained
            | State::Terminated,
        ) => Lifecycle::Terminating,
        // Standby, detached, warmed, or a state that is new to this version.
        _ => Lifecycle::Other,
    };
    let id = instance.instance_id().ok_or(ConvertError::Missing("InstanceId"))?;
    Ok(Instance {
        id: InstanceId::new(id),
        lifecycle,
        // Without a word on it, an instance is not taken to be healthy.
        healthy: instance.health_status().is_some_and(|one| one.eq_ignore_ascii_case("healthy")),
        protected: instance.protected_from_scale_in().unwrap_or_default(),
        // Auto Scaling does not tell it.
        launched: None,
    })
}

/// A target group may be listed as such, as a traffic source, or as both.
fn read_target_groups(
    group: &sdk::AutoScalingGroup,
) -> Result<BTreeSet<TargetGroupName>, ConvertError> {
    let sources = group.traffic_sources().iter().filter(|one| is_target_group(one));
    let arns = group
        .target_group_arns()
        .iter()
        .map(String::as_str)
        .chain(sources.filter_map(sdk::TrafficSourceIdentifier::identifier));
    arns.map(|arn| {
        arn::target_group(arn).ok_or_else(|| ConvertError::Unknown {
            what: "target group ARN",
            value: arn.to_owned(),
        })
    })
    .collect()
}

fn is_target_group(source: &sdk::TrafficSourceIdentifier) -> bool {
    // Without a type it can be told from the ARN.
    match source.r#type() {
        Some(kind) => kind == TARGET_GROUP_SOURCE,
        None => source.identifier().and_then(arn::target_group).is_some(),
    }
}

/// What AWS suspended by itself, after failures, is no setting; but whoever holds a group must know
/// what of that happens already.
fn read_suspended(group: &sdk::AutoScalingGroup) -> BTreeSet<Process> {
    let processes = group.suspended_processes().iter().filter_map(|one| {
        let process = Process::named(one.process_name()?)?;
        let counts = Process::HELD_ON_IDLE.contains(&process) || !is_administrative(one);
        counts.then_some(process)
    });
    processes.collect()
}

fn is_administrative(suspended: &sdk::SuspendedProcess) -> bool {
    suspended.suspension_reason().is_some_and(|why| why.to_lowercase().contains("administrative"))
}

/// Reads the tags of a scaling group.
pub(crate) fn read_tags(group: &sdk::AutoScalingGroup) -> BTreeMap<String, GroupTag> {
    let read = |tag: &sdk::TagDescription| {
        let value = GroupTag {
            // A tag may have an empty value.
            value: tag.value().unwrap_or_default().to_owned(),
            propagate: tag.propagate_at_launch().unwrap_or(false),
        };
        Some((tag.key()?.to_owned(), value))
    };
    group.tags().iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests;
