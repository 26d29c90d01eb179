//! Rules of listeners.

use std::collections::{BTreeMap, BTreeSet};

use bluegreen_core::model::{ListenerKey, RouteKey};
use serde_json::Value;

use super::super::{Call, Params, WireError, Xml};
use super::arn::{Names, kind, rule_name};
use super::load_balancer::facts_of;
use super::refusal::{No, invalid, no_listener, no_rule, not_permitted};
use super::tree::Tree;
use super::{action, condition, listener, page, route, tag};
use crate::fake::{RuleState, World};
use crate::playground::site::Site;

/// The most rules of all listeners of a load balancer, without the default ones.
const MOST: usize = 100;
const HIGHEST_PRIORITY: u32 = 50_000;

pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let world = site.cloud().world();
    let listener = listener::wanted(call, &world)?;
    let priority = read_priority(params)?;
    let names = Names::of(site);
    let conditions = condition::read(params)?;
    let balancer = &world.load_balancers[&listener.load_balancer];
    let ip_address_type = facts_of(site, &listener.load_balancer).ip_address_type;
    condition::fit(&conditions, balancer.kind, &ip_address_type)?;
    let actions = action::read(params, "Actions", &names, &world, None)?;
    let (tags, transforms) = (tag::read(params)?, read_transforms(params)?);
    let key = RouteKey::rule(listener, priority);
    let name = rule_name(&key);
    if world.actions(&key).is_some() {
        return Err(in_use(priority));
    }
    // Whatever had the priority before, this is another rule.
    site.facts().forget(kind::RULE, &name);
    let amended = site.cloud().amend(|world| {
        let Some(balancer) = world.load_balancers.get(&key.listener.load_balancer) else {
            return Err(No::Wire(no_listener()));
        };
        if balancer.listeners.values().map(|one| one.rules.len()).sum::<usize>() >= MOST {
            let message = format!("A load balancer can have at most {MOST} rules");
            return Err(WireError::new("TooManyRules", message).into());
        }
        let Some(listener) = world.listener(&key.listener) else {
            return Err(No::Wire(no_listener()));
        };
        if listener.rules.contains_key(&priority) {
            return Err(in_use(priority).into());
        }
        route::check(world, &key.listener, &listener.protocol, &actions)?;
        if let Some(listener) = world.listener_mut(&key.listener) {
            let rule = RuleState { conditions, actions, tags };
            listener.rules.insert(priority, rule);
        }
        Ok(())
    });
    amended.map_err(|no| no.say(&names))?;
    note_transforms(site, &name, transforms);
    Ok(described(site, [&key]))
}

pub(super) fn modify(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let world = site.cloud().world();
    let key = wanted(call, &world)?;
    let Some(priority) = key.priority else {
        return Err(not_permitted("Default rules cannot be modified by ModifyRule"));
    };
    let names = Names::of(site);
    let conditions = params.has("Conditions").then(|| condition::read(params)).transpose()?;
    if let Some(conditions) = &conditions {
        let balancer = &key.listener.load_balancer;
        let ip_address_type = facts_of(site, balancer).ip_address_type;
        condition::fit(conditions, world.load_balancers[balancer].kind, &ip_address_type)?;
    }
    let before = world.actions(&key);
    let actions = params
        .has("Actions")
        .then(|| action::read(params, "Actions", &names, &world, before))
        .transpose()?;
    let transforms = read_transforms(params)?;
    let amended = site.cloud().amend(|world| {
        let Some(found) = world.listener(&key.listener) else {
            return Err(No::Wire(no_rule()));
        };
        if let Some(actions) = &actions {
            route::check(world, &key.listener, &found.protocol, actions)?;
        }
        let listener = world.listener_mut(&key.listener);
        let rule = listener.and_then(|listener| listener.rules.get_mut(&priority));
        let rule = rule.ok_or_else(no_rule)?;
        if let Some(actions) = actions {
            rule.actions = actions;
        }
        if let Some(conditions) = conditions {
            rule.conditions = conditions;
        }
        Ok(())
    });
    amended.map_err(|no| no.say(&names))?;
    if params.flag("ResetTransforms")?.unwrap_or(false) || !transforms.is_empty() {
        note_transforms(site, &rule_name(&key), transforms);
    }
    Ok(described(site, [&key]))
}

pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let arn = call.params.need("RuleArn")?;
    let key = wanted(call, &call.site.cloud().world())?;
    let Some(priority) = key.priority else {
        return Err(not_permitted(format!("Default rule '{arn}' cannot be deleted")));
    };
    call.site.cloud().amend(|world| {
        if let Some(listener) = world.listener_mut(&key.listener) {
            listener.rules.remove(&priority);
        }
        Ok::<(), WireError>(())
    })?;
    Ok(Xml::new())
}

pub(super) fn set_priorities(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let world = site.cloud().world();
    let mut wanted = BTreeMap::new();
    for pair in call.params.structs("RulePriorities") {
        let key = Names::of(site).find_rule(&world, pair.need("RuleArn")?).ok_or_else(no_rule)?;
        if key.priority.is_none() {
            return Err(not_permitted("The priority of a default rule cannot be changed"));
        }
        wanted.insert(key, read_priority(&pair)?);
    }
    let listeners: BTreeSet<&ListenerKey> = wanted.keys().map(|key| &key.listener).collect();
    let [listener] = listeners.into_iter().collect::<Vec<_>>()[..] else {
        return Err(invalid("You must specify rules of exactly one listener"));
    };
    site.cloud().amend(|world| {
        let found = world.listener_mut(listener).ok_or_else(no_listener)?;
        let mut taken = vec![];
        for (key, priority) in &wanted {
            let rule = key.priority.and_then(|old| found.rules.remove(&old));
            taken.push((*priority, rule.ok_or_else(no_rule)?));
        }
        for (priority, rule) in taken {
            if found.rules.insert(priority, rule).is_some() {
                return Err(in_use(priority));
            }
        }
        Ok(())
    })?;
    let keys: Vec<_> =
        wanted.values().map(|priority| RouteKey::rule(listener.clone(), *priority)).collect();
    let renamed = wanted.keys().zip(&keys).map(|(old, new)| (rule_name(old), rule_name(new)));
    let renamed: Vec<_> = renamed.collect();
    site.facts().rename(kind::RULE, &renamed);
    Ok(described(site, &keys))
}

pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let world = site.cloud().glimpse(World::clone);
    let arns = params.list("RuleArns");
    let keys: BTreeSet<RouteKey> = match params.text("ListenerArn") {
        Some(_) if !arns.is_empty() => {
            return Err(invalid("Listener ARN and rule ARNs cannot be specified at the same time"));
        }
        Some(_) => {
            let key = listener::wanted(call, &world)?;
            let found = world.listener(&key).ok_or_else(no_listener)?;
            let routes = found.routes();
            routes.map(|(priority, _)| RouteKey { listener: key.clone(), priority }).collect()
        }
        None if arns.is_empty() => {
            return Err(invalid("You must specify either listener rule ARNs or a listener ARN"));
        }
        None => {
            page::at_most(&arns, "listener rules")?;
            let found = arns.iter().map(|arn| Names::of(site).find_rule(&world, arn));
            found.collect::<Option<_>>().ok_or_else(no_rule)?
        }
    };
    let keyed = keys.into_iter().map(|key| {
        let RouteKey { listener: ListenerKey { load_balancer, port }, priority } = &key;
        // The default rule comes last.
        let priority = priority.unwrap_or(HIGHEST_PRIORITY + 1);
        (format!("{load_balancer}/{port:05}/{priority:05}"), key)
    });
    let page = page::cut(params, keyed.collect())?;
    let members = page.items.iter().filter_map(|key| describe_one(site, &world, key));
    Ok(Xml::new().list("Rules", "member", members).maybe("NextMarker", page.next))
}

fn wanted(call: &Call<'_>, world: &World) -> Result<RouteKey, WireError> {
    let arn = call.params.need("RuleArn")?;
    Names::of(call.site).find_rule(world, arn).ok_or_else(no_rule)
}

fn described<'a>(site: &Site, keys: impl IntoIterator<Item = &'a RouteKey>) -> Xml {
    let world = site.cloud().world();
    let members = keys.into_iter().filter_map(|key| describe_one(site, &world, key));
    Xml::new().list("Rules", "member", members)
}

fn describe_one(site: &Site, world: &World, key: &RouteKey) -> Option<Xml> {
    let names = Names::of(site);
    let actions = action::write(world.actions(key)?, &names);
    let rule =
        key.priority.and_then(|priority| world.listener(&key.listener)?.rules.get(&priority));
    let conditions = rule.map(|rule| condition::write(&rule.conditions)).unwrap_or_default();
    let priority = key.priority.map_or_else(|| "default".to_owned(), |one| one.to_string());
    let xml = Xml::new()
        .text("RuleArn", names.rule(world, key))
        .text("Priority", priority)
        .list("Conditions", "member", conditions)
        .list("Actions", "member", actions)
        .text("IsDefault", key.priority.is_none());
    let facts = site.facts();
    let transforms = facts.noted(kind::RULE, &rule_name(key), "transforms");
    let transforms = transforms.and_then(Value::as_array).filter(|all| !all.is_empty());
    Some(match transforms {
        Some(all) => {
            xml.list("Transforms", "member", all.iter().map(|one| Tree(one.clone()).write()))
        }
        None => xml,
    })
}

fn read_priority(params: &Params) -> Result<u32, WireError> {
    params.need("Priority")?;
    let priority = params.number::<u32>("Priority")?.unwrap_or_default();
    if priority == 0 || priority > HIGHEST_PRIORITY {
        let message = format!("Priority '{priority}' must be between 1 and {HIGHEST_PRIORITY}");
        return Err(invalid(message));
    }
    Ok(priority)
}

fn in_use(priority: u32) -> WireError {
    WireError::new("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

/// Reads how a rule rewrites requests: at most once the host and once the path.
fn read_transforms(params: &Params) -> Result<Vec<Value>, WireError> {
    let transforms = Tree::read_list(params, "Transforms");
    let mut seen = BTreeSet::new();
    for transform in &transforms {
        let kind = transform["Type"].as_str().unwrap_or_default();
        if !matches!(kind, "host-header-rewrite" | "url-rewrite") || !seen.insert(kind) {
            let message = format!("'{kind}' is not a transform, or is one too many");
            return Err(invalid(message));
        }
    }
    Ok(transforms)
}

fn note_transforms(site: &Site, name: &str, transforms: Vec<Value>) {
    site.facts().note(kind::RULE, name, "transforms", transforms);
}
