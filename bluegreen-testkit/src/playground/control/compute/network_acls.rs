//! Network ACLs: each network has the one that it begins with, and its entries can be changed.

use super::filter::Filters;
use super::{Call, Params, WireError, Xml, done, invalid, need};
use crate::playground::facts::{ACL, AclEntry, LAST, VPC};

/// Describes network ACLs.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let wanted = params.list("NetworkAclId");
    if let Some(unknown) = wanted.iter().find(|id| *id != ACL) {
        return Err(no_acl(unknown));
    }
    let facts = site.facts();
    let of_network = facts.subnets.iter().filter(|(_, subnet)| subnet.vpc == VPC);
    let subnets: Vec<String> = of_network.map(|(id, _)| id.clone()).collect();
    let admitted = Filters::read(params).admit(|name| {
        Some(match name {
            "association.subnet-id" => subnets.clone(),
            "network-acl-id" | "association.network-acl-id" => vec![ACL.to_owned()],
            "vpc-id" => vec![VPC.to_owned()],
            "default" => vec!["true".to_owned()],
            _ => return None,
        })
    })?;
    let associations = subnets.iter().map(|subnet| {
        Xml::new()
            .text("networkAclAssociationId", format!("aclassoc-{}", subnet.replace("subnet-", "")))
            .text("networkAclId", ACL)
            .text("subnetId", subnet)
    });
    let mut entries: Vec<Xml> = facts.acl.iter().map(show).collect();
    entries.extend(
        [true, false]
            .map(|egress| show(&AclEntry { number: LAST, allow: false, ..AclEntry::all(egress) })),
    );
    let acl = Xml::new()
        .text("networkAclId", ACL)
        .text("vpcId", VPC)
        .text("default", true)
        .text("ownerId", &site.account)
        .list("associationSet", "item", associations)
        .list("entrySet", "item", entries);
    super::listed(params, "networkAclSet", admitted.then_some(acl).into_iter().collect())
}

fn show(entry: &AclEntry) -> Xml {
    let xml = Xml::new()
        .text("ruleNumber", entry.number)
        .text("protocol", &entry.protocol)
        .text("ruleAction", if entry.allow { "allow" } else { "deny" })
        .text("egress", entry.egress)
        .maybe("cidrBlock", entry.cidr.as_ref())
        .maybe("ipv6CidrBlock", entry.cidr6.as_ref());
    match entry.ports {
        Some((from, to)) => xml.node("portRange", Xml::new().text("from", from).text("to", to)),
        None => xml,
    }
}

/// Adds an entry (`replace` is false) or puts another in its place.
pub(super) fn put(call: &Call<'_>, replace: bool) -> Result<Xml, WireError> {
    let (number, egress) = named(call.params)?;
    let entry = read(call.params, number, egress)?;
    let is_same = |one: &AclEntry| one.number == number && one.egress == egress;
    {
        let mut facts = call.site.facts();
        match (facts.acl.iter().position(is_same), replace) {
            (Some(at), true) => facts.acl[at] = entry,
            (None, false) => facts.acl.push(entry),
            (Some(_), false) => {
                let message =
                    format!("The network acl entry identified by {number} already exists.");
                return Err(WireError::new("NetworkAclEntryAlreadyExists", message));
            }
            (None, true) => return Err(no_entry(number)),
        }
    }
    call.site.follow_security_groups();
    Ok(done())
}

/// Deletes an entry.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let (number, egress) = named(call.params)?;
    {
        let mut facts = call.site.facts();
        let before = facts.acl.len();
        facts.acl.retain(|one| one.number != number || one.egress != egress);
        if facts.acl.len() == before {
            return Err(no_entry(number));
        }
    }
    call.site.follow_security_groups();
    Ok(done())
}

fn named(params: &Params) -> Result<(u16, bool), WireError> {
    let acl = need(params, "NetworkAclId")?;
    if acl != ACL {
        return Err(no_acl(acl));
    }
    need(params, "RuleNumber")?;
    let number = params.number::<u16>("RuleNumber")?.unwrap_or_default();
    if number == 0 || number >= LAST {
        return Err(invalid("The rule number must be between 1 and 32766"));
    }
    Ok((number, params.flag("Egress")?.unwrap_or(false)))
}

fn read(params: &Params, number: u16, egress: bool) -> Result<AclEntry, WireError> {
    let allow = match need(params, "RuleAction")? {
        "allow" => true,
        "deny" => false,
        other => return Err(invalid(format!("'{other}' is not a rule action"))),
    };
    let protocol = match need(params, "Protocol")? {
        "tcp" => "6",
        "udp" => "17",
        "all" => "-1",
        other => other,
    };
    let text = |name: &str| params.text(name).map(str::to_owned);
    let (cidr, cidr6) = (text("CidrBlock"), text("Ipv6CidrBlock"));
    if cidr.is_some() == cidr6.is_some() {
        return Err(invalid("Exactly one of CidrBlock and Ipv6CidrBlock must be given"));
    }
    let range = params.part("PortRange");
    let ports = range.number::<u16>("From")?.zip(range.number::<u16>("To")?);
    if ports.is_none() && matches!(protocol, "6" | "17") {
        return Err(super::missing("PortRange"));
    }
    Ok(AclEntry { number, egress, protocol: protocol.to_owned(), allow, cidr, cidr6, ports })
}

fn no_acl(id: &str) -> WireError {
    let message = format!("The networkAcl ID '{id}' does not exist");
    WireError::new("InvalidNetworkAclID.NotFound", message)
}

fn no_entry(number: u16) -> WireError {
    let message = format!("The network acl entry identified by {number} does not exist.");
    WireError::new("InvalidNetworkAclEntry.NotFound", message)
}
