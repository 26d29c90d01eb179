//! Tags of load balancers, listeners, rules and target groups.

use bluegreen_core::model::Tags;

use super::super::{Call, Params, WireError, Xml};
use super::Names;
use super::arn::Thing;
use super::page;
use super::refusal::{invalid, no_listener, no_load_balancer, no_rule, no_target_group};
use crate::fake::World;
use crate::playground::site::Site;

/// The most tags of a resource.
const MOST: usize = 50;

pub(super) fn add(call: &Call<'_>) -> Result<Xml, WireError> {
    let tags = read(call.params)?;
    if tags.is_empty() {
        return Err(invalid("You must specify at least one tag"));
    }
    change(call, |found| found.extend(tags.clone()))
}

pub(super) fn remove(call: &Call<'_>) -> Result<Xml, WireError> {
    let keys = call.params.list("TagKeys");
    change(call, |found| found.retain(|key, _| !keys.contains(key)))
}

pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let arns = call.params.list("ResourceArns");
    page::at_most(&arns, "resources")?;
    let world = call.site.cloud().glimpse(World::clone);
    let mut members = vec![];
    for arn in &arns {
        let tags = tags_of(&world, &find(call.site, &world, arn)?);
        let tags = tags.iter().map(|(key, value)| Xml::new().text("Key", key).text("Value", value));
        members.push(Xml::new().text("ResourceArn", arn).list("Tags", "member", tags));
    }
    Ok(Xml::new().list("TagDescriptions", "member", members))
}

/// Reads the tags that something is to have.
pub(super) fn read(params: &Params) -> Result<Tags, WireError> {
    let mut tags = Tags::new();
    for tag in params.structs("Tags") {
        let key = tag.need("Key")?;
        if key.is_empty() || key.len() > 128 || key.starts_with("aws:") {
            return Err(invalid(format!("'{key}' is not a key that a tag can have")));
        }
        let value = tag.text("Value").unwrap_or_default();
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            let message = format!("Duplicate tag key '{key}' in the request");
            return Err(WireError::new("DuplicateTagKeys", message));
        }
    }
    check(&tags)?;
    Ok(tags)
}

fn change(call: &Call<'_>, change: impl Fn(&mut Tags)) -> Result<Xml, WireError> {
    let site = call.site;
    let world = site.cloud().world();
    let arns = call.params.list("ResourceArns");
    if arns.is_empty() {
        return Err(invalid("You must specify at least one resource"));
    }
    let things = arns.iter().map(|arn| find(site, &world, arn));
    let things = things.collect::<Result<Vec<_>, _>>()?;
    for thing in &things {
        let mut tags = tags_of(&world, thing);
        change(&mut tags);
        check(&tags)?;
    }
    site.cloud().amend(|world| {
        for thing in &things {
            if let Some(found) = tags_mut(world, thing) {
                change(found);
            }
        }
        Ok::<(), WireError>(())
    })?;
    Ok(Xml::new())
}

fn check(tags: &Tags) -> Result<(), WireError> {
    if tags.len() > MOST {
        let message = format!("A resource cannot have more than {MOST} tags");
        return Err(WireError::new("TooManyTags", message));
    }
    Ok(())
}

fn find(site: &Site, world: &World, arn: &str) -> Result<Thing, WireError> {
    Names::of(site).find(world, arn).ok_or_else(|| {
        let kind = arn.splitn(6, ':').nth(5).and_then(|resource| resource.split('/').next());
        match kind {
            Some("loadbalancer") => no_load_balancer(arn),
            Some("listener") => no_listener(),
            Some("listener-rule") => no_rule(),
            Some("targetgroup") => no_target_group(),
            _ => invalid(format!("'{arn}' is not a valid resource ARN")),
        }
    })
}

fn tags_of(world: &World, thing: &Thing) -> Tags {
    let found = match thing {
        Thing::LoadBalancer(name) => world.load_balancers.get(name).map(|one| &one.tags),
        Thing::Listener(key) => world.listener(key).map(|one| &one.tags),
        Thing::TargetGroup(name) => world.target_groups.get(name).map(|one| &one.tags),
        Thing::Rule(key) => world.rule(key).map(|one| &one.tags),
    };
    found.cloned().unwrap_or_default()
}

fn tags_mut<'a>(world: &'a mut World, thing: &Thing) -> Option<&'a mut Tags> {
    match thing {
        Thing::LoadBalancer(name) => Some(&mut world.load_balancers.get_mut(name)?.tags),
        Thing::Listener(key) => Some(&mut world.listener_mut(key)?.tags),
        Thing::TargetGroup(name) => Some(&mut world.target_groups.get_mut(name)?.tags),
        Thing::Rule(key) => {
            let rules = &mut world.listener_mut(&key.listener)?.rules;
            Some(&mut rules.get_mut(&key.priority?)?.tags)
        }
    }
}
