use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Actions, HealthState, RouteKey, TargetGroupName, TargetHealth};
use crate::transaction::{Progress, Verdict};

/// No instances left.
pub(super) fn empty(left: usize) -> Verdict {
    let what = format!("instances gone, {left} left");
    let progress = Progress { done: usize::from(left == 0), wanted: 1, what };
    if left == 0 { Verdict::Pass(progress) } else { Verdict::Wait(progress) }
}

/// Not routed, not draining, and for long enough.
pub(super) fn verdict(
    routes: &BTreeMap<RouteKey, Actions>,
    targets: &[(TargetGroupName, Vec<TargetHealth>)],
    rest: Duration,
    waited: Duration,
) -> Verdict {
    for (route, actions) in routes {
        let Some(forward) = actions.forward() else { continue };
        if let Some((name, _)) = targets.iter().find(|(name, _)| forward.reaches(name)) {
            return Verdict::Fail(format!("route {route} sends requests to {name}"));
        }
    }
    let draining = targets
        .iter()
        .flat_map(|(_, targets)| targets)
        .filter(|target| target.state == HealthState::Draining)
        .count();
    let all: usize = targets.iter().map(|(_, targets)| targets.len()).sum();
    let left = rest.saturating_sub(waited);
    let what = if left.is_zero() {
        format!("targets drained, {draining} draining")
    } else {
        format!("targets drained; {}s of the deregistration delay left", left.as_secs())
    };
    let done = if left.is_zero() { all - draining } else { 0 };
    let progress = Progress { done, wanted: all, what };
    if left.is_zero() && draining == 0 { Verdict::Pass(progress) } else { Verdict::Wait(progress) }
}
