//! Where load balancers stand: subnets, security groups, families of addresses.

use std::collections::BTreeSet;

use bluegreen_core::model::{LoadBalancerKind, LoadBalancerName};

use super::super::{Call, Params, WireError, Xml};
use super::load_balancer::{facts_of, wanted};
use super::refusal::{configuration, invalid};
use crate::playground::facts::{LoadBalancerFacts, SecurityGroup};
use crate::playground::site::Site;

pub(super) fn set_security_groups(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().world();
    let name = wanted(call, &world)?;
    let mut facts = facts_of(call.site, &name);
    let groups = read_security_groups(call.site, call.params, &facts.vpc)?;
    let Some(groups) = groups else {
        return Err(invalid("You must specify at least one security group"));
    };
    match world.load_balancers[&name].kind {
        LoadBalancerKind::Gateway => {
            return Err(configuration(
                "Security groups are not supported for load balancers of type 'gateway'",
            ));
        }
        LoadBalancerKind::Network if facts.security_groups.is_empty() => {
            return Err(configuration(
                "You cannot set security groups of a Network Load Balancer that was created without any",
            ));
        }
        _ => {}
    }
    facts.security_groups.clone_from(&groups);
    keep(call.site, &name, facts);
    call.site.follow_security_groups();
    Ok(Xml::new().texts("SecurityGroupIds", "member", groups))
}

pub(super) fn set_subnets(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().world();
    let name = wanted(call, &world)?;
    let mut facts = facts_of(call.site, &name);
    let subnets = read_subnets(call.site, call.params, world.load_balancers[&name].kind)?;
    if call.params.text("IpAddressType").is_some() {
        facts.ip_address_type = read_ip_address_type(call.params)?;
    }
    facts.subnets.clone_from(&subnets);
    let ip_address_type = facts.ip_address_type.clone();
    keep(call.site, &name, facts);
    Ok(zones(call.site, &subnets).text("IpAddressType", ip_address_type))
}

pub(super) fn set_ip_address_type(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().world();
    let name = wanted(call, &world)?;
    call.params.need("IpAddressType")?;
    let mut facts = facts_of(call.site, &name);
    facts.ip_address_type = read_ip_address_type(call.params)?;
    let ip_address_type = facts.ip_address_type.clone();
    keep(call.site, &name, facts);
    Ok(Xml::new().text("IpAddressType", ip_address_type))
}

/// Reads the subnets of a load balancer, one in each zone.
pub(super) fn read_subnets(
    site: &Site,
    params: &Params,
    kind: LoadBalancerKind,
) -> Result<Vec<String>, WireError> {
    let mut ids = params.list("Subnets");
    for mapping in params.structs("SubnetMappings") {
        ids.push(mapping.need("SubnetId")?.to_owned());
    }
    let facts = site.facts();
    let mut zones = BTreeSet::new();
    for id in &ids {
        let Some(subnet) = facts.subnets.get(id) else {
            let message = format!("The subnet ID '{id}' does not exist");
            return Err(WireError::new("SubnetNotFound", message));
        };
        if !zones.insert(&subnet.zone) {
            return Err(configuration(
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
            ));
        }
    }
    match (zones.len(), kind) {
        (0, _) => Err(invalid("At least one subnet must be specified")),
        (1, LoadBalancerKind::Application) => Err(invalid(
            "At least two subnets in two different Availability Zones must be specified",
        )),
        _ => Ok(ids),
    }
}

/// Reads security groups, all of which must exist; `None` if there are none.
pub(super) fn read_security_groups(
    site: &Site,
    params: &Params,
    vpc: &str,
) -> Result<Option<Vec<String>>, WireError> {
    let ids = params.list("SecurityGroups");
    let facts = site.facts();
    let is_there =
        |id: &String| facts.security_groups.get(id).is_some_and(|group| group.vpc == vpc);
    if let Some(missing) = ids.iter().find(|id| !is_there(id)) {
        let message = format!("The security group '{missing}' does not exist in VPC '{vpc}'");
        return Err(WireError::new("InvalidSecurityGroup", message));
    }
    Ok((!ids.is_empty()).then_some(ids))
}

pub(super) fn read_ip_address_type(params: &Params) -> Result<String, WireError> {
    match params.text("IpAddressType").unwrap_or("ipv4") {
        text @ ("ipv4" | "dualstack" | "dualstack-without-public-ipv4") => Ok(text.to_owned()),
        other => Err(invalid(format!("'{other}' is not an IP address type"))),
    }
}

/// Returns the default security group of a network, which lets in nobody from outside.
pub(super) fn default_security_group(site: &Site, vpc: &str) -> String {
    let mut facts = site.facts();
    let mut groups = facts.security_groups.iter();
    let found = groups.find(|(_, group)| group.vpc == vpc && group.name == "default");
    if let Some((id, _)) = found {
        return id.clone();
    }
    let id = format!("sg-{}", facts.identity("default-security-group", vpc));
    let group = SecurityGroup {
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc: vpc.to_owned(),
        ..SecurityGroup::default()
    };
    facts.security_groups.insert(id.clone(), group);
    id
}

/// Describes the zones in which a load balancer stands.
pub(super) fn zones(site: &Site, subnets: &[String]) -> Xml {
    let facts = site.facts();
    let members = subnets.iter().map(|id| {
        let zone = facts.subnets.get(id).map(|subnet| subnet.zone.as_str());
        Xml::new().maybe("ZoneName", zone).text("SubnetId", id)
    });
    Xml::new().list("AvailabilityZones", "member", members)
}

fn keep(site: &Site, name: &LoadBalancerName, facts: LoadBalancerFacts) {
    site.facts().load_balancers.insert(name.to_string(), facts);
}
