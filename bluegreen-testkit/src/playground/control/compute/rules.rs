//! The rules of security groups that let something in.

use super::filter::Filters;
use super::security_groups::{find, unknown};
use super::{Call, Params, WireError, Xml, missing, tags};
use crate::playground::facts::{Facts, SecurityRule};

/// Writes rules as permissions: those of a protocol and its ports together.
pub(super) fn permissions(account: &str, rules: &[SecurityRule]) -> Vec<Xml> {
    let ports = |rule: &SecurityRule| (rule.protocol.clone(), rule.from, rule.to);
    let mut kinds: Vec<_> = rules.iter().map(ports).collect();
    kinds.sort();
    kinds.dedup();
    let show = |kind: &(String, Option<u16>, Option<u16>)| {
        let (protocol, from, to) = kind;
        let of_kind: Vec<_> = rules.iter().filter(|rule| ports(rule) == *kind).collect();
        let sources = |name: &str, pick: fn(&SecurityRule) -> Option<&String>| {
            let items = of_kind.iter().filter_map(|rule| Some((pick(rule)?, &rule.description)));
            let items = items.map(|(source, description)| {
                Xml::new().text(name, source).maybe("description", description.as_ref())
            });
            items.collect::<Vec<_>>()
        };
        let groups = sources("groupId", |rule| rule.group.as_ref()).into_iter();
        let groups = groups.map(|group| group.text("userId", account));
        Xml::new()
            .text("ipProtocol", protocol)
            .maybe("fromPort", *from)
            .maybe("toPort", *to)
            .list("groups", "item", groups)
            .list("ipRanges", "item", sources("cidrIp", |rule| rule.cidr.as_ref()))
            .list("ipv6Ranges", "item", sources("cidrIpv6", |rule| rule.cidr6.as_ref()))
            .list(
                "prefixListIds",
                "item",
                sources("prefixListId", |rule| rule.prefix_list.as_ref()),
            )
    };
    kinds.iter().map(show).collect()
}

/// A list of sources: its name, the name of what stands in it, and where that goes.
type Source = (&'static str, &'static str, fn(&mut SecurityRule, String));

/// Reads the rules that a request names, one for each source.
fn read(params: &Params, own: &str) -> Result<Vec<SecurityRule>, WireError> {
    let mut rules = vec![];
    for permission in params.structs("IpPermissions") {
        let rule = kind(&permission)?;
        let sources: [Source; 4] = [
            ("IpRanges", "CidrIp", |rule, source| rule.cidr = Some(source)),
            ("Ipv6Ranges", "CidrIpv6", |rule, source| rule.cidr6 = Some(source)),
            ("PrefixListIds", "PrefixListId", |rule, source| rule.prefix_list = Some(source)),
            ("Groups", "GroupId", |rule, source| rule.group = Some(source)),
        ];
        for (list, name, set) in sources {
            for source in permission.structs(list) {
                let Some(text) = source.text(name) else { return Err(missing(name)) };
                let description = source.text("Description").map(str::to_owned);
                let mut rule = SecurityRule { description, ..rule.clone() };
                set(&mut rule, text.to_owned());
                rules.push(rule);
            }
        }
    }
    // One rule may be said without a list.
    if params.has("IpProtocol") {
        let mut rule = kind(params)?;
        rule.cidr = params.text("CidrIp").map(str::to_owned);
        if rule.cidr.is_none() && params.has("SourceSecurityGroupName") {
            rule.group = Some(own.to_owned());
        }
        rules.push(rule);
    }
    if rules.is_empty() {
        return Err(missing("ipPermissions"));
    }
    rules.iter().try_for_each(check)?;
    Ok(rules)
}

/// Reads the protocol and the ports of a rule.
fn kind(params: &Params) -> Result<SecurityRule, WireError> {
    let protocol = params.text("IpProtocol").ok_or_else(|| missing("ipProtocol"))?;
    let protocol = match protocol {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        other => other,
    };
    let port = |name: &str| -> Result<Option<u16>, WireError> {
        let number = params.number::<i32>(name)?;
        // -1 stands for all.
        number.filter(|number| *number != -1).map(u16::try_from).transpose().map_err(|_| {
            let message = format!("Invalid value '{}' for {name}", number.unwrap_or_default());
            super::invalid(message)
        })
    };
    let (mut from, mut to) = (port("FromPort")?, port("ToPort")?);
    if protocol == "-1" {
        (from, to) = (None, None);
    } else if matches!(protocol, "tcp" | "udp") {
        if from.is_none() && to.is_none() && params.has("FromPort") {
            (from, to) = (Some(0), Some(u16::MAX));
        }
        match (from, to) {
            (Some(from), Some(to)) if from <= to => {}
            (Some(_), Some(_)) => {
                return Err(super::invalid("Invalid TCP/UDP port range: from is greater than to"));
            }
            _ => return Err(super::invalid("Must specify both from and to ports with TCP/UDP.")),
        }
    }
    Ok(SecurityRule { protocol: protocol.to_owned(), from, to, ..SecurityRule::default() })
}

fn check(rule: &SecurityRule) -> Result<(), WireError> {
    let is_range = |text: &str, most: u8, parses: fn(&str) -> bool| {
        let (address, length) = text.split_once('/').unwrap_or(("", ""));
        parses(address) && length.parse::<u8>().is_ok_and(|length| length <= most)
    };
    let v4 = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
    let v6 = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    let wrong = match (&rule.cidr, &rule.cidr6) {
        (Some(range), _) if !is_range(range, 32, v4) => range,
        (_, Some(range)) if !is_range(range, 128, v6) => range,
        _ => return Ok(()),
    };
    Err(super::invalid(format!("CIDR block {wrong} is malformed")))
}

fn same(one: &SecurityRule, other: &SecurityRule) -> bool {
    let plain =
        |rule: &SecurityRule| SecurityRule { id: String::new(), description: None, ..rule.clone() };
    plain(one) == plain(other)
}

fn said(rule: &SecurityRule) -> String {
    let sources = [&rule.cidr, &rule.cidr6, &rule.group, &rule.prefix_list];
    let peer = sources.into_iter().flatten().next().cloned().unwrap_or_default();
    let ports = match (rule.from, rule.to) {
        (Some(from), Some(to)) => format!(", from port: {from}, to port: {to}"),
        _ => String::new(),
    };
    let protocol = if rule.protocol == "-1" { "ALL" } else { &rule.protocol.to_uppercase() };
    format!("peer: {peer}, {protocol}{ports}, ALLOW")
}

/// Lets something in; what is let in already is refused.
pub(super) fn authorize(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let added = {
        let mut facts = site.facts();
        let id = find(&facts, params)?;
        let rules = read(params, &id)?;
        let known = |rule: &SecurityRule| {
            facts.security_groups[&id].ingress.iter().any(|one| same(one, rule))
        };
        if let Some(rule) = rules.iter().find(|rule| known(rule)) {
            let message = format!("the specified rule \"{}\" already exists", said(rule));
            return Err(WireError::new("InvalidPermission.Duplicate", message));
        }
        let other = |rule: &SecurityRule| {
            let group = rule.group.as_ref()?;
            (!facts.security_groups.contains_key(group)).then(|| group.clone())
        };
        if let Some(group) = rules.iter().find_map(other) {
            return Err(unknown(&group));
        }
        let mut added = vec![];
        for rule in rules {
            let number = facts.next().to_string();
            let rule_id = format!("sgr-0{}", facts.identity("new-security-rule", &number));
            added.push(SecurityRule { id: rule_id, ..rule });
        }
        for rule in &added {
            tags::specify(&mut facts, params, "security-group-rule", &rule.id);
        }
        if let Some(group) = facts.security_groups.get_mut(&id) {
            group.ingress.extend(added.clone());
        }
        let shown: Vec<Xml> =
            added.iter().map(|rule| show(&facts, &site.account, &id, rule)).collect();
        shown
    };
    site.follow_security_groups();
    Ok(super::done().list("securityGroupRuleSet", "item", added))
}

/// Lets something in no more: by the ids of rules, or by what they say.
pub(super) fn revoke(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let revoked = {
        let mut facts = site.facts();
        let id = find(&facts, params)?;
        let ids = params.list("SecurityGroupRuleId");
        let ingress = &facts.security_groups[&id].ingress;
        if let Some(absent) = ids.iter().find(|id| !ingress.iter().any(|rule| rule.id == **id)) {
            let message = format!("The security group rule ID '{absent}' does not exist");
            return Err(WireError::new("InvalidSecurityGroupRuleId.NotFound", message));
        }
        let named = if ids.is_empty() { read(params, &id)? } else { vec![] };
        if named.iter().any(|wanted| !ingress.iter().any(|rule| same(rule, wanted))) {
            let message = "The specified rule does not exist in this security group.";
            return Err(WireError::new("InvalidPermission.NotFound", message));
        }
        let is_meant = |rule: &SecurityRule| {
            ids.contains(&rule.id) || named.iter().any(|wanted| same(rule, wanted))
        };
        let gone: Vec<_> = ingress.iter().filter(|rule| is_meant(rule)).cloned().collect();
        let shown: Vec<Xml> =
            gone.iter().map(|rule| show(&facts, &site.account, &id, rule)).collect();
        if let Some(group) = facts.security_groups.get_mut(&id) {
            group.ingress.retain(|rule| !gone.contains(rule));
        }
        shown
    };
    site.follow_security_groups();
    Ok(super::done().list("revokedSecurityGroupRuleSet", "item", revoked))
}

/// Describes rules.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let wanted = params.list("SecurityGroupRuleId");
    let filters = Filters::read(params);
    let facts = site.facts();
    let all: Vec<(&String, &SecurityRule)> = facts
        .security_groups
        .iter()
        .flat_map(|(id, group)| group.ingress.iter().map(move |rule| (id, rule)))
        .collect();
    if let Some(absent) = wanted.iter().find(|id| !all.iter().any(|(_, rule)| rule.id == **id)) {
        let message = format!("The security group rule ID '{absent}' does not exist");
        return Err(WireError::new("InvalidSecurityGroupRuleId.NotFound", message));
    }
    let mut shown = vec![];
    for (group, rule) in all {
        let tags = tags::of(&facts, &rule.id);
        let admitted = filters.admit(|name| match name {
            "group-id" => Some(vec![group.clone()]),
            "security-group-rule-id" => Some(vec![rule.id.clone()]),
            _ => super::filter::of_tags(name, tags.iter()),
        })?;
        if admitted && (wanted.is_empty() || wanted.contains(&rule.id)) {
            shown.push(show(&facts, &site.account, group, rule));
        }
    }
    super::listed(params, "securityGroupRuleSet", shown)
}

fn show(facts: &Facts, account: &str, group: &str, rule: &SecurityRule) -> Xml {
    let port = |port: Option<u16>| port.map_or(-1, i32::from);
    let xml = Xml::new()
        .text("securityGroupRuleId", &rule.id)
        .text("groupId", group)
        .text("groupOwnerId", account)
        .text("isEgress", false)
        .text("ipProtocol", &rule.protocol)
        .text("fromPort", port(rule.from))
        .text("toPort", port(rule.to))
        .maybe("cidrIpv4", rule.cidr.as_ref())
        .maybe("cidrIpv6", rule.cidr6.as_ref())
        .maybe("prefixListId", rule.prefix_list.as_ref())
        .maybe("description", rule.description.as_ref())
        .with(tags::show(&tags::of(facts, &rule.id)));
    match &rule.group {
        Some(source) => {
            let source = Xml::new().text("groupId", source).text("userId", account);
            xml.node("referencedGroupInfo", source)
        }
        None => xml,
    }
}
