//! Target groups.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluegreen_core::model::{Opaque, TargetGroupName, TargetGroupSettings};
use serde_json::{Map, Value};

use super::super::{Call, Params, WireError, Xml};
use super::arn::{Names, kind};
use super::load_balancer::wanted as wanted_balancer;
use super::refusal::{invalid, no_target_group};
use super::{action, attribute, check, page, tag};
use crate::fake::{World, validate};
use crate::playground::site::Site;

/// The most target groups of a region.
const MOST: usize = 3000;
/// What AWS gives a target group that nobody has told otherwise.
const USUAL_DELAY: Duration = Duration::from_mins(5);
const PROTOCOLS: [&str; 9] =
    ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"];

pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let name = TargetGroupName::new(new_name(params.need("Name")?)?);
    let wanted = read(site, params)?;
    let exists = site.cloud().world().target_groups.contains_key(&name);
    if !exists {
        // Whatever had the name before, this is another target group.
        site.facts().forget(kind::TARGET_GROUP, name.as_str());
    }
    site.cloud().amend(|world| {
        match world.target_groups.get(&name) {
            // As AWS is understood: attributes and tags are no settings.
            Some(found) if same(found, &wanted) => return Ok(()),
            Some(_) => {
                return Err(WireError::new(
                    "DuplicateTargetGroupName",
                    format!(
                        "A target group with the same name '{name}' exists, but with different settings"
                    ),
                ));
            }
            None => {}
        }
        if world.target_groups.len() >= MOST {
            let message = format!("A region can have at most {MOST} target groups");
            return Err(WireError::new("TooManyTargetGroups", message));
        }
        world.target_groups.insert(name.clone(), wanted);
        Ok(())
    })?;
    Ok(described(site, &name))
}

pub(super) fn modify(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let name = wanted(call, &site.cloud().world())?;
    site.cloud().amend(|world| {
        let settings = world.target_groups.get_mut(&name).ok_or_else(no_target_group)?;
        let mut details = details_of(settings);
        check::read(params, &mut details)?;
        check::complete(&settings.protocol, &mut details);
        check::check(&settings.protocol, &details)?;
        settings.details = Opaque::new(details.into());
        Ok::<(), WireError>(())
    })?;
    Ok(described(site, &name))
}

pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let arn = call.params.need("TargetGroupArn")?;
    // One that is not there is as good as deleted, since no error for it is documented.
    let found = Names::of(site).find_target_group(&site.cloud().world(), arn);
    let Some(name) = found else { return Ok(Xml::new()) };
    let lingers = site.cloud().uses(&name);
    site.cloud().amend(|world| {
        let mut routes = world.routes().flat_map(|(_, actions)| actions.as_slice());
        let used = routes.any(|one| action::names_target_group(one, &name, arn));
        drop(routes);
        if used || lingers {
            let message =
                format!("Target group '{arn}' is currently in use by a listener or a rule");
            return Err(WireError::new("ResourceInUse", message));
        }
        world.target_groups.remove(&name);
        Ok(())
    })?;
    Ok(Xml::new())
}

pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let world = site.cloud().glimpse(World::clone);
    let (by_names, arns) = (params.list("Names"), params.list("TargetGroupArns"));
    let of_balancer = params.text("LoadBalancerArn").is_some();
    let selectors = [!by_names.is_empty(), !arns.is_empty(), of_balancer];
    if selectors.into_iter().filter(|one| *one).count() > 1 {
        return Err(invalid(
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time",
        ));
    }
    page::at_most(&by_names, "target groups")?;
    page::at_most(&arns, "target groups")?;
    let references = world.references();
    let found: BTreeSet<TargetGroupName> = if of_balancer {
        let balancer = wanted_balancer(call, &world)?;
        let used = references.iter().filter(|(_, owners)| owners.contains(&balancer));
        used.map(|(name, _)| name.clone()).collect()
    } else if by_names.is_empty() && arns.is_empty() {
        world.target_groups.keys().cloned().collect()
    } else {
        let by_name = by_names.iter().map(|name| {
            let name = TargetGroupName::new(name);
            world.target_groups.contains_key(&name).then_some(name)
        });
        let by_arn = arns.iter().map(|arn| Names::of(site).find_target_group(&world, arn));
        by_name.chain(by_arn).collect::<Option<_>>().ok_or_else(no_target_group)?
    };
    let keyed = found.into_iter().map(|name| (name.to_string(), name));
    let page = page::cut(params, keyed.collect())?;
    let members = page.items.iter().filter_map(|name| describe_one(site, &world, name));
    Ok(Xml::new().list("TargetGroups", "member", members).maybe("NextMarker", page.next))
}

/// Finds the target group that a call is about.
pub(super) fn wanted(call: &Call<'_>, world: &World) -> Result<TargetGroupName, WireError> {
    let arn = call.params.need("TargetGroupArn")?;
    Names::of(call.site).find_target_group(world, arn).ok_or_else(no_target_group)
}

/// Returns what an adapter carries of a target group.
pub(super) fn details_of(settings: &TargetGroupSettings) -> Map<String, Value> {
    settings.details.value().as_object().cloned().unwrap_or_default()
}

/// Describes a target group as it is now, whatever reads show.
fn described(site: &Site, name: &TargetGroupName) -> Xml {
    let world = site.cloud().world();
    Xml::new().list("TargetGroups", "member", describe_one(site, &world, name))
}

fn describe_one(site: &Site, world: &World, name: &TargetGroupName) -> Option<Xml> {
    let settings = world.target_groups.get(name)?;
    let names = Names::of(site);
    let mut details = details_of(settings);
    check::complete(&settings.protocol, &mut details);
    let text = |field: &str| details.get(field).and_then(Value::as_str);
    let owners = world.references().remove(name).unwrap_or_default();
    let owners = owners.iter().map(|owner| names.load_balancer(world, owner));
    let is_lambda = text("target_type") == Some("lambda");
    let xml = Xml::new()
        .text("TargetGroupArn", names.target_group(name))
        .text("TargetGroupName", name)
        .maybe("Protocol", (!is_lambda).then_some(&settings.protocol))
        .maybe("Port", (!is_lambda).then_some(settings.port))
        .maybe("VpcId", text("vpc_id"))
        .with(check::write(&details))
        .texts("LoadBalancerArns", "member", owners)
        .text("TargetType", text("target_type").unwrap_or("instance"))
        .maybe("ProtocolVersion", text("protocol_version"))
        .maybe("IpAddressType", text("ip_address_type"))
        .maybe("TargetControlPort", details.get("target_control_port").and_then(Value::as_u64));
    Some(xml)
}

fn read(site: &Site, params: &Params) -> Result<TargetGroupSettings, WireError> {
    let mut details = Map::new();
    let target_type = params.text("TargetType").unwrap_or("instance");
    if !matches!(target_type, "instance" | "ip" | "alb") {
        let message = format!("Target type '{target_type}' is not one that the playground has");
        return Err(invalid(message));
    }
    details.insert("target_type".to_owned(), target_type.into());
    let protocol = params.need("Protocol")?;
    if !PROTOCOLS.contains(&protocol) {
        let message = format!("The protocol '{protocol}' is not supported by target groups");
        return Err(WireError::new("UnsupportedProtocol", message));
    }
    params.need("Port")?;
    let port = params.number::<u16>("Port")?.unwrap_or_default();
    if port == 0 {
        return Err(invalid("The port of a target group must be between 1 and 65535"));
    }
    let Some(vpc) = params.text("VpcId") else {
        return Err(invalid("A VPC ID must be specified"));
    };
    if !site.facts().vpcs.contains_key(vpc) {
        return Err(invalid(format!("The VPC ID '{vpc}' is not found")));
    }
    details.insert("vpc_id".to_owned(), vpc.into());
    if let Some(port) = params.number::<u16>("TargetControlPort")? {
        details.insert("target_control_port".to_owned(), port.into());
    }
    let ip_address_type = params.text("IpAddressType").unwrap_or("ipv4");
    if !matches!(ip_address_type, "ipv4" | "ipv6") {
        return Err(invalid(format!("'{ip_address_type}' is not an IP address type")));
    }
    details.insert("ip_address_type".to_owned(), ip_address_type.into());
    read_version(params, protocol, &mut details)?;
    check::read(params, &mut details)?;
    check::complete(protocol, &mut details);
    check::check(protocol, &details)?;
    let usual: Map<String, Value> = attribute::usual_of_target_group(protocol, target_type)
        .into_iter()
        .filter(|(key, _)| key != attribute::DELAY)
        .map(|(key, value)| (key, value.into()))
        .collect();
    details.insert("attributes".to_owned(), usual.into());
    Ok(TargetGroupSettings {
        port,
        protocol: protocol.to_owned(),
        deregistration_delay: USUAL_DELAY,
        details: Opaque::new(details.into()),
        tags: tag::read(params)?,
        sticky: false,
    })
}

fn read_version(
    params: &Params,
    protocol: &str,
    details: &mut Map<String, Value>,
) -> Result<(), WireError> {
    let is_http = matches!(protocol, "HTTP" | "HTTPS");
    let version = params.text("ProtocolVersion").or(is_http.then_some("HTTP1"));
    match version {
        Some(version @ ("HTTP1" | "HTTP2" | "GRPC")) if is_http => {
            details.insert("protocol_version".to_owned(), version.into());
            Ok(())
        }
        Some(version) => Err(invalid(format!(
            "Protocol version '{version}' is not supported by target groups with protocol '{protocol}'"
        ))),
        None => Ok(()),
    }
}

/// Returns whether a target group is what another call would make, whatever its attributes.
fn same(found: &TargetGroupSettings, wanted: &TargetGroupSettings) -> bool {
    let bare = |settings: &TargetGroupSettings| {
        let mut details = details_of(settings);
        check::complete(&settings.protocol, &mut details);
        details.remove("attributes");
        details.into_iter().collect::<BTreeMap<_, _>>()
    };
    found.port == wanted.port && found.protocol == wanted.protocol && bare(found) == bare(wanted)
}

fn new_name(name: &str) -> Result<&str, WireError> {
    let no = |why: &str| Err(invalid(format!("Target group name '{name}' {why}")));
    if validate::is_target_group_name(name) {
        return Ok(name);
    }
    if name.is_empty() || name.len() > 32 {
        return no("cannot be longer than '32' characters");
    }
    if !name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-') {
        return no("can only contain characters that are alphanumeric characters or hyphens(-)");
    }
    if name.starts_with('-') || name.ends_with('-') {
        return no("cannot begin or end with a hyphen(-)");
    }
    no("fails to satisfy the constraint: (?!.*--)(?!^-)(?!.*-$)^[A-Za-z0-9-]+$")
}
