use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Actions, HealthState, RouteKey, TargetGroupName, TargetHealth};
use crate::transaction::{Progress, Verdict};

/// No instances left.
pub(super) fn empty(left: usize) -> Verdict {
    let what = match left {
        0 => "no instance is left".to_owned(),
        1 => "1 instance is left".to_owned(),
        left => format!("{left} instances are left"),
    };
    let progress = Progress { done: 0, wanted: 0, what };
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
    let is_over = waited >= rest;
    let what = match (is_over, draining) {
        (false, _) => {
            format!("targets drained; connections may go on for {} s", rest.as_secs())
        }
        (true, 0) => "targets drained".to_owned(),
        (true, draining) => format!("targets drained, {draining} still draining"),
    };
    let done = if is_over { all - draining } else { 0 };
    let progress = Progress { done, wanted: all, what };
    if is_over && draining == 0 { Verdict::Pass(progress) } else { Verdict::Wait(progress) }
}
