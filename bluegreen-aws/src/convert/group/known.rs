//! Which members of a group, and of what belongs to it, this version knows.

use serde_json::Value;

use crate::query::Tree;

/// The members of a scaling group.
///
/// A clone gets them from the core (sizes, launch source, target groups, tags), as details, as
/// fittings or by changes of its own; or they say what is so now and are no settings (the ARN, the
/// machines, the status, predictions); or `uncarried` names them.
pub(super) const GROUP: [&str; 42] = [
    "AutoScalingGroupARN",
    "AutoScalingGroupName",
    "AvailabilityZoneDistribution",
    "AvailabilityZoneIds",
    "AvailabilityZoneImpairmentPolicy",
    "AvailabilityZones",
    "CapacityRebalance",
    "CapacityReservationSpecification",
    "Context",
    "CreatedTime",
    "DefaultCooldown",
    "DefaultInstanceWarmup",
    "DeletionProtection",
    "DesiredCapacity",
    "DesiredCapacityType",
    "EnabledMetrics",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "InstanceLifecyclePolicy",
    "InstanceMaintenancePolicy",
    "Instances",
    "LaunchConfigurationName",
    "LaunchTemplate",
    "LoadBalancerNames",
    "MaxInstanceLifetime",
    "MaxSize",
    "MinSize",
    "MixedInstancesPolicy",
    "NewInstancesProtectedFromScaleIn",
    "Operator",
    "PlacementGroup",
    "PredictedCapacity",
    "ServiceLinkedRoleARN",
    "Status",
    "SuspendedProcesses",
    "Tags",
    "TargetGroupARNs",
    "TerminationPolicies",
    "TrafficSources",
    "VPCZoneIdentifier",
    "WarmPoolConfiguration",
    "WarmPoolSize",
];

/// The members of what stands in a group and is not carried whole.
pub(super) const PARTS: [(&str, &[&str]); 6] = [
    ("EnabledMetrics", &["Granularity", "Metric"]),
    ("InstanceMaintenancePolicy", &["MaxHealthyPercentage", "MinHealthyPercentage"]),
    ("LaunchTemplate", &["LaunchTemplateId", "LaunchTemplateName", "Version"]),
    ("SuspendedProcesses", &["ProcessName", "SuspensionReason"]),
    ("Tags", &["Key", "PropagateAtLaunch", "ResourceId", "ResourceType", "Value"]),
    ("TrafficSources", &["Identifier", "Type"]),
];

/// The members of a lifecycle hook.
pub(super) const HOOK: [&str; 9] = [
    "AutoScalingGroupName",
    "DefaultResult",
    "GlobalTimeout",
    "HeartbeatTimeout",
    "LifecycleHookName",
    "LifecycleTransition",
    "NotificationMetadata",
    "NotificationTargetARN",
    "RoleARN",
];

/// The members of a scaling policy; its configurations of metrics are carried whole.
pub(super) const POLICY: [&str; 16] = [
    "AdjustmentType",
    "Alarms",
    "AutoScalingGroupName",
    "Cooldown",
    "Enabled",
    "EstimatedInstanceWarmup",
    "MetricAggregationType",
    "MinAdjustmentMagnitude",
    "MinAdjustmentStep",
    "PolicyARN",
    "PolicyName",
    "PolicyType",
    "PredictiveScalingConfiguration",
    "ScalingAdjustment",
    "StepAdjustments",
    "TargetTrackingConfiguration",
];

/// The members of a configuration of target tracking; a customised metric is carried whole.
pub(super) const TRACKING: [&str; 4] = [
    "CustomizedMetricSpecification",
    "DisableScaleIn",
    "PredefinedMetricSpecification",
    "TargetValue",
];

/// The members of a scheduled action.
pub(super) const SCHEDULE: [&str; 11] = [
    "AutoScalingGroupName",
    "DesiredCapacity",
    "EndTime",
    "MaxSize",
    "MinSize",
    "Recurrence",
    "ScheduledActionARN",
    "ScheduledActionName",
    "StartTime",
    "Time",
    "TimeZone",
];

/// Names what a group has that is newer than this version.
pub(super) fn unknown_of_group(group: &Tree) -> Vec<String> {
    let mut unknown: Vec<String> =
        strangers(group, &GROUP).map(|name| format!("member {name}")).collect();
    for (part, known) in PARTS {
        for item in items(group, part) {
            unknown.extend(strangers(&item, known).map(|name| format!("member {part}.{name}")));
        }
    }
    sorted(unknown)
}

/// Names what the hooks of a group have that is newer than this version.
pub(super) fn unknown_of_hooks(hooks: &[Tree]) -> Vec<String> {
    named(hooks, "lifecycle hook", "LifecycleHookName", &HOOK)
}

/// Names what the scheduled actions of a group have that is newer than this version.
pub(super) fn unknown_of_schedules(schedules: &[Tree]) -> Vec<String> {
    named(schedules, "scheduled action", "ScheduledActionName", &SCHEDULE)
}

/// Names what the policies of a group have that is newer than this version.
pub(super) fn unknown_of_policies(policies: &[Tree]) -> Vec<String> {
    let mut unknown = named(policies, "scaling policy", "PolicyName", &POLICY);
    for policy in policies {
        for item in items(policy, "TargetTrackingConfiguration") {
            let name = policy.get("PolicyName").and_then(Value::as_str).unwrap_or_default();
            unknown.extend(
                strangers(&item, &TRACKING)
                    .map(|one| format!("scaling policy {name}: member {one}")),
            );
        }
    }
    sorted(unknown)
}

fn named(items: &[Tree], what: &str, key: &str, known: &[&str]) -> Vec<String> {
    let each = items.iter().flat_map(|item| {
        let name = item.get(key).and_then(Value::as_str).unwrap_or_default();
        strangers(item, known).map(move |one| format!("{what} {name}: member {one}"))
    });
    each.collect()
}

fn strangers<'a>(tree: &'a Tree, known: &'a [&str]) -> impl Iterator<Item = &'a str> {
    tree.names().filter(|name| !known.contains(name))
}

/// Returns a part, or the items of a list of parts.
fn items(tree: &Tree, part: &str) -> Vec<Tree> {
    match tree.get(part) {
        Some(Value::Array(items)) => items.iter().map(|item| Tree(item.clone())).collect(),
        Some(value) => vec![Tree(value.clone())],
        None => Vec::new(),
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use aws_sdk_autoscaling::types as sdk;

    use super::*;

    /// Reads the names of the members off the SDK's own shape.
    fn members(shape: &impl std::fmt::Debug) -> Vec<String> {
        let text = format!("{shape:?}");
        let inner = text.split_once('{').expect("a struct").1;
        let names = inner.split(", ").filter_map(|part| part.split_once(':')).map(|(name, _)| name);
        let mut names: Vec<String> = names
            .map(|name| name.trim().replace('_', ""))
            .filter(|name| !name.is_empty())
            .collect();
        names.sort();
        names
    }

    fn listed(known: &[&str]) -> Vec<String> {
        let mut known: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
        known.sort();
        known
    }

    #[test]
    fn every_member_of_the_sdks_shapes_is_known_by_name() {
        assert_eq!(members(&sdk::AutoScalingGroup::builder().build()), listed(&GROUP));
        assert_eq!(members(&sdk::LifecycleHook::builder().build()), listed(&HOOK));
        assert_eq!(members(&sdk::ScalingPolicy::builder().build()), listed(&POLICY));
        let tracking = sdk::TargetTrackingConfiguration::builder().build();
        assert_eq!(members(&tracking), listed(&TRACKING));
        let schedule = sdk::ScheduledUpdateGroupAction::builder().build();
        assert_eq!(members(&schedule), listed(&SCHEDULE));
        let part = |name: &str| {
            let (_, known) = PARTS.iter().find(|(part, _)| *part == name).expect("it is listed");
            listed(known)
        };
        assert_eq!(members(&sdk::EnabledMetric::builder().build()), part("EnabledMetrics"));
        let maintenance = sdk::InstanceMaintenancePolicy::builder().build();
        assert_eq!(members(&maintenance), part("InstanceMaintenancePolicy"));
        let template = sdk::LaunchTemplateSpecification::builder().build();
        assert_eq!(members(&template), part("LaunchTemplate"));
        let suspended = sdk::SuspendedProcess::builder().build();
        assert_eq!(members(&suspended), part("SuspendedProcesses"));
        assert_eq!(members(&sdk::TagDescription::builder().build()), part("Tags"));
        let source = sdk::TrafficSourceIdentifier::builder().build();
        assert_eq!(members(&source), part("TrafficSources"));
    }

    #[test]
    fn what_is_newer_than_the_sdk_is_named() {
        let group = Tree::parse(
            b"<G><MinSize>1</MinSize><Reincarnation>on</Reincarnation><Empty/>
              <Tags><member><Key>a</Key><Inherited>true</Inherited></member></Tags></G>",
        );
        assert_eq!(unknown_of_group(&group), ["member Reincarnation", "member Tags.Inherited"]);
        let policy = Tree::parse(
            b"<P><PolicyName>cpu</PolicyName><TargetTrackingConfiguration><TargetValue>1</TargetValue>
              <Mood>calm</Mood></TargetTrackingConfiguration></P>",
        );
        assert_eq!(unknown_of_policies(&[policy]), ["scaling policy cpu: member Mood"]);
    }
}
