use crate::model::{Quiet, Requests, TargetGroupName};
use crate::transaction::{Progress, Verdict};

/// Without requests, by the cloud's own measure. What is not measured counts as traffic, unless
/// somebody said that it does not.
pub(super) fn verdict(
    names: &[TargetGroupName],
    requests: &Requests,
    quiet: Quiet,
    drained: Progress,
) -> Verdict {
    let wait = |what| Verdict::Wait(Progress { done: 0, wanted: 0, what });
    let busy = names.iter().find_map(|name| {
        let count = requests.get(name).filter(|count| **count > 0)?;
        Some((name, count))
    });
    if let Some((name, count)) = busy {
        let seconds = quiet.window.as_secs();
        let noun = if *count == 1 { "request" } else { "requests" };
        return wait(format!("{name} had {count} {noun} within the last {seconds} s"));
    }
    match names.iter().find(|name| !requests.contains_key(*name)) {
        Some(name) if !quiet.unmeasured => {
            wait(format!("no measure of the requests to {name}: they may be any number"))
        }
        _ => Verdict::Pass(drained),
    }
}
