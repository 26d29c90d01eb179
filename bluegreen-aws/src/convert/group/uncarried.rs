use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::Process;

use super::{is_administrative, is_target_group};

/// Lists, by name, what a group has that a clone would not get.
pub(super) fn list(group: &sdk::AutoScalingGroup) -> Vec<String> {
    let has = |set: bool, name: &str| set.then(|| name.to_owned());
    let filled = |value: Option<&str>| value.is_some_and(|text| !text.is_empty());
    let mut found: Vec<String> = [
        has(!group.load_balancer_names().is_empty(), "classic load balancers"),
        has(filled(group.context()), "context"),
        has(group.operator().is_some(), "operator"),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.extend(traffic_sources(group));
    found.extend(overrides(group));
    found
}

/// Lists, by name, the processes that this version does not know.
pub(super) fn unknown_processes(group: &sdk::AutoScalingGroup) -> impl Iterator<Item = String> {
    /// Was dropped long ago, and means nothing.
    const DROPPED: &str = "RemoveFromLoadBalancerLowPriority";
    let all = group.suspended_processes().iter().filter(|one| !is_administrative(one));
    all.filter_map(sdk::SuspendedProcess::process_name)
        .filter(|name| Process::named(name).is_none() && *name != DROPPED)
        .map(|name| format!("suspended process {name}"))
}

/// A source that is a target group is the core's.
fn traffic_sources(group: &sdk::AutoScalingGroup) -> impl Iterator<Item = String> {
    let others = group.traffic_sources().iter().filter(|one| !is_target_group(one));
    others.map(|one| format!("traffic source {}", one.identifier().unwrap_or("without a name")))
}

/// Types of machines that launch something else than the rest: no deploy would reach them.
fn overrides(group: &sdk::AutoScalingGroup) -> impl Iterator<Item = String> {
    let policy = group.mixed_instances_policy();
    let template = policy.and_then(sdk::MixedInstancesPolicy::launch_template);
    let overrides = template.map(sdk::LaunchTemplate::overrides).unwrap_or_default();
    overrides.iter().filter_map(|one| {
        let kind = one.instance_type().unwrap_or("machines by their requirements");
        if one.launch_template_specification().is_some() {
            Some(format!("override for {kind} with a launch template of its own"))
        } else {
            one.image_id().map(|_| format!("override for {kind} with an image of its own"))
        }
    })
}
