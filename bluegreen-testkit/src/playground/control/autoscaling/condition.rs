//! What a group has that a clone would not get, and that nobody here reasons about: it is kept
//! beside the world and handed through, and the world says by name what it is.

use bluegreen_core::model::ScalingGroupName;
use serde_json::{Map, Value};

use super::{GROUP, Params, Xml, handed_through, tree};
use crate::playground::site::Site;

/// The members of requests and replies that are handed through.
const NAMES: [&str; 3] = ["Context", "LoadBalancerNames", "OtherTrafficSources"];

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
    let restate = |world: &mut crate::fake::World| {
        if let Some(group) = world.scaling_groups.get_mut(name) {
            let mut uncarried = named(&kept);
            uncarried.extend(group.operator.as_ref().map(|_| "operator".to_owned()));
            uncarried.extend(other_sources(&kept));
            group.uncarried = uncarried;
        }
        Ok::<(), std::convert::Infallible>(())
    };
    let Ok(()) = site.cloud().amend(restate);
}

fn named(kept: &Map<String, Value>) -> Vec<String> {
    let context = kept.get("Context").and_then(Value::as_str).unwrap_or_default();
    [
        (kept.contains_key("LoadBalancerNames"), "classic load balancers"),
        (!context.is_empty(), "context"),
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
