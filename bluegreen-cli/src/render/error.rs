use std::fmt::Write as _;

use anstyle::AnsiColor;

use super::problem;
use super::text::{BAD, styled};
use crate::failure::Failure;

/// Writes an error: its chain once, what is left, and after a blank line what to do next.
pub(crate) fn failure(failure: &Failure) {
    let mut text = format!("{} {}\n", styled(BAD.bold(), "error:"), failure.message);
    if !failure.left.is_empty() {
        let is_certain = failure.state == "dirty";
        text.push_str(if is_certain { "\nleft in place:\n" } else { "\nperhaps left in place:\n" });
    }
    for left in &failure.left {
        writeln!(text, "  step {}: {}\n      {}", left.step, left.change, left.reason)
            .expect("writing to a string cannot fail");
    }
    if let Some(hint) = &failure.hint {
        let head = styled(AnsiColor::Cyan.on_default().bold(), "hint:");
        writeln!(text, "\n{head} {hint}").expect("writing to a string cannot fail");
    }
    problem(&text);
}
