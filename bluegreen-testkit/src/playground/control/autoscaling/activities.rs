//! What happened to the machines of groups, taken down by whoever looks.

use std::collections::{BTreeMap, BTreeSet};

use bluegreen_core::model::{
    InstanceId, LaunchSource, ScalingGroupName, TemplateVersion, Timestamp,
};
use serde_json::Value;

use super::{Call, WireError, Xml};
use crate::fake::{Machine, MachinePhase, ScalingGroupState, World};
use crate::playground::control::{names, time};
use crate::playground::facts::{Activity, Facts, InstanceFacts};
use crate::playground::site::Site;

/// For how long a machine that is gone can be asked for.
const REMEMBERED_MILLIS: u64 = 3_600_000;

/// How many activities of a group are kept.
const KEPT: usize = 1000;

/// Takes note of what happened to machines since the last look.
pub(crate) fn observe(site: &Site) {
    let _alone = site.watch();
    let machines = site.cloud().machines();
    let world = site.cloud().world();
    let launched: BTreeMap<&InstanceId, Timestamp> =
        machines.iter().map(|one| (&one.id, time::of(site, one.launched))).collect();
    let now = time::now();
    let mut facts = site.facts();
    for machine in &machines {
        if !facts.instances.contains_key(machine.id.as_str()) {
            let at = launched.get(&machine.id).copied().unwrap_or(now);
            begin(&mut facts, &world, machine, at);
        }
        follow(&mut facts, machine, now);
    }
    let present: BTreeSet<&str> = machines.iter().map(|one| one.id.as_str()).collect();
    end(&mut facts, &present, now);
    for (name, group) in &world.scaling_groups {
        note_failure(&mut facts, &world, name, group, &machines, now);
    }
    for activities in facts.activities.values_mut() {
        let surplus = activities.len().saturating_sub(KEPT);
        activities.drain(..surplus);
    }
}

fn begin(facts: &mut Facts, world: &World, machine: &Machine, at: Timestamp) {
    let group = machine.group.as_ref().and_then(|name| world.scaling_groups.get(name));
    let launch = group.map(|group| &group.launch);
    let source = launch.and_then(|launch| launched_from(world, launch));
    let data = launch.and_then(|launch| world.launch_data(launch));
    let kind = data.and_then(|data| data.details.value()["InstanceType"].as_str());
    if let Some((template, Some(version))) = &source {
        let template = format!("lt-0{}", facts.identity("launch-template", template));
        facts.note("tags", machine.id.as_str(), "aws:ec2launchtemplate:id", template);
        let version = version.to_string();
        facts.note("tags", machine.id.as_str(), "aws:ec2launchtemplate:version", version);
    }
    let specified = data.map(|data| &data.details.value()["TagSpecification"]);
    for (key, value) in specified.into_iter().flat_map(tags_of_machines) {
        facts.note("tags", machine.id.as_str(), key, value);
    }
    let known = InstanceFacts {
        group: machine.group.as_ref().map(ToString::to_string),
        image: machine.image.to_string(),
        kind: kind.unwrap_or("t3.micro").to_owned(),
        source,
        launched: at,
        cause: None,
        condemned: false,
        leaving: None,
        gone: None,
    };
    let id = machine.id.as_str();
    if let Some((name, group)) = machine.group.as_ref().zip(group) {
        facts.note("tags", id, "aws:autoscaling:groupName", name.as_str());
        for (key, tag) in group.tags.iter().filter(|(_, tag)| tag.propagate) {
            facts.note("tags", id, key, tag.value.as_str());
        }
        let before = serving(facts, name.as_str());
        let cause = format!(
            "At {} an instance was started in response to a difference between desired and actual \
             capacity, increasing the capacity from {before} to {}.",
            time::text(at),
            before + 1
        );
        let activity = Activity {
            id: facts.next(),
            instance: Some(id.to_owned()),
            description: format!("Launching a new EC2 instance: {id}"),
            cause,
            status: "PreInService".to_owned(),
            message: None,
            began: at,
            ended: None,
        };
        facts.activities.entry(name.to_string()).or_default().push(activity);
    }
    facts.instances.insert(id.to_owned(), known);
}

/// Returns the tags that a template has for machines.
fn tags_of_machines(specifications: &Value) -> Vec<(&str, &str)> {
    let all = specifications.as_array().into_iter().flatten();
    let of_machines = all.filter(|one| one["ResourceType"] == "instance");
    let tags = of_machines.filter_map(|one| one["Tag"].as_array()).flatten();
    tags.filter_map(|tag| Some((tag["Key"].as_str()?, tag["Value"].as_str()?))).collect()
}

fn launched_from(world: &World, launch: &LaunchSource) -> Option<(String, Option<u64>)> {
    if let Some((template, version)) = launch.template() {
        let number = world.templates.get(template)?.number(version)?;
        return Some((template.to_string(), Some(number)));
    }
    match launch {
        LaunchSource::Configuration(name) => Some((name.to_string(), None)),
        _ => None,
    }
}

/// Counts the machines of a group that are not on their way out.
fn serving(facts: &Facts, group: &str) -> usize {
    let of_group = facts.instances.values().filter(|one| one.group.as_deref() == Some(group));
    of_group.filter(|one| one.leaving.is_none() && one.gone.is_none()).count()
}

fn follow(facts: &mut Facts, machine: &Machine, now: Timestamp) {
    let id = machine.id.as_str();
    match machine.phase {
        MachinePhase::Pending => {}
        MachinePhase::InService => finish(facts, id, "PreInService", "Successful", now),
        MachinePhase::Terminating => {
            finish(facts, id, "PreInService", "Cancelled", now);
            leave(facts, id, now);
        }
    }
}

fn leave(facts: &mut Facts, id: &str, now: Timestamp) {
    let Some(known) = facts.instances.get(id).filter(|known| known.leaving.is_none()) else {
        return;
    };
    let (group, cause) = (known.group.clone(), known.cause.clone());
    if let Some(group) = group {
        let before = serving(facts, &group);
        let cause = cause.unwrap_or_else(|| {
            format!(
                "an instance was taken out of service in response to a difference between desired \
                 and actual capacity, shrinking the capacity from {before} to {}.",
                before.saturating_sub(1)
            )
        });
        let activity = Activity {
            id: facts.next(),
            instance: Some(id.to_owned()),
            description: format!("Terminating EC2 instance: {id}"),
            cause: format!("At {} {cause}", time::text(now)),
            status: "InProgress".to_owned(),
            message: None,
            began: now,
            ended: None,
        };
        facts.activities.entry(group).or_default().push(activity);
    }
    if let Some(known) = facts.instances.get_mut(id) {
        known.leaving = Some(now);
    }
}

/// Takes note of the machines that are gone.
fn end(facts: &mut Facts, present: &BTreeSet<&str>, now: Timestamp) {
    let gone: Vec<String> = facts
        .instances
        .iter()
        .filter(|(id, known)| known.gone.is_none() && !present.contains(id.as_str()))
        .map(|(id, _)| id.clone())
        .collect();
    for id in gone {
        leave(facts, &id, now);
        finish(facts, &id, "InProgress", "Successful", now);
        if let Some(known) = facts.instances.get_mut(&id) {
            known.gone = Some(now);
        }
    }
    let forgotten = |known: &InstanceFacts| {
        known.gone.is_some_and(|gone| gone.as_millis() + REMEMBERED_MILLIS < now.as_millis())
    };
    let old: Vec<String> = facts
        .instances
        .iter()
        .filter(|(_, known)| forgotten(known))
        .map(|(id, _)| id.clone())
        .collect();
    for id in old {
        facts.instances.remove(&id);
        facts.forget("tags", &id);
    }
}

fn finish(facts: &mut Facts, id: &str, from: &str, to: &str, now: Timestamp) {
    let all = facts.activities.values_mut().flatten();
    let open = all.filter(|one| one.instance.as_deref() == Some(id) && one.status == from);
    for activity in open {
        to.clone_into(&mut activity.status);
        activity.ended = Some(now);
    }
}

/// Takes note of a group that cannot launch what it wants: once for each reason in a row.
fn note_failure(
    facts: &mut Facts,
    world: &World,
    name: &ScalingGroupName,
    group: &ScalingGroupState,
    machines: &[Machine],
    now: Timestamp,
) {
    let wanted = machines
        .iter()
        .filter(|one| one.group.as_ref() == Some(name) && one.phase != MachinePhase::Terminating);
    let have = wanted.count();
    if have >= group.capacity.desired as usize {
        return;
    }
    let Some(why) = obstacle(world, group) else { return };
    let last = facts.activities.get(name.as_str()).and_then(|all| all.last());
    if last.is_some_and(|last| last.message.as_deref() == Some(&why)) {
        return;
    }
    let activity = Activity {
        id: facts.next(),
        instance: None,
        description: format!("Launching a new EC2 instance.  Status Reason: {why}"),
        cause: format!(
            "At {} an instance was started in response to a difference between desired and actual \
             capacity, increasing the capacity from {have} to {}.",
            time::text(now),
            group.capacity.desired
        ),
        status: "Failed".to_owned(),
        message: Some(why),
        began: now,
        ended: Some(now),
    };
    facts.activities.entry(name.to_string()).or_default().push(activity);
}

/// Returns why a group can launch nothing, if that is so.
fn obstacle(world: &World, group: &ScalingGroupState) -> Option<String> {
    let unknown = group.target_groups.iter().any(|one| !world.target_groups.contains_key(one));
    if unknown {
        let why =
            "One or more target groups not found. Validating load balancer configuration failed.";
        return Some(why.to_owned());
    }
    match world.launch_data(&group.launch) {
        None => {
            let version = match group.launch.template() {
                Some((_, TemplateVersion::Number(number))) => format!("version {number}"),
                _ => group.launch.to_string(),
            };
            Some(format!(
                "You must use a valid fully-formed launch template. There is no {version}. \
                 Launching EC2 instance failed."
            ))
        }
        Some(data) if !world.images.contains(&data.image) => Some(format!(
            "The image id '[{}]' does not exist. Launching EC2 instance failed.",
            data.image
        )),
        Some(_) => None,
    }
}

/// Returns the last activity of a machine.
pub(super) fn last_of(site: &Site, id: &InstanceId) -> Option<Xml> {
    let found = {
        let facts = site.facts();
        let mut all = facts.activities.iter();
        all.find_map(|(group, list)| {
            let of_machine = |one: &&Activity| one.instance.as_deref() == Some(id.as_str());
            Some((group.clone(), list.iter().rev().find(of_machine)?.clone()))
        })
    };
    let (group, activity) = found?;
    Some(show(site, &group, &activity))
}

/// Describes what happened, the newest first.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let group = params.text("AutoScalingGroupName");
    let deleted_too = params.flag("IncludeDeletedGroups")?.unwrap_or(false);
    if let Some(name) = group.filter(|_| !deleted_too) {
        super::find(site, &ScalingGroupName::new(name))?;
    }
    let wanted = params.list("ActivityIds");
    let mut found: Vec<(String, Activity)> = {
        let facts = site.facts();
        let all = facts.activities.iter().filter(|(name, _)| group.is_none_or(|one| one == *name));
        all.flat_map(|(name, list)| list.iter().map(|one| (name.clone(), one.clone()))).collect()
    };
    found.retain(|(_, one)| wanted.is_empty() || wanted.contains(&id_of(one)));
    found.sort_by_key(|(_, one)| std::cmp::Reverse(one.id));
    let shown = found.iter().map(|(name, one)| show(site, name, one)).collect();
    super::listed(params, "Activities", 100, shown)
}

fn id_of(activity: &Activity) -> String {
    names::uuid(&format!("{:016x}", activity.id))
}

fn show(site: &Site, group: &str, activity: &Activity) -> Xml {
    let progress = match activity.status.as_str() {
        "PreInService" => 30,
        "InProgress" => 50,
        _ => 100,
    };
    let zone = activity.instance.as_ref().map(|id| site.zone_of(&InstanceId::new(id.as_str())));
    let details = zone.map(|zone| serde_json::json!({"Availability Zone": zone}));
    Xml::new()
        .text("ActivityId", id_of(activity))
        .text("AutoScalingGroupName", group)
        .text("AutoScalingGroupARN", names::scaling_group_arn(site, &ScalingGroupName::new(group)))
        .text("Description", &activity.description)
        .text("Cause", &activity.cause)
        .text("StartTime", time::text(activity.began))
        .maybe("EndTime", activity.ended.map(time::text))
        .text("StatusCode", &activity.status)
        .maybe("StatusMessage", activity.message.as_deref())
        .text("Progress", progress)
        .maybe("Details", details.as_ref().map(Value::to_string))
}
