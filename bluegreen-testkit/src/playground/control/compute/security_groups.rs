//! Security groups.

use super::filter::{self, Filters};
use super::{Call, Params, WireError, Xml, need, rules, tags};
use crate::playground::facts::{Facts, SecurityGroup, VPC};

/// Refuses a security group that is not there.
pub(super) fn unknown(id: &str) -> WireError {
    let message = format!("The security group '{id}' does not exist");
    WireError::new("InvalidGroup.NotFound", message)
}

/// Finds the security group that a request is about, by id or by name.
pub(super) fn find(facts: &Facts, params: &Params) -> Result<String, WireError> {
    if let Some(id) = params.text("GroupId") {
        let found = facts.security_groups.contains_key(id);
        return if found { Ok(id.to_owned()) } else { Err(unknown(id)) };
    }
    let name = need(params, "GroupName").map_err(|_| super::missing("GroupId"))?;
    let mut groups = facts.security_groups.iter();
    let found = groups.find(|(_, group)| group.name == name).map(|(id, _)| id.clone());
    found.ok_or_else(|| unknown(name))
}

/// Makes a security group that lets nobody in.
pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = need(params, "GroupName")?;
    let description = need(params, "GroupDescription")?;
    let vpc = params.text("VpcId").unwrap_or(VPC);
    let mut facts = site.facts();
    if !facts.vpcs.contains_key(vpc) {
        let message = format!("The vpc ID '{vpc}' does not exist");
        return Err(WireError::new("InvalidVpcID.NotFound", message));
    }
    if name.starts_with("sg-") {
        let message = "Group names may not be in the format sg-*";
        return Err(super::invalid(message));
    }
    if facts.security_groups.values().any(|group| group.name == name && group.vpc == vpc) {
        let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
        return Err(WireError::new("InvalidGroup.Duplicate", message));
    }
    let number = facts.next().to_string();
    let id = format!("sg-0{}", facts.identity("new-security-group", &number));
    let group = SecurityGroup {
        name: name.to_owned(),
        description: description.to_owned(),
        vpc: vpc.to_owned(),
        ..SecurityGroup::default()
    };
    facts.security_groups.insert(id.clone(), group);
    tags::specify(&mut facts, params, "security-group", &id);
    let tags = tags::of(&facts, &id);
    Ok(super::done().text("groupId", &id).with(tags::show(&tags)))
}

/// Deletes a security group that nothing uses.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let living = site.cloud().world().load_balancers;
    let mut facts = site.facts();
    let id = find(&facts, params)?;
    let guards = facts.load_balancers.iter().any(|(name, balancer)| {
        living.keys().any(|one| one.as_str() == name) && balancer.security_groups.contains(&id)
    });
    let named = facts.security_groups.iter().any(|(other, group)| {
        *other != id && group.ingress.iter().any(|rule| rule.group.as_ref() == Some(&id))
    });
    if guards || named {
        let message = format!("resource {id} has a dependent object");
        return Err(WireError::new("DependencyViolation", message));
    }
    facts.security_groups.remove(&id);
    Ok(super::done().text("groupId", &id))
}

/// Describes security groups; one that is asked for and not there fails the call.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let (ids, names) = (params.list("GroupId"), params.list("GroupName"));
    let filters = Filters::read(params);
    let facts = site.facts();
    if let Some(id) = ids.iter().find(|id| !facts.security_groups.contains_key(*id)) {
        return Err(unknown(id));
    }
    let is_name = |name: &&String| facts.security_groups.values().any(|one| one.name == **name);
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Err(unknown(name));
    }
    let mut shown = vec![];
    for (id, group) in &facts.security_groups {
        let admitted = filters.admit(|name| {
            Some(vec![match name {
                "group-id" => id.clone(),
                "group-name" => group.name.clone(),
                "vpc-id" => group.vpc.clone(),
                "description" => group.description.clone(),
                "owner-id" => site.account.clone(),
                _ => return filter::of_tags(name, group.tags.iter()),
            }])
        })?;
        let is_wanted = (ids.is_empty() || ids.contains(id))
            && (names.is_empty() || names.contains(&group.name));
        if admitted && is_wanted {
            shown.push(show(&site.account, id, group));
        }
    }
    super::listed(params, "securityGroupInfo", shown)
}

fn show(account: &str, id: &str, group: &SecurityGroup) -> Xml {
    let all = Xml::new()
        .text("ipProtocol", "-1")
        .list("groups", "item", [])
        .list("ipRanges", "item", [Xml::new().text("cidrIp", "0.0.0.0/0")])
        .list("ipv6Ranges", "item", [])
        .list("prefixListIds", "item", []);
    Xml::new()
        .text("groupId", id)
        .text("groupName", &group.name)
        .text("groupDescription", &group.description)
        .text("vpcId", &group.vpc)
        .text("ownerId", account)
        .list("ipPermissions", "item", rules::permissions(account, &group.ingress))
        .list("ipPermissionsEgress", "item", [all])
        .with(tags::show(&group.tags))
}
