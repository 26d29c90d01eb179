use std::fmt::Write as _;

use bluegreen_core::model::Timestamp;
use bluegreen_core::plan::Overtaken;
use bluegreen_core::transaction::{Held, Holder, Left};

use super::text::{BOLD, ODD, ago, hang, second, styled};

/// What in a field is told where there is nothing.
const ABSENT: &str = "absent";

/// Lists changes that are left in place, each with why, and with what is not as it should be.
pub(super) fn left(left: &[Left], width: usize) -> String {
    let mut text = String::new();
    for Left { step, change, reason, differences } in left {
        text.push_str(&hang(&format!("  step {step}: "), change, width));
        text.push_str(&hang("      ", reason, width));
        for difference in differences {
            text.push_str(&hang("      - ", &difference.to_string(), width));
        }
    }
    text
}

/// Lists what was made again.
pub(super) fn remade(things: &[String], width: usize) -> String {
    let mut text = String::new();
    if !things.is_empty() {
        text.push_str("made again, with another identity:\n");
    }
    for thing in things {
        text.push_str(&hang("  ", thing, width));
    }
    text
}

/// Lists what somebody changed that a run had left: a thing a paragraph, a field a line.
pub(super) fn overtaken(overtaken: &[Overtaken], width: usize) -> String {
    let (mut text, mut last) = (String::new(), None);
    for Overtaken { resource, field, left, now, before } in overtaken {
        if last.replace(resource) != Some(resource) {
            writeln!(text, "  {resource}").expect("writing to a string cannot fail");
        }
        let [left, now, before] =
            [left, now, before].map(|value| value.as_deref().unwrap_or(ABSENT));
        let head = if field.is_empty() { "    ".to_owned() } else { format!("    {field}: ") };
        text.push_str(&hang(&head, &format!("left {left}, now {now}, before {before}"), width));
    }
    text
}

/// Says who holds a lock, what for and since when; and until when, if that is wanted or past.
pub(super) fn held(held: &Held, now: Timestamp, with_deadline: bool, width: usize) -> String {
    let mut text = holder(&held.holder, now, width);
    let is_past = held.deadline < now;
    if with_deadline || is_past {
        let when = format!("{} UTC ({})", second(held.deadline), ago(held.deadline, now));
        let until = if is_past {
            let odd = styled(ODD.bold(), "not renewed since");
            format!("{when}, {odd}: its process hangs, or is gone")
        } else {
            format!("{when}, renewed as long as its process lives")
        };
        text.push_str(&hang("  until    ", &until, width));
    }
    text
}

/// Says who holds or held a lock, what for and since when.
pub(super) fn holder(holder: &Holder, now: Timestamp, width: usize) -> String {
    let Holder { owner, host, process, operation, run, since } = holder;
    let who = format!("{} (process {process})", styled(BOLD, &format!("{owner}@{host}")));
    let since = format!("{} UTC ({})", second(*since), ago(*since, now));
    let lines = [("held by", who), ("doing", format!("{operation}, run {run}")), ("since", since)];
    lines.iter().map(|(name, value)| hang(&format!("  {name:<7}  "), value, width)).collect()
}
