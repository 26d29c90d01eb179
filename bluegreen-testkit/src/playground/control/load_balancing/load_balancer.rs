//! Load balancers themselves.

use std::collections::BTreeSet;

use bluegreen_core::model::{LoadBalancerKind, LoadBalancerName};
use bluegreen_core::transaction::{Clock, SystemClock};

use super::super::{Call, Params, WireError, Xml};
use super::Names;
use super::arn::kind;
use super::refusal::{configuration, invalid, no_load_balancer, not_permitted};
use super::{network, page, tag};
use crate::fake::{LoadBalancerState, World};
use crate::playground::facts::{LoadBalancerFacts, VPC};
use crate::playground::site::Site;

pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let name = LoadBalancerName::new(new_name(params.need("Name")?)?);
    let kind = read_kind(params.text("Type").unwrap_or("application"))?;
    let facts = read_facts(site, params, kind)?;
    let tags = tag::read(params)?;
    let existing = site.cloud().world().load_balancers.get(&name).map(|found| found.kind);
    match existing {
        Some(found) if found == kind && same(&facts_of(site, &name), &facts) => {
            return Ok(described(site, [&name]));
        }
        Some(_) => {
            return Err(WireError::new(
                "DuplicateLoadBalancerName",
                format!(
                    "A load balancer with the same name '{name}' exists, but with different settings"
                ),
            ));
        }
        None => {}
    }
    let (guarded, openings) = {
        let mut all = site.facts();
        all.forget(kind::LOAD_BALANCER, name.as_str());
        note_created(&mut all, &name);
        let guard = all.guard(&facts.security_groups);
        all.load_balancers.insert(name.to_string(), facts);
        guard
    };
    let balancer = LoadBalancerState {
        kind,
        deletion_protection: false,
        tags,
        shut: [].into(),
        openings,
        guarded,
        listeners: [].into(),
    };
    site.cloud().amend(|world| {
        world.load_balancers.entry(name.clone()).or_insert(balancer);
        Ok::<(), WireError>(())
    })?;
    Ok(described(site, [&name]))
}

pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let (names, arns) = (params.list("Names"), params.list("LoadBalancerArns"));
    if !names.is_empty() && !arns.is_empty() {
        return Err(invalid(
            "Load balancer names and load balancer ARNs cannot be specified at the same time",
        ));
    }
    page::at_most(&names, "load balancers")?;
    page::at_most(&arns, "load balancers")?;
    let world = site.cloud().glimpse(World::clone);
    let by_arn = arns.iter().map(|arn| Names::of(site).find_load_balancer(&world, arn));
    let by_name = names.iter().map(|name| {
        let name = LoadBalancerName::new(name);
        world.load_balancers.contains_key(&name).then_some(name)
    });
    let asked: Option<BTreeSet<_>> = by_arn.chain(by_name).collect();
    let asked = asked.ok_or_else(|| {
        WireError::new("LoadBalancerNotFound", "One or more load balancers not found")
    })?;
    let all = names.is_empty() && arns.is_empty();
    let found = world.load_balancers.keys().filter(|name| all || asked.contains(name));
    let page = page::cut(params, found.map(|name| (name.to_string(), name)).collect())?;
    let members = page.items.into_iter().map(|name| describe_one(site, &world, name));
    Ok(Xml::new().list("LoadBalancers", "member", members).maybe("NextMarker", page.next))
}

pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let arn = call.params.need("LoadBalancerArn")?;
    // One that is not there is as good as deleted.
    let found = Names::of(site).find_load_balancer(&site.cloud().world(), arn);
    let Some(name) = found else { return Ok(Xml::new()) };
    site.cloud().amend(|world| {
        if world.load_balancers.get(&name).is_some_and(|found| found.deletion_protection) {
            return Err(not_permitted(format!(
                "Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            )));
        }
        world.load_balancers.remove(&name);
        Ok(())
    })?;
    site.facts().load_balancers.remove(name.as_str());
    Ok(Xml::new())
}

/// Finds the load balancer that a call is about.
pub(super) fn wanted(call: &Call<'_>, world: &World) -> Result<LoadBalancerName, WireError> {
    let arn = call.params.need("LoadBalancerArn")?;
    Names::of(call.site).find_load_balancer(world, arn).ok_or_else(|| no_load_balancer(arn))
}

/// Returns what is known of a load balancer; of one that came with the world, what is usual.
pub(super) fn facts_of(site: &Site, name: &LoadBalancerName) -> LoadBalancerFacts {
    let all = site.facts();
    let mut facts = all.load_balancers.get(name.as_str()).cloned().unwrap_or_default();
    for (text, usual) in [
        (&mut facts.scheme, "internet-facing"),
        (&mut facts.vpc, VPC),
        (&mut facts.ip_address_type, "ipv4"),
    ] {
        if text.is_empty() {
            usual.clone_into(text);
        }
    }
    if facts.subnets.is_empty() {
        let subnets = all.subnets.iter().filter(|(_, subnet)| subnet.vpc == facts.vpc);
        facts.subnets = subnets.map(|(id, _)| id.clone()).collect();
    }
    facts
}

/// Describes load balancers as they are now, whatever reads show.
fn described<'a>(site: &Site, names: impl IntoIterator<Item = &'a LoadBalancerName>) -> Xml {
    let world = site.cloud().world();
    let members = names.into_iter().map(|name| describe_one(site, &world, name));
    Xml::new().list("LoadBalancers", "member", members)
}

fn describe_one(site: &Site, world: &World, name: &LoadBalancerName) -> Xml {
    let facts = facts_of(site, name);
    let kind = world.load_balancers.get(name).map(|found| found.kind);
    let created = note_created(&mut site.facts(), name);
    let xml = Xml::new()
        .text("LoadBalancerArn", Names::of(site).load_balancer(world, name))
        .text("DNSName", site.address_of(name))
        .text("CanonicalHostedZoneId", "Z00000000000PLAYGROUND")
        .text("CreatedTime", created)
        .text("LoadBalancerName", name)
        .text("Scheme", &facts.scheme)
        .text("VpcId", &facts.vpc)
        .node("State", Xml::new().text("Code", "active"))
        .text("Type", kind.map_or("application", kind_name))
        .with(network::zones(site, &facts.subnets));
    let xml = if facts.security_groups.is_empty() {
        xml
    } else {
        xml.texts("SecurityGroups", "member", &facts.security_groups)
    };
    xml.text("IpAddressType", &facts.ip_address_type)
}

/// Returns when a load balancer was made; one that came with the world, when it was first seen.
fn note_created(facts: &mut crate::playground::facts::Facts, name: &LoadBalancerName) -> String {
    let noted = facts.noted(kind::LOAD_BALANCER, name.as_str(), "created");
    if let Some(created) = noted.and_then(|created| created.as_str()) {
        return created.to_owned();
    }
    let now = SystemClock.now().to_string();
    facts.note(kind::LOAD_BALANCER, name.as_str(), "created", now.clone());
    now
}

fn read_facts(
    site: &Site,
    params: &Params,
    kind: LoadBalancerKind,
) -> Result<LoadBalancerFacts, WireError> {
    let scheme = params.text("Scheme").unwrap_or("internet-facing");
    if !matches!(scheme, "internet-facing" | "internal") {
        let message = format!("'{scheme}' is not a scheme that a load balancer can have");
        return Err(WireError::new("InvalidScheme", message));
    }
    let subnets = network::read_subnets(site, params, kind)?;
    let vpc = site.facts().subnets.get(&subnets[0]).map(|subnet| subnet.vpc.clone());
    let vpc = vpc.unwrap_or_default();
    let groups = network::read_security_groups(site, params, &vpc)?;
    let security_groups = match groups {
        Some(_) if kind == LoadBalancerKind::Gateway => {
            return Err(configuration(
                "Security groups are not supported for load balancers of type 'gateway'",
            ));
        }
        Some(groups) => groups,
        None if kind == LoadBalancerKind::Application => {
            vec![network::default_security_group(site, &vpc)]
        }
        None => vec![],
    };
    let ip_address_type = network::read_ip_address_type(params)?;
    let attributes = [].into();
    Ok(LoadBalancerFacts {
        scheme: scheme.to_owned(),
        vpc,
        subnets,
        security_groups,
        attributes,
        ip_address_type,
    })
}

fn same(found: &LoadBalancerFacts, wanted: &LoadBalancerFacts) -> bool {
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    found.scheme == wanted.scheme
        && found.ip_address_type == wanted.ip_address_type
        && set(&found.subnets) == set(&wanted.subnets)
        && set(&found.security_groups) == set(&wanted.security_groups)
}

fn new_name(name: &str) -> Result<&str, WireError> {
    let no = |why: &str| Err(invalid(format!("The load balancer name '{name}' {why}")));
    if name.is_empty() || name.len() > 32 {
        return no("cannot be longer than '32' characters");
    }
    if !name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-') {
        return no("can only contain characters that are alphanumeric characters and hyphens(-)");
    }
    if name.starts_with('-') || name.ends_with('-') {
        return no("cannot begin or end with a hyphen(-)");
    }
    if name.starts_with("internal-") {
        return no("cannot begin with 'internal-'");
    }
    Ok(name)
}

fn read_kind(text: &str) -> Result<LoadBalancerKind, WireError> {
    match text {
        "application" => Ok(LoadBalancerKind::Application),
        "network" => Ok(LoadBalancerKind::Network),
        "gateway" => Ok(LoadBalancerKind::Gateway),
        _ => Err(invalid(format!("'{text}' is not a type that a load balancer can have"))),
    }
}

fn kind_name(kind: LoadBalancerKind) -> &'static str {
    match kind {
        LoadBalancerKind::Network => "network",
        LoadBalancerKind::Gateway => "gateway",
        _ => "application",
    }
}
