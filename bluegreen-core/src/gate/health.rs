use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Sight;
use crate::model::{
    HealthState, InstanceId, Lifecycle, ScalingGroup, TargetGroupName, TargetHealth,
};
use crate::transaction::{Progress, Verdict};

/// How the targets of one colour do in one target group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCount {
    /// The states of the targets that are instances of the group, with how many are in each.
    pub states: BTreeMap<HealthState, usize>,
    /// The targets that are no instances of the group.
    pub strays: usize,
}

impl HealthCount {
    /// Returns how many instances of the group are in `state`.
    pub fn of(&self, state: HealthState) -> usize {
        self.states.get(&state).copied().unwrap_or(0)
    }
}

/// Counts targets by state, telling instances of the group from strays.
pub fn health(group: &ScalingGroup, targets: &[TargetHealth]) -> HealthCount {
    let mut count = HealthCount::default();
    for target in targets {
        if group.instances.iter().any(|instance| instance.id == target.target) {
            *count.states.entry(target.state).or_default() += 1;
        } else {
            count.strays += 1;
        }
    }
    count
}

/// How healthy a colour is as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Health {
    /// Instances that are healthy in every target group.
    healthy: usize,
    /// Instances that there should be.
    wanted: usize,
    /// What is known about the others.
    missing: String,
}

/// Counts the instances that are healthy wherever requests may come from.
pub(super) fn of(sight: &Sight) -> Health {
    let staying: Vec<&InstanceId> = sight
        .group
        .instances
        .iter()
        .filter(|instance| instance.lifecycle != Lifecycle::Terminating)
        .map(|instance| &instance.id)
        .collect();
    let is_healthy = |id: &InstanceId| {
        !sight.targets.is_empty()
            && sight.targets.iter().all(|(_, targets)| {
                let mut own = targets.iter().filter(|target| target.target == *id).peekable();
                own.peek().is_some() && own.all(|target| target.state == HealthState::Healthy)
            })
    };
    let healthy = staying.iter().filter(|id| is_healthy(id)).count();
    let desired = usize::try_from(sight.group.capacity.desired).unwrap_or(usize::MAX);
    let wanted = staying.len().max(desired);
    Health { healthy, wanted, missing: missing(sight, wanted.saturating_sub(staying.len())) }
}

/// Says where the instances that are not healthy stand, target group by target group.
fn missing(sight: &Sight, not_launched: usize) -> String {
    let mut text = String::new();
    if not_launched > 0 {
        write!(text, "; {not_launched} not launched yet").expect("writing to a string cannot fail");
    }
    for (name, targets) in &sight.targets {
        let states = describe(name, &sight.group, targets);
        if !states.is_empty() {
            write!(text, "; {states}").expect("writing to a string cannot fail");
        }
    }
    text
}

fn describe(name: &TargetGroupName, group: &ScalingGroup, targets: &[TargetHealth]) -> String {
    let count = health(group, targets);
    let mut parts: Vec<String> = count
        .states
        .iter()
        .filter(|(state, _)| **state != HealthState::Healthy)
        .map(|(state, number)| format!("{number} {state}"))
        .collect();
    let reason = targets.iter().find_map(|target| {
        let is_bad = matches!(target.state, HealthState::Unhealthy | HealthState::Unused);
        target.reason.as_ref().filter(|_| is_bad)
    });
    if let (Some(last), Some(reason)) = (parts.last_mut(), reason) {
        write!(last, " ({reason})").expect("writing to a string cannot fail");
    }
    if parts.is_empty() { String::new() } else { format!("in {name} {}", parts.join(", ")) }
}

/// All healthy, at least one, and as many as the other colour has.
pub(super) fn verdict(side: &Health, than: Option<&Health>) -> Verdict {
    let needed = than.map_or(1, |than| than.healthy.max(1));
    let wanted = side.wanted.max(needed);
    let what = format!("healthy{}", side.missing);
    let progress = Progress { done: side.healthy, wanted, what };
    if side.healthy == wanted { Verdict::Pass(progress) } else { Verdict::Wait(progress) }
}
