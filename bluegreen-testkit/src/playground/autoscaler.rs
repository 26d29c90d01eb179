//! What Auto Scaling does by itself, beside keeping groups at their sizes: it replaces the sick.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{HealthState, InstanceId, Process, TargetGroupName, TargetHealth};

use super::Shared;
use super::control::autoscaling;
use super::site::Site;
use crate::fake::{Machine, MachinePhase, World};

/// How often the groups of a site are looked after.
const EVERY: Duration = Duration::from_millis(500);

const STOPPED: &str = "an instance was taken out of service in response to an EC2 health check \
                       indicating it has been terminated or stopped.";
const CONDEMNED: &str = "an instance was taken out of service in response to a user health-check.";
const FAILED: &str =
    "an instance was taken out of service in response to an ELB system health check failure.";

/// Looks after the groups of every site until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for site in shared.all_sites() {
            replace_sick(&site);
        }
    }
}

/// Terminates the machines of a site that are not healthy; their groups launch others.
pub(super) fn replace_sick(site: &Site) {
    autoscaling::observe(site);
    let world = site.cloud().world();
    let machines = site.cloud().machines();
    let health = site.cloud().all_health();
    let condemned: BTreeSet<String> = {
        let facts = site.facts();
        let known = facts.instances.iter().filter(|(_, known)| known.condemned);
        known.map(|(id, _)| id.clone()).collect()
    };
    for machine in machines.iter().filter(|one| one.phase == MachinePhase::InService) {
        let Some(group) = &machine.group else { continue };
        // Of a group that is deleted every machine goes.
        let suspended = [Process::ReplaceUnhealthy, Process::HealthCheck, Process::Terminate]
            .into_iter()
            .any(|process| autoscaling::held(&world, group, process));
        if suspended || !world.scaling_groups.contains_key(group) {
            continue;
        }
        let cause = if machine.stopped {
            STOPPED
        } else if condemned.contains(machine.id.as_str()) {
            CONDEMNED
        } else if fails_checks(site, &world, machine, &health) {
            FAILED
        } else {
            continue;
        };
        autoscaling::terminate_for(site, &machine.id, cause.to_owned(), false);
    }
    autoscaling::observe(site);
}

/// Returns whether a load balancer that the group believes thinks ill of a machine, and is to be
/// believed by now.
fn fails_checks(
    site: &Site,
    world: &World,
    machine: &Machine,
    health: &[(TargetGroupName, Vec<TargetHealth>)],
) -> bool {
    let Some(name) = &machine.group else { return false };
    let Some(group) = world.scaling_groups.get(name) else { return false };
    let believes = autoscaling::follows_load_balancers(group.details.value());
    believes
        && !autoscaling::in_grace(site, machine)
        && health.iter().any(|(target_group, targets)| {
            group.target_groups.contains(target_group)
                && is_unhealthy(targets, &machine.id)
                && autoscaling::serves(site, name, target_group)
        })
}

fn is_unhealthy(targets: &[TargetHealth], instance: &InstanceId) -> bool {
    targets.iter().any(|one| one.target == *instance && one.state == HealthState::Unhealthy)
}
