//! Machines of groups.

use bluegreen_core::model::InstanceId;

use super::refusal::{invalid, operated, refused};
use super::{Call, WireError, Xml, activities, show};
use crate::fake::{Machine, MachinePhase};
use crate::playground::site::Site;

/// Describes machines of groups; unknown ids are ignored.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let wanted = params.list("InstanceIds");
    let mut shown = vec![];
    for machine in site.cloud().machines() {
        let Some(group) = &machine.group else { continue };
        if wanted.is_empty() || wanted.iter().any(|id| id == machine.id.as_str()) {
            let xml = Xml::new().text("AutoScalingGroupName", group);
            // The health is written in capitals here, and nowhere else.
            let health = show::health(site, &machine).to_uppercase();
            shown.push(xml.with(show::instance(site, &machine)).text("HealthStatus", health));
        }
    }
    super::listed(params, "AutoScalingInstances", 50, shown)
}

fn find(site: &Site, id: &str) -> Result<Machine, WireError> {
    let mut machines = site.cloud().machines().into_iter();
    let found = machines.find(|one| one.id.as_str() == id && one.group.is_some());
    found.ok_or_else(|| {
        invalid(format!("Instance Id not found - No managed instance found for instance ID: {id}"))
    })
}

/// Terminates machines, each of which is replaced unless the group is to shrink.
pub(super) fn terminate(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let shrink = params
        .flag("ShouldDecrementDesiredCapacity")?
        .ok_or_else(|| invalid("The parameter ShouldDecrementDesiredCapacity is required"))?;
    let mut ids = params.list("InstanceIds");
    ids.extend(params.text("InstanceId").map(str::to_owned));
    if ids.is_empty() {
        return Err(invalid("The parameter InstanceId is required"));
    }
    let machines = ids.iter().map(|id| find(site, id)).collect::<Result<Vec<_>, _>>()?;
    check_termination(site, &machines, shrink)?;
    let mut shown = Xml::new();
    for machine in machines.iter().filter(|one| one.phase != MachinePhase::Terminating) {
        let end = if shrink { "shrinking the capacity" } else { "keeping the capacity" };
        let id = &machine.id;
        let cause =
            format!("instance {id} was taken out of service in response to a user request, {end}");
        terminate_for(site, id, cause, shrink);
    }
    activities::observe(site);
    for machine in &machines {
        if let Some(activity) = activities::last_of(site, &machine.id) {
            shown = shown.node("Activity", activity);
        }
    }
    Ok(shown)
}

fn check_termination(site: &Site, machines: &[Machine], shrink: bool) -> Result<(), WireError> {
    let world = site.cloud().world();
    for name in machines.iter().filter_map(|machine| machine.group.as_ref()) {
        let Some(group) = world.scaling_groups.get(name) else { continue };
        if let Some(operator) = &group.operator {
            return Err(operated(name, operator));
        }
        let leaving = machines.iter().filter(|one| {
            one.group.as_ref() == Some(name) && one.phase != MachinePhase::Terminating
        });
        let leaving = u32::try_from(leaving.count()).unwrap_or(u32::MAX);
        let (min, desired) = (group.capacity.min, group.capacity.desired);
        if shrink && desired.saturating_sub(leaving) < min {
            return Err(invalid(format!(
                "Currently, desiredSize equals minSize ({min}). Terminating instance without \
                 replacement will violate group's min size constraint. Either set \
                 shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )));
        }
    }
    Ok(())
}

/// Terminates a machine and notes why.
pub(crate) fn terminate_for(site: &Site, id: &InstanceId, cause: String, shrink: bool) {
    if let Some(known) = site.facts().instances.get_mut(id.as_str()) {
        known.cause = Some(cause);
    }
    if shrink {
        site.cloud().discharge(id);
    } else {
        site.cloud().terminate(id);
    }
}

/// Says whether a machine is healthy, whatever checks say.
pub(super) fn set_health(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let machine = find(site, params.need("InstanceId")?)?;
    let condemned = match params.need("HealthStatus")? {
        status if status.eq_ignore_ascii_case("unhealthy") => true,
        status if status.eq_ignore_ascii_case("healthy") => false,
        status => return Err(invalid(format!("Invalid HealthStatus: {status}"))),
    };
    let respectful = params.flag("ShouldRespectGracePeriod")?.unwrap_or(true);
    if condemned && respectful && in_grace(site, &machine) {
        return Ok(Xml::new());
    }
    match site.facts().instances.get_mut(machine.id.as_str()) {
        Some(known) => known.condemned = condemned,
        // Nobody looked at it yet.
        None => {
            return Err(refused(&bluegreen_core::cloud::CloudError::new(
                bluegreen_core::cloud::CloudErrorKind::Busy,
                "SetInstanceHealth",
                &machine.id,
            )));
        }
    }
    Ok(Xml::new())
}

/// Returns whether a machine was launched so recently that its checks do not count yet.
pub(crate) fn in_grace(site: &Site, machine: &Machine) -> bool {
    let world = site.cloud().world();
    let group = machine.group.as_ref().and_then(|name| world.scaling_groups.get(name));
    let details = group.map(|group| group.details.value());
    let grace = details.and_then(|details| details["health_check_grace_period"].as_u64());
    let age = site.cloud().elapsed().saturating_sub(machine.launched);
    age.as_secs() < grace.unwrap_or(0)
}
