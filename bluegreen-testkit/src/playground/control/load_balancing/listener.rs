//! Listeners, with what they do by default.

mod security;

use std::collections::BTreeSet;

use bluegreen_core::model::{ListenerKey, LoadBalancerKind, LoadBalancerName, RouteKey};

pub(super) use self::security::{Security, check_certificate};
use super::super::{Call, Params, WireError, Xml};
use super::arn::{Names, kind, listener_name, rule_name};
use super::load_balancer::wanted as wanted_balancer;
use super::refusal::{No, invalid, no_listener, no_load_balancer};
use super::{action, page, route, tag};
use crate::fake::{ListenerState, World, validate};
use crate::playground::site::Site;

/// The most listeners of a load balancer.
const MOST: usize = 50;

pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let world = site.cloud().world();
    let name = wanted_balancer(call, &world)?;
    let kind = world.load_balancers[&name].kind;
    let (protocol, port) = match kind {
        LoadBalancerKind::Gateway => (String::new(), 0),
        _ => (params.need("Protocol")?.to_owned(), need_port(params)?),
    };
    check_protocol(kind, &protocol)?;
    let key = ListenerKey::new(name, port);
    let names = Names::of(site);
    let actions = action::read(params, "DefaultActions", &names, &world, None)?;
    let tags = tag::read(params)?;
    let security = Security::default().with(params, &protocol)?;
    let tls = security.of_world();
    let wanted = ListenerState { protocol, actions, rules: [].into(), tags, tls };
    let is_same = |found: &ListenerState| {
        found.protocol == wanted.protocol && found.actions == wanted.actions
    };
    let arn = call.params.need("LoadBalancerArn")?;
    match world.listener(&key) {
        Some(found) if is_same(found) && Security::of(site, &key) == security => {
            return Ok(described(site, &key));
        }
        Some(_) => return Err(duplicate(arn)),
        None => {}
    }
    // Whatever had the port before, this is another listener.
    forget(site, &key);
    let amended = site.cloud().amend(|world| {
        let Some(balancer) = world.load_balancers.get(&key.load_balancer) else {
            return Err(No::Wire(no_load_balancer(arn)));
        };
        if balancer.listeners.contains_key(&port) {
            return Err(duplicate(arn).into());
        }
        if balancer.listeners.len() >= MOST {
            let message = format!("A load balancer can have at most {MOST} listeners");
            return Err(WireError::new("TooManyListeners", message).into());
        }
        route::check(world, &key, &wanted.protocol, &wanted.actions)?;
        if let Some(balancer) = world.load_balancers.get_mut(&key.load_balancer) {
            balancer.listeners.insert(port, wanted);
        }
        Ok(())
    });
    amended.map_err(|no| no.say(&names))?;
    security.note(site, &key);
    Ok(described(site, &key))
}

pub(super) fn modify(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let world = site.cloud().world();
    let key = wanted(call, &world)?;
    let names = Names::of(site);
    let before = world.listener(&key).ok_or_else(no_listener)?;
    let kind = world.load_balancers[&key.load_balancer].kind;
    let protocol = params.text("Protocol").unwrap_or(&before.protocol).to_owned();
    check_protocol(kind, &protocol)?;
    let port = match params.text("Port") {
        Some(_) => need_port(params)?,
        None => key.port,
    };
    let actions = if params.has("DefaultActions") {
        action::read(params, "DefaultActions", &names, &world, Some(&before.actions))?
    } else {
        before.actions.clone()
    };
    let security = Security::of(site, &key).with(params, &protocol)?;
    let tls = security.of_world();
    let moved = ListenerKey::new(key.load_balancer.clone(), port);
    let priorities: Vec<Option<u32>> = before.routes().map(|(priority, _)| priority).collect();
    let balancer_arn = names.load_balancer(&world, &key.load_balancer);
    let amended = site.cloud().amend(|world| {
        if world.listener(&key).is_none() {
            return Err(No::Wire(no_listener()));
        }
        route::check(world, &key, &protocol, &actions)?;
        let Some(balancer) = world.load_balancers.get_mut(&key.load_balancer) else {
            return Err(No::Wire(no_listener()));
        };
        if port != key.port && balancer.listeners.contains_key(&port) {
            return Err(duplicate(&balancer_arn).into());
        }
        let mut listener = balancer.listeners.remove(&key.port).ok_or_else(no_listener)?;
        listener.protocol = protocol;
        listener.actions = actions;
        listener.tls = tls;
        balancer.listeners.insert(port, listener);
        Ok(())
    });
    amended.map_err(|no| no.say(&names))?;
    if moved != key {
        rename(site, &key, &moved, &priorities);
    }
    security.note(site, &moved);
    Ok(described(site, &moved))
}

pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let key = wanted(call, &call.site.cloud().world())?;
    call.site.cloud().amend(|world| {
        if let Some(balancer) = world.load_balancers.get_mut(&key.load_balancer) {
            balancer.listeners.remove(&key.port);
        }
        Ok::<(), WireError>(())
    })?;
    Ok(Xml::new())
}

pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let world = site.cloud().glimpse(World::clone);
    let names = Names::of(site);
    let arns = params.list("ListenerArns");
    let keys: BTreeSet<ListenerKey> = match params.text("LoadBalancerArn") {
        Some(_) if !arns.is_empty() => {
            return Err(invalid(
                "Load balancer ARN and listener ARNs cannot be specified at the same time",
            ));
        }
        Some(_) => {
            let name: LoadBalancerName = wanted_balancer(call, &world)?;
            let ports = world.load_balancers[&name].listeners.keys();
            ports.map(|port| ListenerKey::new(name.clone(), *port)).collect()
        }
        None if arns.is_empty() => {
            return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
        }
        None => {
            page::at_most(&arns, "listeners")?;
            let found = arns.iter().map(|arn| names.find_listener(&world, arn));
            found.collect::<Option<_>>().ok_or_else(no_listener)?
        }
    };
    let keyed = keys.into_iter().map(|key| (format!("{}/{:05}", key.load_balancer, key.port), key));
    let page = page::cut(params, keyed.collect())?;
    let members = page.items.iter().filter_map(|key| describe_one(site, &world, key));
    Ok(Xml::new().list("Listeners", "member", members).maybe("NextMarker", page.next))
}

/// Finds the listener that a call is about.
pub(super) fn wanted(call: &Call<'_>, world: &World) -> Result<ListenerKey, WireError> {
    let arn = call.params.need("ListenerArn")?;
    Names::of(call.site).find_listener(world, arn).ok_or_else(no_listener)
}

/// Describes a listener as it is now, whatever reads show.
fn described(site: &Site, key: &ListenerKey) -> Xml {
    let world = site.cloud().world();
    Xml::new().list("Listeners", "member", describe_one(site, &world, key))
}

fn describe_one(site: &Site, world: &World, key: &ListenerKey) -> Option<Xml> {
    let listener = world.listener(key)?;
    let names = Names::of(site);
    let gateway = listener.protocol.is_empty();
    let xml = Xml::new()
        .text("ListenerArn", names.listener(world, key))
        .text("LoadBalancerArn", names.load_balancer(world, &key.load_balancer))
        .maybe("Port", (!gateway).then_some(key.port))
        .maybe("Protocol", (!gateway).then_some(&listener.protocol))
        .with(Security::of(site, key).write())
        .list("DefaultActions", "member", action::write(&listener.actions, &names));
    Some(xml)
}

fn check_protocol(kind: LoadBalancerKind, protocol: &str) -> Result<(), WireError> {
    if protocol.is_empty() || validate::listens(kind, protocol) {
        return Ok(());
    }
    let message = format!(
        "The protocol '{protocol}' is not supported by listeners of this type of load balancer"
    );
    Err(WireError::new("UnsupportedProtocol", message))
}

fn need_port(params: &Params) -> Result<u16, WireError> {
    params.need("Port")?;
    let port = params.number::<u16>("Port")?.unwrap_or_default();
    if port == 0 {
        return Err(invalid("The port of a listener must be between 1 and 65535"));
    }
    Ok(port)
}

fn duplicate(balancer: &str) -> WireError {
    let message =
        format!("A listener already exists on this port for this load balancer '{balancer}'");
    WireError::new("DuplicateListener", message)
}

fn forget(site: &Site, key: &ListenerKey) {
    let mut facts = site.facts();
    facts.forget(kind::LISTENER, &listener_name(key));
    facts.forget(kind::RULE, &rule_name(&RouteKey::default_of(key.clone())));
}

/// A listener that goes to another port stays the one it is, and so do its rules.
fn rename(site: &Site, from: &ListenerKey, to: &ListenerKey, priorities: &[Option<u32>]) {
    let mut facts = site.facts();
    facts.rename(kind::LISTENER, &[(listener_name(from), listener_name(to))]);
    let name = |listener: &ListenerKey, priority| {
        rule_name(&RouteKey { listener: listener.clone(), priority })
    };
    let rules = priorities.iter().map(|priority| (name(from, *priority), name(to, *priority)));
    facts.rename(kind::RULE, &rules.collect::<Vec<_>>());
}
