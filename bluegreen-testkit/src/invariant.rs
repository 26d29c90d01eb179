//! What must hold at every moment, whatever goes wrong.
//!
//! Judged from the [history](crate::FakeCloud::history) and the [worlds](crate::World) of a fake
//! cloud, so that a test needs no watcher of its own.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use bluegreen_core::model::{Capacity, LaunchSource, RouteKey, TargetGroupName, tag_key};

use crate::fake::{Moment, ScalingGroupState, World};

/// Says what did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (after {at:?}, by {cause})")]
pub struct Violation {
    /// When, counted from the start of the cloud.
    pub at: Duration,
    /// What brought it about.
    pub cause: String,
    /// What did not hold.
    pub what: String,
}

/// Checks that every route which the outside can reach and which was served at first stays served.
///
/// A route is served if every target group that it sends requests to has a healthy target.
pub fn every_route_has_a_healthy_target(history: &[Moment]) -> Result<(), Violation> {
    let Some(first) = history.first() else { return Ok(()) };
    let served = first.routes.iter().filter(|(_, reach)| reach.open && reach.is_served());
    let routes = served.map(|(key, _)| key.clone()).collect();
    routes_stay_served(history, &routes)
}

/// Checks that these routes are served at every moment.
pub fn routes_stay_served(
    history: &[Moment],
    routes: &BTreeSet<RouteKey>,
) -> Result<(), Violation> {
    for moment in history {
        for key in routes {
            match moment.routes.get(key) {
                None => return Err(at(moment, format!("`{key}` is gone"))),
                Some(reach) if !reach.is_served() => {
                    let what = format!("`{key}` reaches {}", words(&reach.healthy));
                    return Err(at(moment, what));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// Checks that no group is shrunk, or taken away, while requests reach it.
///
/// What is done by the passing of time or by somebody else is not the run's.
pub fn what_serves_keeps_its_machines(history: &[Moment]) -> Result<(), Violation> {
    const OTHERS: [&str; 4] =
        ["the passing of time", "somebody else", "an edit by hand", "as before"];
    for (earlier, later) in history.iter().zip(history.iter().skip(1)) {
        if OTHERS.contains(&later.cause.as_str()) {
            continue;
        }
        for (name, was) in earlier.groups.iter().filter(|(_, was)| was.serves) {
            let is = later.groups.get(name).map_or(0, |is| is.desired);
            if is < was.desired {
                let what = format!("`{name}` serves and went from {} to {is}", was.desired);
                return Err(at(later, what));
            }
        }
    }
    Ok(())
}

/// Checks that these target groups are checked at every moment: that some route names them.
pub fn both_colors_stay_checked(
    history: &[Moment],
    target_groups: &BTreeSet<TargetGroupName>,
) -> Result<(), Violation> {
    for moment in history {
        if let Some(name) = target_groups.iter().find(|name| !moment.checked.contains(*name)) {
            return Err(at(moment, format!("no route names `{name}`")));
        }
    }
    Ok(())
}

/// Checks that whatever does not carry the tag of a run is still there.
pub fn nothing_of_others_is_deleted(before: &World, after: &World) -> Result<(), Violation> {
    let lost = |what: &str, name: &dyn Display| Err(at_the_end(format!("{what} `{name}` is gone")));
    for (name, balancer) in &before.load_balancers {
        let Some(kept) = after.load_balancers.get(name) else { return lost("load balancer", name) };
        for (port, listener) in &balancer.listeners {
            let Some(kept) = kept.listeners.get(port) else {
                if listener.tags.contains_key(tag_key::RUN) {
                    continue;
                }
                return lost("the listener on port", port);
            };
            if let Some(rule) = listener.rules.keys().find(|rule| !kept.rules.contains_key(rule)) {
                return lost("rule", rule);
            }
        }
    }
    for (name, settings) in &before.target_groups {
        if !after.target_groups.contains_key(name) && !settings.tags.contains_key(tag_key::RUN) {
            return lost("target group", name);
        }
    }
    for (name, group) in &before.scaling_groups {
        if !after.scaling_groups.contains_key(name) && !group.tags.contains_key(tag_key::RUN) {
            return lost("scaling group", name);
        }
    }
    for (name, template) in &before.templates {
        let kept = after.templates.get(name).map(|one| &one.versions);
        for (number, version) in &template.versions {
            if version.mark.is_none() && kept.is_none_or(|kept| !kept.contains_key(number)) {
                return lost("a version of", name);
            }
        }
    }
    Ok(())
}

/// Checks that a world is one that a cloud could have let come about.
pub fn is_sound(world: &World) -> Result<(), Violation> {
    for (name, balancers) in world.references() {
        if balancers.len() > 1 {
            return Err(at_the_end(format!("`{name}` is on several load balancers")));
        }
        if !world.target_groups.contains_key(&name) {
            return Err(at_the_end(format!("a route names `{name}`, which is not there")));
        }
    }
    for (name, group) in &world.scaling_groups {
        if let Some(why) = flaw(world, group) {
            return Err(at_the_end(format!("`{name}` {why}")));
        }
    }
    for alarm in world.alarms.values() {
        if let Some(key) = alarm.sets_off.iter().find(|key| world.policy(key).is_none()) {
            return Err(at_the_end(format!(
                "`{}` sets off `{key}`, which is not there",
                alarm.name
            )));
        }
    }
    Ok(())
}

fn flaw(world: &World, group: &ScalingGroupState) -> Option<String> {
    let Capacity { min, desired, max } = group.capacity;
    if min > desired || desired > max {
        return Some("has sizes out of order".to_owned());
    }
    let supported = !matches!(group.launch, LaunchSource::Unsupported(_));
    if supported && world.launch_data(&group.launch).is_none() {
        return Some(format!("launches `{}`, which is not there", group.launch));
    }
    let mut counted = group.policies.values().filter_map(|one| one.counts_requests_of.as_ref());
    counted
        .find(|(_, target_group)| !group.target_groups.contains(target_group))
        .map(|(_, target_group)| format!("counts the requests of `{target_group}`, a stranger"))
}

fn at(moment: &Moment, what: String) -> Violation {
    Violation { at: moment.at, cause: moment.cause.clone(), what }
}

fn at_the_end(what: String) -> Violation {
    Violation { at: Duration::ZERO, cause: "the whole run".to_owned(), what }
}

fn words(healthy: &std::collections::BTreeMap<TargetGroupName, usize>) -> String {
    if healthy.is_empty() {
        return "nobody".to_owned();
    }
    let each = healthy.iter().map(|(name, count)| format!("{count} healthy of `{name}`"));
    each.collect::<Vec<_>>().join(", ")
}
