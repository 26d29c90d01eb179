//! Target groups in which groups register their machines, and other sources of traffic.

use std::collections::BTreeSet;

use bluegreen_core::model::{HealthState, ScalingGroupName, TargetGroupName};
use serde_json::{Map, Value, json};

use super::refusal::invalid;
use super::{Call, GROUP, Params, WireError, Xml, condition, settings};
use crate::fake::{MachinePhase, ScalingGroupState, VisibleGroup};
use crate::playground::control::names;
use crate::playground::site::Site;

/// How target groups are called among sources of traffic.
const TARGET_GROUP: &str = "elbv2";

/// What sends traffic to a group.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) target_groups: BTreeSet<TargetGroupName>,
    /// Those target groups that were named as sources of traffic, not as target groups.
    named_otherwise: BTreeSet<TargetGroupName>,
    others: Vec<Value>,
}

/// Reads what a request names: target groups must be there.
pub(super) fn read_sources(site: &Site, params: &Params) -> Result<Sources, WireError> {
    let mut sources = Sources::default();
    for arn in params.list("TargetGroupARNs") {
        sources.target_groups.insert(existing(site, &arn)?);
    }
    for source in params.structs("TrafficSources") {
        let identifier = source.need("Identifier")?;
        let is_target_group = match source.text("Type") {
            Some(kind) => kind == TARGET_GROUP,
            None => names::target_group_of(identifier).is_some(),
        };
        if is_target_group {
            let name = existing(site, identifier)?;
            sources.named_otherwise.insert(name.clone());
            sources.target_groups.insert(name);
        } else {
            let kind = source.text("Type").unwrap_or("elb");
            sources.others.push(json!({"Identifier": identifier, "Type": kind}));
        }
    }
    Ok(sources)
}

fn existing(site: &Site, arn: &str) -> Result<TargetGroupName, WireError> {
    let name = names::target_group_of(arn);
    let name = name.filter(|name| site.cloud().world().target_groups.contains_key(name));
    let name = name.filter(|name| names::target_group_arn(site, name) == arn);
    name.ok_or_else(|| {
        invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    })
}

/// Notes how the target groups of a new group were named.
pub(super) fn note_created(site: &Site, name: &ScalingGroupName, sources: &Sources) {
    note(site, name, |notes| {
        for target_group in &sources.named_otherwise {
            notes.insert(target_group.to_string(), json!({"as": "source", "since": "creation"}));
        }
    });
    keep_others(site, name, |others| others.extend(sources.others.clone()));
}

fn note(site: &Site, name: &ScalingGroupName, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut facts = site.facts();
    let old = facts.noted(GROUP, name.as_str(), "attachments").and_then(Value::as_object);
    let mut notes = old.cloned().unwrap_or_default();
    change(&mut notes);
    facts.note(GROUP, name.as_str(), "attachments", notes);
}

fn noted(site: &Site, name: &ScalingGroupName, target_group: &TargetGroupName) -> Value {
    let facts = site.facts();
    let notes = facts.noted(GROUP, name.as_str(), "attachments");
    notes.and_then(|notes| notes.get(target_group.as_str())).cloned().unwrap_or_default()
}

fn keep_others(site: &Site, name: &ScalingGroupName, change: impl FnOnce(&mut Vec<Value>)) {
    let mut kept = condition::kept(site, name);
    let others = kept.remove("OtherTrafficSources");
    let mut others = others.and_then(|one| one.as_array().cloned()).unwrap_or_default();
    let before = others.len();
    change(&mut others);
    if !others.is_empty() {
        kept.insert("OtherTrafficSources".to_owned(), others.into());
    } else if before == 0 {
        return;
    }
    condition::keep(site, name, kept);
}

fn others(site: &Site, name: &ScalingGroupName) -> Vec<Value> {
    let others = condition::kept(site, name).remove("OtherTrafficSources");
    others.and_then(|one| one.as_array().cloned()).unwrap_or_default()
}

fn is_source(site: &Site, name: &ScalingGroupName, target_group: &TargetGroupName) -> bool {
    noted(site, name, target_group)["as"] == "source"
}

/// Returns the target groups that were named as such.
pub(super) fn of_kind_target_group(
    site: &Site,
    name: &ScalingGroupName,
    state: &ScalingGroupState,
) -> Vec<TargetGroupName> {
    let all = state.target_groups.iter();
    all.filter(|target_group| !is_source(site, name, target_group)).cloned().collect()
}

/// Lists every source of traffic of a group, without its state.
pub(super) fn identifiers(
    site: &Site,
    name: &ScalingGroupName,
    state: &ScalingGroupState,
) -> Vec<Xml> {
    let arns = state.target_groups.iter().map(|one| names::target_group_arn(site, one));
    let mut all: Vec<Xml> = arns.map(|arn| identifier(&arn, TARGET_GROUP)).collect();
    let others = others(site, name);
    all.extend(others.iter().map(|source| {
        let text = |key: &str| source[key].as_str().unwrap_or_default().to_owned();
        identifier(&text("Identifier"), &text("Type"))
    }));
    all
}

fn identifier(identifier: &str, kind: &str) -> Xml {
    Xml::new().text("Identifier", identifier).text("Type", kind)
}

/// Returns how far a target group has come: one that a group was made with is in service at once.
fn progress(site: &Site, group: &VisibleGroup, target_group: &TargetGroupName) -> &'static str {
    if noted(site, &group.name, target_group)["since"] != "attachment" {
        return "InService";
    }
    let health = site.cloud().health(target_group);
    let state_of = |machine: &crate::fake::Machine| {
        health.iter().find(|target| target.target == machine.id).map(|target| target.state)
    };
    let machines = site.cloud().machines();
    let serving = machines.iter().filter(|one| {
        one.group.as_ref() == Some(&group.name) && one.phase == MachinePhase::InService
    });
    let states: Vec<_> = serving.map(state_of).collect();
    if settings::follows_load_balancers(group.state.details.value())
        && states.contains(&Some(HealthState::Healthy))
    {
        return "InService";
    }
    let registered =
        |state: &Option<HealthState>| state.is_some_and(|state| state != HealthState::Draining);
    if states.iter().all(registered) { "Added" } else { "Adding" }
}

/// Returns whether a target group is in service: only then does a group believe its checks.
pub(crate) fn serves(
    site: &Site,
    group: &ScalingGroupName,
    target_group: &TargetGroupName,
) -> bool {
    super::find(site, group).is_ok_and(|group| progress(site, &group, target_group) == "InService")
}

/// Returns the target groups that machines of a group are still being taken out of.
fn leaving(site: &Site, group: &VisibleGroup) -> Vec<TargetGroupName> {
    let machines = site.cloud().machines();
    let of_group: BTreeSet<_> = machines
        .iter()
        .filter(|one| one.group.as_ref() == Some(&group.name))
        .map(|one| &one.id)
        .collect();
    let gone = site.cloud().all_health().into_iter().filter(|(name, health)| {
        !group.state.target_groups.contains(name)
            && health
                .iter()
                .any(|one| one.state == HealthState::Draining && of_group.contains(&one.target))
    });
    gone.map(|(name, _)| name).collect()
}

pub(super) fn attach_target_groups(call: &Call<'_>) -> Result<Xml, WireError> {
    attach(call)
}

pub(super) fn attach_sources(call: &Call<'_>) -> Result<Xml, WireError> {
    attach(call)
}

fn attach(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    if let Some(status) = site.cloud().refresh_of(&name) {
        let message = format!("An instance refresh is in the state {status}");
        return Err(WireError::new("InstanceRefreshInProgress", message));
    }
    let sources = read_sources(site, params)?;
    let total = sources.target_groups.len() + sources.others.len();
    if total == 0 || total > 10 {
        return Err(super::refusal::out_of_range("The number of traffic sources", 1, 10));
    }
    let added = super::amend(site, &name, |group| {
        let new: Vec<_> = sources.target_groups.difference(&group.target_groups).cloned().collect();
        if group.target_groups.len() + new.len() > 50 {
            return Err(WireError::new(
                "LimitExceeded",
                "An AutoScalingGroup has at most 50 target groups",
            ));
        }
        group.target_groups.extend(new.iter().cloned());
        Ok(new)
    })?;
    note(site, &name, |notes| {
        for target_group in added {
            let kind = if sources.named_otherwise.contains(&target_group) {
                "source"
            } else {
                "target-group"
            };
            notes.insert(target_group.to_string(), json!({"as": kind, "since": "attachment"}));
        }
    });
    if !sources.others.is_empty() {
        keep_others(site, &name, |others| {
            others.retain(|one| !sources.others.contains(one));
            others.extend(sources.others.clone());
        });
        condition::restate(site, &name);
    }
    Ok(Xml::new())
}

pub(super) fn detach_target_groups(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    let arns = params.list("TargetGroupARNs");
    let named: Option<BTreeSet<_>> = arns.iter().map(|arn| names::target_group_of(arn)).collect();
    let named = named.filter(|named| named.iter().all(|one| !is_source(site, &name, one)));
    detach(site, &name, &named.ok_or_else(not_part)?)
}

fn not_part() -> WireError {
    invalid("Trying to remove Target Groups that are not part of the group")
}

fn detach(
    site: &Site,
    name: &ScalingGroupName,
    named: &BTreeSet<TargetGroupName>,
) -> Result<Xml, WireError> {
    super::amend(site, name, |group| {
        if !named.is_subset(&group.target_groups) {
            return Err(not_part());
        }
        group.target_groups.retain(|one| !named.contains(one));
        Ok(())
    })?;
    note(site, name, |notes| notes.retain(|one, _| !named.iter().any(|gone| gone.as_str() == one)));
    Ok(Xml::new())
}

pub(super) fn detach_sources(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    let mut named = BTreeSet::new();
    let mut gone = vec![];
    for source in params.structs("TrafficSources") {
        let identifier = source.need("Identifier")?;
        match names::target_group_of(identifier) {
            Some(target_group) => drop(named.insert(target_group)),
            None => gone.push(identifier.to_owned()),
        }
    }
    let result = detach(site, &name, &named)?;
    if !gone.is_empty() {
        let is_gone = |one: &Value| gone.iter().any(|gone| one["Identifier"] == gone.as_str());
        keep_others(site, &name, |others| others.retain(|one| !is_gone(one)));
        condition::restate(site, &name);
    }
    Ok(result)
}

pub(super) fn describe_target_groups(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let group = super::find(site, &super::group_name(params)?)?;
    let show = |name: &TargetGroupName, state: &str| {
        Xml::new()
            .text("LoadBalancerTargetGroupARN", names::target_group_arn(site, name))
            .text("State", state)
    };
    let attached = of_kind_target_group(site, &group.name, &group.state);
    let mut shown: Vec<Xml> =
        attached.iter().map(|name| show(name, progress(site, &group, name))).collect();
    shown.extend(leaving(site, &group).iter().map(|name| show(name, "Removing")));
    super::listed(params, "LoadBalancerTargetGroups", 100, shown)
}

pub(super) fn describe_sources(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let group = super::find(site, &super::group_name(params)?)?;
    let wanted = params.text("TrafficSourceType");
    let is_wanted = |kind: &str| wanted.is_none_or(|wanted| wanted == kind);
    let mut shown = vec![];
    if is_wanted(TARGET_GROUP) {
        let show = |name: &TargetGroupName, state: &str| {
            identifier(&names::target_group_arn(site, name), TARGET_GROUP).text("State", state)
        };
        let all = group.state.target_groups.iter();
        shown.extend(all.map(|name| show(name, progress(site, &group, name))));
        shown.extend(leaving(site, &group).iter().map(|name| show(name, "Removing")));
    }
    for source in others(site, &group.name) {
        let text = |key: &str| source[key].as_str().unwrap_or_default().to_owned();
        if is_wanted(&text("Type")) {
            let xml = identifier(&text("Identifier"), &text("Type"));
            shown.push(xml.text("State", "InService"));
        }
    }
    super::listed(params, "TrafficSources", 50, shown)
}
