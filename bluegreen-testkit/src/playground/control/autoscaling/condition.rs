//! What a group has that a clone would not get, and that nobody here reasons about: it is kept
//! beside the world and handed through, and the world says by name what it is.

use bluegreen_core::model::ScalingGroupName;
use serde_json::{Map, Value};

use super::{GROUP, Params, Xml, handed_through, processes, tree};
use crate::playground::site::Site;

/// The members of requests and replies that are handed through.
const NAMES: [&str; 11] = [
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "Context",
    "DeletionProtection",
    "DesiredCapacityType",
    "InstanceLifecyclePolicy",
    "LoadBalancerNames",
    "NewInstancesProtectedFromScaleIn",
    "PlacementGroup",
    "OtherTrafficSources",
];

/// Takes from a request what is handed through.
pub(super) fn take(site: &Site, name: &ScalingGroupName, params: &Params) {
    let mut kept = kept(site, name);
    for member in NAMES {
        match tree::read(params, member) {
            Some(Value::String(text)) if text.is_empty() => drop(kept.remove(member)),
            Some(value) => drop(kept.insert(member.to_owned(), value)),
            None => {}
        }
    }
    keep(site, name, kept);
}

/// Returns what is handed through of a group.
pub(super) fn kept(site: &Site, name: &ScalingGroupName) -> Map<String, Value> {
    let facts = site.facts();
    let kept = facts.noted(GROUP, name.as_str(), "kept").and_then(Value::as_object);
    kept.cloned().unwrap_or_default()
}

/// Notes what is handed through of a group.
pub(super) fn keep(site: &Site, name: &ScalingGroupName, kept: Map<String, Value>) {
    if !kept.is_empty() || site.facts().noted(GROUP, name.as_str(), "kept").is_some() {
        site.facts().note(GROUP, name.as_str(), "kept", kept);
    }
}

/// Writes what is handed through.
pub(super) fn show(site: &Site, name: &ScalingGroupName) -> Xml {
    let kept = kept(site, name);
    let shown = kept.iter().filter(|(member, _)| *member != "OtherTrafficSources");
    shown.fold(Xml::new(), |xml, (member, value)| handed_through(xml, member, value))
}

/// Lets the world say what a clone of the group would not get.
pub(super) fn restate(site: &Site, name: &ScalingGroupName) {
    let kept = kept(site, name);
    let suspended = processes::suspended_beside(site, name);
    let notified = site.facts().noted(GROUP, name.as_str(), "notifications").is_some();
    let restate = |world: &mut crate::fake::World| {
        if let Some(group) = world.scaling_groups.get_mut(name) {
            let mut uncarried = named(&kept);
            uncarried.extend(group.operator.as_ref().map(|_| "operator".to_owned()));
            uncarried.extend(notified.then(|| "notifications".to_owned()));
            uncarried.extend(other_sources(&kept));
            let suspended = suspended.iter();
            uncarried.extend(suspended.map(|process| format!("suspended process {process}")));
            group.uncarried = uncarried;
        }
        Ok::<(), std::convert::Infallible>(())
    };
    let Ok(()) = site.cloud().amend(restate);
}

fn named(kept: &Map<String, Value>) -> Vec<String> {
    let text = |name: &str| kept.get(name).and_then(Value::as_str).unwrap_or_default();
    let other_than = |name: &str, usual: &str| !text(name).is_empty() && text(name) != usual;
    let inner = |name: &str, path: &str| {
        kept.get(name).and_then(|value| value.pointer(path)).and_then(Value::as_str)
    };
    let other_inner =
        |name: &str, path: &str, usual: &str| inner(name, path).is_some_and(|value| value != usual);
    let reserved = "CapacityReservationSpecification";
    [
        (kept.contains_key("LoadBalancerNames"), "classic load balancers"),
        (!text("PlacementGroup").is_empty(), "placement group"),
        (text("NewInstancesProtectedFromScaleIn") == "true", "scale-in protection"),
        (!text("Context").is_empty(), "context"),
        (other_than("DesiredCapacityType", "units"), "desired capacity type"),
        (other_than("DeletionProtection", "none"), "deletion protection"),
        (
            other_inner(
                "AvailabilityZoneDistribution",
                "/CapacityDistributionStrategy",
                "balanced-best-effort",
            ),
            "availability zone distribution",
        ),
        (
            inner("AvailabilityZoneImpairmentPolicy", "/ZonalShiftEnabled") == Some("true"),
            "availability zone impairment policy",
        ),
        (
            kept.get(reserved).is_some_and(|one| one.get("CapacityReservationTarget").is_some())
                || other_inner(reserved, "/CapacityReservationPreference", "default"),
            "capacity reservation specification",
        ),
        (
            other_inner(
                "InstanceLifecyclePolicy",
                "/RetentionTriggers/TerminateHookAbandon",
                "terminate",
            ),
            "instance lifecycle policy",
        ),
    ]
    .into_iter()
    .filter(|(has, _)| *has)
    .map(|(_, name)| name.to_owned())
    .collect()
}

fn other_sources(kept: &Map<String, Value>) -> Vec<String> {
    let sources = kept.get("OtherTrafficSources").and_then(Value::as_array);
    let sources = sources.into_iter().flatten();
    let name = |source: &Value| source["Identifier"].as_str().map(str::to_owned);
    sources.filter_map(name).map(|name| format!("traffic source {name}")).collect()
}
