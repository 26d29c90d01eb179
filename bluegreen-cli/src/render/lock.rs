use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{Break, Held, Holder, LockState};
use serde::Serialize;

use super::lists;
use super::text::{BOLD, GOOD, ODD, ago, hang, second, styled};

/// The lock of an environment, as it stands. The fields are a contract.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LockReport {
    environment: String,
    held: Option<Held>,
    broken: Option<Break>,
}

impl LockReport {
    /// Takes what the store says.
    pub(crate) fn new(environment: &str, state: LockState) -> Self {
        let LockState { held, broken } = state;
        Self { environment: environment.to_owned(), held, broken }
    }
}

/// Returns a lock for people.
pub(crate) fn lock(report: &LockReport, now: Timestamp, width: usize) -> String {
    let LockReport { environment, held, broken } = report;
    let name = styled(BOLD, environment);
    let mut text = match held {
        None => format!("{name}  {}\n", styled(GOOD, "free")),
        Some(held) => {
            let list = lists::held(held, now, true, width);
            format!("{name}  {}\n{list}", styled(ODD.bold(), "locked"))
        }
    };
    if let Some(Break { by, at, holder }) = broken {
        let when = format!("{} UTC ({})", second(*at), ago(*at, now));
        let what = format!(
            "{when} by {by}: it was taken from {}@{} (process {}), doing {} in run {}",
            holder.owner, holder.host, holder.process, holder.operation, holder.run
        );
        text.push_str(&hang("  broken   ", &what, width));
    }
    text
}

/// Returns who holds a lock, for people.
pub(crate) fn lock_held(held: &Held, now: Timestamp, width: usize) -> String {
    lists::held(held, now, true, width)
}

/// Says whose lock was taken away, and what to do next.
pub(crate) fn lock_broken(
    environment: &str,
    holder: &Holder,
    is_begun: bool,
    now: Timestamp,
    width: usize,
) -> String {
    let Holder { owner, host, process, run, .. } = holder;
    let head = styled(BOLD, "broken:");
    let mut text = hang("", &format!("{head} the lock of {environment} is nobody's now"), width);
    text.push_str(&lists::holder(holder, now, width).replace("held by", "was of "));
    let next = if is_begun {
        format!(
            "\nrun {run} changes nothing any more and stays open; when process {process} on {host} \
             has ended, `bluegreen recover {run}` finishes it"
        )
    } else {
        format!("\n{owner}'s run had not begun anything: nothing has to be recovered")
    };
    text.push_str(&hang("", &next, width));
    text
}
