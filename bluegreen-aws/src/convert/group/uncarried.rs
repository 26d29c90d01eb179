use aws_sdk_autoscaling::types as sdk;

use super::{Related, is_target_group, known_process, suspended};

/// Lists, by name, what a group has that a clone would not get.
///
/// What AWS sets by itself is nothing: every group has it. The list goes
/// through every member of the SDK's `AutoScalingGroup` that is neither known
/// to the core nor carried.
pub(super) fn list(group: &sdk::AutoScalingGroup, related: &Related) -> Vec<String> {
    let has = |set: bool, name: &str| set.then(|| name.to_owned());
    let filled = |value: Option<&str>| value.is_some_and(|text| !text.is_empty());
    let mut found: Vec<String> = [
        has(group.mixed_instances_policy().is_some(), "mixed instances policy"),
        has(!group.load_balancer_names().is_empty(), "classic load balancers"),
        has(filled(group.placement_group()), "placement group"),
        has(!group.enabled_metrics().is_empty(), "enabled metrics"),
        // A protected machine would never leave: the group could not be scaled down.
        has(group.new_instances_protected_from_scale_in() == Some(true), "scale-in protection"),
        has(group.warm_pool_configuration().is_some(), "warm pool"),
        has(filled(group.context()), "context"),
        has(counts_other_than_instances(group), "desired capacity type"),
        has(is_protected(group), "deletion protection"),
        has(has_zone_strategy(group), "availability zone distribution"),
        has(has_impairment_policy(group), "availability zone impairment policy"),
        has(has_reservations(group), "capacity reservation specification"),
        has(retains_instances(group), "instance lifecycle policy"),
        has(group.operator().is_some(), "operator"),
        has(!related.notifications.is_empty(), "notifications"),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.extend(traffic_sources(group));
    found.extend(suspensions(group));
    found
}

fn counts_other_than_instances(group: &sdk::AutoScalingGroup) -> bool {
    group.desired_capacity_type().is_some_and(|one| !one.is_empty() && one != "units")
}

fn is_protected(group: &sdk::AutoScalingGroup) -> bool {
    group.deletion_protection().is_some_and(|one| *one != sdk::DeletionProtection::None)
}

fn has_zone_strategy(group: &sdk::AutoScalingGroup) -> bool {
    let strategy = group
        .availability_zone_distribution()
        .and_then(sdk::AvailabilityZoneDistribution::capacity_distribution_strategy);
    strategy.is_some_and(|one| *one != sdk::CapacityDistributionStrategy::BalancedBestEffort)
}

fn has_impairment_policy(group: &sdk::AutoScalingGroup) -> bool {
    let policy = group.availability_zone_impairment_policy();
    policy.is_some_and(|one| one.zonal_shift_enabled() == Some(true))
}

fn has_reservations(group: &sdk::AutoScalingGroup) -> bool {
    use sdk::CapacityReservationPreference as Preference;
    let preference = |one: &sdk::CapacityReservationSpecification| {
        one.capacity_reservation_preference().is_some_and(|one| *one != Preference::Default)
    };
    group
        .capacity_reservation_specification()
        .is_some_and(|one| one.capacity_reservation_target().is_some() || preference(one))
}

fn retains_instances(group: &sdk::AutoScalingGroup) -> bool {
    let triggers = group
        .instance_lifecycle_policy()
        .and_then(sdk::InstanceLifecyclePolicy::retention_triggers);
    let action = triggers.and_then(sdk::RetentionTriggers::terminate_hook_abandon);
    action.is_some_and(|one| *one != sdk::RetentionAction::Terminate)
}

/// A source that is a target group is the core's.
fn traffic_sources(group: &sdk::AutoScalingGroup) -> impl Iterator<Item = String> {
    let others = group.traffic_sources().iter().filter(|one| !is_target_group(one));
    others.map(|one| format!("traffic source {}", one.identifier().unwrap_or("without a name")))
}

/// What AWS suspended by itself, after failures, is no setting.
fn suspensions(group: &sdk::AutoScalingGroup) -> impl Iterator<Item = String> {
    suspended(group)
        .filter(|one| {
            !one.suspension_reason()
                .is_some_and(|why| why.to_lowercase().contains("administrative"))
        })
        .filter_map(sdk::SuspendedProcess::process_name)
        .filter(|name| known_process(name).is_none())
        .map(|name| format!("suspended process {name}"))
}
