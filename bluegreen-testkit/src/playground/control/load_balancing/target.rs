//! Who is in a target group, and how they are.

use bluegreen_core::model::{HealthState, InstanceId, TargetGroupName, TargetHealth};

use super::super::{Call, WireError, Xml};
use super::refusal::{configuration, invalid};
use super::target_group::wanted;
use crate::fake::{MachinePhase, World};

/// The most targets of a group.
const MOST: usize = 1000;

/// A target, as a call names it.
struct Named {
    instance: InstanceId,
    port: u16,
}

pub(super) fn register(call: &Call<'_>) -> Result<Xml, WireError> {
    let cloud = call.site.cloud();
    let world = cloud.world();
    let name = wanted(call, &world)?;
    let targets = read(call, &world, &name)?;
    let settings = &world.target_groups[&name];
    if settings.details.value()["target_type"].as_str().is_some_and(|kind| kind != "instance") {
        return Err(configuration(
            "The playground registers targets only in target groups with the target type 'instance'",
        ));
    }
    if let Some(target) = targets.iter().find(|target| target.port != settings.port) {
        let Named { instance, port } = target;
        return Err(configuration(format!(
            "The playground registers targets only on the port of their target group: '{instance}:{port}'"
        )));
    }
    let machines = cloud.machines();
    let runs = |target: &&Named| {
        machines.iter().any(|machine| {
            machine.id == target.instance
                && machine.phase == MachinePhase::InService
                && !machine.stopped
        })
    };
    let idle: Vec<_> = targets.iter().filter(|target| !runs(target)).collect();
    if !idle.is_empty() {
        let ids: Vec<_> = idle.iter().map(|target| format!("'{}'", target.instance)).collect();
        return Err(WireError::new(
            "InvalidTarget",
            format!(
                "The following targets are not in a running state and cannot be registered: {}",
                ids.join(", ")
            ),
        ));
    }
    if cloud.health(&name).len() + targets.len() > MOST {
        let message = format!("A target group can have at most {MOST} targets");
        return Err(WireError::new("TooManyTargets", message));
    }
    for target in &targets {
        cloud.register(&name, &target.instance);
    }
    Ok(Xml::new())
}

pub(super) fn deregister(call: &Call<'_>) -> Result<Xml, WireError> {
    let cloud = call.site.cloud();
    let world = cloud.world();
    let name = wanted(call, &world)?;
    let usual = world.target_groups[&name].port;
    // Whoever is not registered, or not on that port, is as good as deregistered.
    for target in read(call, &world, &name)?.iter().filter(|target| target.port == usual) {
        cloud.deregister(&name, &target.instance);
    }
    Ok(Xml::new())
}

pub(super) fn describe_health(call: &Call<'_>) -> Result<Xml, WireError> {
    let cloud = call.site.cloud();
    let world = cloud.glimpse(World::clone);
    let name = wanted(call, &world)?;
    let check_port = check_port(&world, &name);
    let mut health = cloud.health(&name);
    if call.params.has("Targets") {
        let asked = read(call, &world, &name)?;
        let found = asked.into_iter().map(|Named { instance, port }| {
            let known = health.iter().find(|one| one.target == instance && one.port == port);
            known.cloned().unwrap_or_else(|| TargetHealth {
                target: instance,
                port,
                state: HealthState::Unused,
                reason: Some("Target.NotRegistered".to_owned()),
            })
        });
        health = found.collect();
    }
    let members = health.iter().map(|one| {
        let target = Xml::new().text("Id", &one.target).text("Port", one.port);
        let check_port = check_port.clone().unwrap_or_else(|| one.port.to_string());
        let reason = one.reason.as_deref();
        let state = Xml::new()
            .text("State", state_name(one.state))
            .maybe("Reason", reason)
            .maybe("Description", reason.map(description));
        Xml::new()
            .node("Target", target)
            .text("HealthCheckPort", check_port)
            .node("TargetHealth", state)
    });
    Ok(Xml::new().list("TargetHealthDescriptions", "member", members))
}

fn read(call: &Call<'_>, world: &World, name: &TargetGroupName) -> Result<Vec<Named>, WireError> {
    let usual = world.target_groups[name].port;
    let mut read = vec![];
    for target in call.params.structs("Targets") {
        let instance = InstanceId::new(target.need("Id")?);
        read.push(Named { instance, port: target.number("Port")?.unwrap_or(usual) });
    }
    if read.is_empty() {
        return Err(invalid("You must specify at least one target"));
    }
    Ok(read)
}

/// Returns the port of checks, if it is not that of the traffic.
fn check_port(world: &World, name: &TargetGroupName) -> Option<String> {
    let details = world.target_groups.get(name)?.details.value();
    let port = details["health_check_port"].as_str().filter(|port| *port != "traffic-port");
    port.map(str::to_owned)
}

fn state_name(state: HealthState) -> &'static str {
    match state {
        HealthState::Initial => "initial",
        HealthState::Healthy => "healthy",
        HealthState::Unhealthy => "unhealthy",
        HealthState::Unused => "unused",
        HealthState::Draining => "draining",
        HealthState::Unavailable => "unavailable",
    }
}

fn description(reason: &str) -> &'static str {
    match reason {
        "Elb.RegistrationInProgress" => "Target registration is in progress",
        "Elb.InitialHealthChecking" => "Initial health checks in progress",
        "Target.FailedHealthChecks" => "Health checks failed",
        "Target.DeregistrationInProgress" => "Target deregistration is in progress",
        "Target.NotInUse" => {
            "Target group is not configured to receive traffic from the load balancer"
        }
        "Target.NotRegistered" => "Target is not registered to the target group",
        "Target.InvalidState" => "Target is in the stopped state",
        _ => "Target is in a state of its own",
    }
}
