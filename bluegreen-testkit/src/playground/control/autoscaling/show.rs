//! Groups and their machines in replies.

use bluegreen_core::model::{GroupTag, Process, ScalingGroupName};
use serde_json::Value;

use super::{GROUP, Xml, attachments, condition, fittings, launch, processes, settings};
use crate::fake::{Machine, MachinePhase, VisibleGroup};
use crate::playground::control::{names, time};
use crate::playground::site::Site;

/// Writes a group.
pub(super) fn group(site: &Site, group: &VisibleGroup, with_instances: bool) -> Xml {
    let VisibleGroup { name, state, dying } = group;
    let machines = if with_instances { site.cloud().machines() } else { vec![] };
    let machines = machines.iter().filter(|one| one.group.as_ref() == Some(name));
    let instances =
        machines.map(|machine| instance(site, machine).text("HealthStatus", health(site, machine)));
    let arns = attachments::of_kind_target_group(site, name, state);
    let arns: Vec<String> = arns.iter().map(|name| names::target_group_arn(site, name)).collect();
    let sources = attachments::identifiers(site, name, state);
    let suspended = suspended(site, name, &state.suspended.iter().copied().collect::<Vec<_>>());
    let created = site.facts().noted(GROUP, name.as_str(), "created").cloned();
    let created = created.as_ref().and_then(Value::as_str).map(str::to_owned);
    let created = created.unwrap_or_else(|| time::text(time::of(site, std::time::Duration::ZERO)));
    let operator = state.operator.as_ref();
    let xml = Xml::new()
        .text("AutoScalingGroupName", name)
        .text("AutoScalingGroupARN", names::scaling_group_arn(site, name))
        .with(launch::show(site, &state.launch))
        .text("MinSize", state.capacity.min)
        .text("MaxSize", state.capacity.max)
        .text("DesiredCapacity", state.capacity.desired)
        .with(settings::show(site, state.details.value()))
        .with(fittings::show(state))
        .texts("TargetGroupARNs", "member", arns)
        .list("TrafficSources", "member", sources)
        .list("Instances", "member", instances)
        .text("CreatedTime", created)
        .list("SuspendedProcesses", "member", suspended)
        .list("Tags", "member", state.tags.iter().map(|(key, one)| tag(name, key, one)))
        .maybe("Status", dying.then_some("Delete in progress"))
        .with(condition::show(site, name));
    let xml = match operator {
        Some(operator) => {
            xml.node("Operator", Xml::new().text("Managed", true).text("Principal", operator))
        }
        None => xml,
    };
    let members = &state.details.value()["members"];
    if members.get("NewInstancesProtectedFromScaleIn").is_some() {
        xml
    } else {
        xml.text("NewInstancesProtectedFromScaleIn", false)
    }
}

fn suspended(site: &Site, name: &ScalingGroupName, known: &[Process]) -> Vec<Xml> {
    let mut all: Vec<String> = known.iter().map(ToString::to_string).collect();
    all.sort();
    let reason = |process: &str| {
        let since = processes::since(site, name, process);
        since.map_or_else(|| "User suspended".to_owned(), |at| format!("User suspended at {at}"))
    };
    let show = |process: String| {
        Xml::new().text("ProcessName", &process).text("SuspensionReason", reason(&process))
    };
    all.into_iter().map(show).collect()
}

/// Writes a tag of a group.
pub(super) fn tag(group: &ScalingGroupName, key: &str, tag: &GroupTag) -> Xml {
    Xml::new()
        .text("ResourceId", group)
        .text("ResourceType", "auto-scaling-group")
        .text("Key", key)
        .text("Value", &tag.value)
        .text("PropagateAtLaunch", tag.propagate)
}

/// Writes a machine as its group shows it, without its health.
pub(super) fn instance(site: &Site, machine: &Machine) -> Xml {
    let known = site.facts().instances.get(machine.id.as_str()).cloned();
    let kind = known.as_ref().map(|known| known.kind.clone()).filter(|kind| !kind.is_empty());
    Xml::new()
        .text("InstanceId", &machine.id)
        .maybe("InstanceType", kind)
        .text("AvailabilityZone", site.zone_of(&machine.id))
        .text("LifecycleState", lifecycle(machine.phase))
        .with(launch::show_launched(site, known.as_ref().and_then(|known| known.source.as_ref())))
        .text("ProtectedFromScaleIn", false)
}

/// Returns how a state is called.
pub(super) fn lifecycle(phase: MachinePhase) -> &'static str {
    match phase {
        MachinePhase::Pending => "Pending",
        MachinePhase::InService => "InService",
        MachinePhase::Terminating => "Terminating",
    }
}

/// Returns whether a group takes a machine for healthy, as it says it.
pub(super) fn health(site: &Site, machine: &Machine) -> &'static str {
    let facts = site.facts();
    let condemned = facts.instances.get(machine.id.as_str()).is_some_and(|known| known.condemned);
    if machine.stopped || condemned { "Unhealthy" } else { "Healthy" }
}
