//! Attributes of load balancers, listeners and target groups.

mod known;

use std::collections::BTreeMap;
use std::time::Duration;

use bluegreen_core::model::{LoadBalancerKind, Opaque, TargetGroupSettings};
use serde_json::{Map, Value};

use self::known::Known;
use super::super::{Call, Params, WireError, Xml};
use super::arn::{kind, listener_name};
use super::refusal::{configuration, invalid, no_load_balancer, no_target_group};
use super::{listener, load_balancer, target_group};
use crate::fake::World;
use crate::playground::site::Site;

/// The attribute of target groups that the model knows.
pub(super) const DELAY: &str = "deregistration_delay.timeout_seconds";
/// The attribute of load balancers that the model knows.
const PROTECTION: &str = "deletion_protection.enabled";

type Attributes = BTreeMap<String, String>;

pub(super) fn describe_of_load_balancer(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().glimpse(World::clone);
    of_load_balancer(call, &world).map(write)
}

pub(super) fn modify_of_load_balancer(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let world = site.cloud().world();
    let name = load_balancer::wanted(call, &world)?;
    let kind = world.load_balancers[&name].kind;
    let mut set = read(call.params, "Load balancer", &known::of_load_balancer(kind))?;
    if kind == LoadBalancerKind::Application
        && set.get("load_balancing.cross_zone.enabled").is_some_and(|on| on == "false")
    {
        return Err(configuration(
            "Cross-zone load balancing cannot be turned off at an application load balancer",
        ));
    }
    if let Some(on) = set.remove(PROTECTION) {
        site.cloud().amend(|world| {
            let found = world.load_balancers.get_mut(&name);
            let arn = call.params.text("LoadBalancerArn").unwrap_or_default();
            found.ok_or_else(|| no_load_balancer(arn))?.deletion_protection = on == "true";
            Ok::<(), WireError>(())
        })?;
    }
    if !set.is_empty() {
        let mut facts = load_balancer::facts_of(site, &name);
        facts.attributes.extend(set);
        site.facts().load_balancers.insert(name.to_string(), facts);
    }
    of_load_balancer(call, &site.cloud().world()).map(write)
}

pub(super) fn describe_of_listener(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().glimpse(World::clone);
    of_listener(call, &world).map(write)
}

pub(super) fn modify_of_listener(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().world();
    let key = listener::wanted(call, &world)?;
    let mut all = of_listener(call, &world)?;
    let protocol = world.listener(&key).map(|found| found.protocol.clone()).unwrap_or_default();
    all.extend(read(call.params, "Listener", &known::of_listener(&protocol))?);
    let noted: Map<String, Value> =
        all.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    call.site.facts().note(kind::LISTENER, &listener_name(&key), "attributes", noted);
    Ok(write(all))
}

pub(super) fn describe_of_target_group(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().glimpse(World::clone);
    let name = target_group::wanted(call, &world)?;
    Ok(write(of_target_group(&world.target_groups[&name])))
}

pub(super) fn modify_of_target_group(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let name = target_group::wanted(call, &site.cloud().world())?;
    let all = site.cloud().amend(|world| {
        let settings = world.target_groups.get_mut(&name).ok_or_else(no_target_group)?;
        let kind = target_type(settings);
        let known = known::of_target_group(&settings.protocol, &kind);
        let mut all = of_target_group(settings);
        all.extend(read(call.params, "Target group", &known)?);
        check_together(&all)?;
        let mut carried = all.clone();
        let delay = carried.remove(DELAY).and_then(|text| text.parse().ok());
        settings.deregistration_delay = Duration::from_secs(delay.unwrap_or_default());
        let mut details = target_group::details_of(settings);
        let carried = carried.into_iter().map(|(key, value)| (key, value.into()));
        details.insert("attributes".to_owned(), carried.collect::<Map<_, _>>().into());
        settings.details = Opaque::new(details.into());
        let shared = world.routes().filter_map(|(_, actions)| actions.forward());
        let mut shared = shared.filter(|one| one.names(&name) && one.weights().len() > 1);
        if all.get("stickiness.enabled").is_some_and(|on| on == "true")
            && shared.any(|forward| forward.stickiness().is_none())
        {
            return Err(configuration(
                "Stickiness cannot be enabled on a target group that shares an action without group-level stickiness",
            ));
        }
        Ok(all)
    })?;
    Ok(write(all))
}

/// Returns the attributes of a new target group.
pub(super) fn usual_of_target_group(protocol: &str, target_type: &str) -> Attributes {
    usual(known::of_target_group(protocol, target_type))
}

fn of_load_balancer(call: &Call<'_>, world: &World) -> Result<Attributes, WireError> {
    let name = load_balancer::wanted(call, world)?;
    let found = &world.load_balancers[&name];
    let mut all = usual(known::of_load_balancer(found.kind));
    all.extend(load_balancer::facts_of(call.site, &name).attributes);
    all.insert(PROTECTION.to_owned(), found.deletion_protection.to_string());
    Ok(all)
}

fn of_listener(call: &Call<'_>, world: &World) -> Result<Attributes, WireError> {
    let key = listener::wanted(call, world)?;
    let protocol = world.listener(&key).map(|found| found.protocol.clone()).unwrap_or_default();
    let mut all = usual(known::of_listener(&protocol));
    all.extend(noted_of_listener(call.site, &listener_name(&key)));
    Ok(all)
}

fn noted_of_listener(site: &Site, name: &str) -> Attributes {
    let facts = site.facts();
    let noted = facts.noted(kind::LISTENER, name, "attributes").and_then(Value::as_object);
    texts(noted)
}

fn of_target_group(settings: &TargetGroupSettings) -> Attributes {
    let mut all = usual(known::of_target_group(&settings.protocol, &target_type(settings)));
    all.extend(texts(settings.details.value()["attributes"].as_object()));
    all.insert(DELAY.to_owned(), settings.deregistration_delay.as_secs().to_string());
    all
}

fn target_type(settings: &TargetGroupSettings) -> String {
    settings.details.value()["target_type"].as_str().unwrap_or("instance").to_owned()
}

fn texts(members: Option<&Map<String, Value>>) -> Attributes {
    let members = members.into_iter().flatten();
    members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn usual(known: Vec<Known>) -> Attributes {
    known.into_iter().map(|one| (one.key.to_owned(), one.usual.to_owned())).collect()
}

/// Reads attributes, all of which must be known and have a value that they can have.
fn read(params: &Params, of: &str, known: &[Known]) -> Result<Attributes, WireError> {
    let mut read = Attributes::new();
    for attribute in params.structs("Attributes") {
        let (key, value) = (attribute.need("Key")?, attribute.text("Value").unwrap_or_default());
        let Some(one) = known.iter().find(|one| one.key == key) else {
            return Err(invalid(format!("{of} attribute key '{key}' is not recognized")));
        };
        if !one.takes(value) {
            return Err(invalid(format!("{of} attribute '{key}' cannot have the value '{value}'")));
        }
        read.insert(key.to_owned(), value.to_owned());
    }
    Ok(read)
}

fn check_together(all: &Attributes) -> Result<(), WireError> {
    let is = |key: &str, value: &str| all.get(key).is_some_and(|found| found == value);
    let slow = all.get("slow_start.duration_seconds").is_some_and(|seconds| seconds != "0");
    if slow && !is("load_balancing.algorithm.type", "round_robin") {
        return Err(configuration(
            "Slow start can be used only with the load balancing algorithm round_robin",
        ));
    }
    if is("stickiness.enabled", "true")
        && is("stickiness.type", "app_cookie")
        && is("stickiness.app_cookie.cookie_name", "")
    {
        return Err(configuration("You must specify the name of the application cookie"));
    }
    Ok(())
}

fn write(attributes: Attributes) -> Xml {
    let members =
        attributes.into_iter().map(|(key, value)| Xml::new().text("Key", key).text("Value", value));
    Xml::new().list("Attributes", "member", members)
}
