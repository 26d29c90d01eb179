use std::collections::{BTreeMap, BTreeSet};

use super::UpgradeSurvey;
use crate::model::{Color, Environment, ListenerKey, LoadBalancerName, TargetGroupName};
use crate::plan::Refusal;

/// Gives every target group of both colours a free and closed port of its load balancer.
pub(super) fn assign(
    environment: &Environment,
    survey: &UpgradeSurvey,
) -> Result<BTreeMap<TargetGroupName, ListenerKey>, Refusal> {
    let mut by_load_balancer: BTreeMap<&LoadBalancerName, Vec<&TargetGroupName>> = BTreeMap::new();
    for (member, pair) in environment.blue.members.iter().zip(&environment.pairs) {
        // A target group is on one load balancer at most, and observing refuses one on none.
        if let Some(load_balancer) = member.target_group.load_balancers.first() {
            let wanting = by_load_balancer.entry(load_balancer).or_default();
            wanting.extend(Color::BOTH.map(|color| pair.get(color)));
        }
    }
    let mut assigned = BTreeMap::new();
    for (load_balancer, wanting) in by_load_balancer {
        let ports = closed_ports(environment, survey, load_balancer, wanting.len())?;
        let keys = ports.into_iter().map(|port| ListenerKey::new(load_balancer.clone(), port));
        assigned.extend(wanting.into_iter().cloned().zip(keys));
    }
    Ok(assigned)
}

/// Returns the first `needed` ports that nothing listens on and that nobody outside can reach.
fn closed_ports(
    environment: &Environment,
    survey: &UpgradeSurvey,
    load_balancer: &LoadBalancerName,
    needed: usize,
) -> Result<Vec<u16>, Refusal> {
    let used: BTreeSet<u16> = environment
        .listeners
        .iter()
        .filter(|listener| listener.key.load_balancer == *load_balancer)
        .map(|listener| listener.key.port)
        .collect();
    let nothing = BTreeMap::new();
    let open = survey.open_ports.get(load_balancer).unwrap_or(&nothing);
    let range = survey.idle_ports;
    let free: Vec<u16> = range
        .ports()
        .filter(|port| !used.contains(port) && !open.contains_key(port))
        .take(needed)
        .collect();
    if free.len() == needed {
        return Ok(free);
    }
    let taken = range.ports().filter(|port| used.contains(port)).count();
    let mut why = format!("{taken} have a listener");
    let reachable = open.iter().find(|(port, _)| range.contains(**port) && !used.contains(port));
    if let Some((port, opening)) = reachable {
        let count = open.keys().filter(|port| range.contains(**port)).count();
        why = format!("{why}, {count} can be reached from outside (port {port} by {opening})");
    }
    Err(Refusal::NoIdlePort { load_balancer: load_balancer.clone(), needed, range, why })
}
