use std::fmt::Write as _;

use anstyle::AnsiColor;
use bluegreen_core::transaction::{Clock as _, SystemClock};

use super::out::problem_width;
use super::text::{BAD, styled};
use super::{lists, problem};
use crate::failure::{Failure, Lists};

/// Writes an error: its chain once, what belongs to it as lists, and in the end what to do next.
pub(crate) fn failure(failure: &Failure) {
    let width = problem_width();
    let mut text = format!("{} {}\n", styled(BAD.bold(), "error:"), failure.message);
    for (title, list) in lists_of(failure, width) {
        if !list.is_empty() {
            write!(text, "\n{title}{list}").expect("writing to a string cannot fail");
        }
    }
    if let Some(hint) = &failure.hint {
        let head = styled(AnsiColor::Cyan.on_default().bold(), "hint:");
        writeln!(text, "\n{head} {hint}").expect("writing to a string cannot fail");
    }
    problem(&text);
}

/// Returns what belongs to an error, each list with its title.
fn lists_of(failure: &Failure, width: usize) -> [(&'static str, String); 3] {
    let Lists { held, overtaken, left, .. } = &*failure.lists;
    let holder = held.as_ref().map(|held| lists::held(held, SystemClock.now(), false, width));
    let is_certain = failure.state == "dirty";
    let title = if is_certain { "left in place:\n" } else { "perhaps left in place:\n" };
    [
        ("", holder.unwrap_or_default()),
        ("", lists::overtaken(overtaken, width)),
        (title, lists::left(left, width)),
    ]
}
