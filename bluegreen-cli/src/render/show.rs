use std::fmt::Write as _;
use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::operation::{RunDetails, RunSummary, StepDetails};
use serde::Serialize;

use super::log::state;
use super::text::{BAD, BOLD, DIM, GOOD, ODD, hang, second, styled};
use crate::duration;

/// One run step by step, for programs: what `log` says, and more.
#[derive(Debug, Serialize)]
pub(crate) struct Details<'a> {
    #[serde(flatten)]
    summary: &'a RunSummary,
    cause: Option<&'a str>,
    steps: &'a [StepDetails],
}

impl<'a> Details<'a> {
    /// Takes what a journal says.
    pub(crate) fn new(run: &'a RunDetails) -> Self {
        Self { summary: &run.summary, cause: run.cause.as_deref(), steps: &run.steps }
    }
}

/// Returns a run for people.
pub(crate) fn details(run: &RunDetails, width: usize) -> String {
    let summary = &run.summary;
    let mut text = format!(
        "{}  {}\n",
        styled(BOLD, &format!("{} {}", summary.operation, summary.environment)),
        state(summary.state)
    );
    let took = match summary.ended {
        Some(ended) => format!(", took {}", short(ended.since(summary.started))),
        None => String::new(),
    };
    let begun = second(summary.started);
    writeln!(text, "run {}\nby {} on {begun} UTC{took}", summary.run, summary.actor)
        .expect("writing to a string cannot fail");
    if let Some(cause) = &run.cause {
        text.push_str(&hang("because: ", cause, width));
    }
    let mut stage = None;
    for step in &run.steps {
        if stage.replace(&step.stage) != Some(&step.stage) {
            writeln!(text, "\n  {}", step.stage).expect("writing to a string cannot fail");
        }
        text.push_str(&line(step, summary.started, width));
    }
    text
}

fn line(step: &StepDetails, started: Timestamp, width: usize) -> String {
    let style = match step.state.as_str() {
        "applied" | "passed" => GOOD,
        "undone" => ODD,
        "not begun" => DIM,
        _ => BAD,
    };
    let at = step.began.or(step.ended).map_or_else(String::new, |at| since(at, started));
    let took = match (step.began, step.ended) {
        (Some(began), Some(ended)) => short(ended.since(began)),
        _ => String::new(),
    };
    let word = styled(style, &format!("{:<9}", step.state));
    let mut text =
        hang(&format!("{:>5}  {at:>6} {took:>6}  {word}  ", step.step), &step.what, width);
    for (name, more) in [("inverse", &step.inverse), ("error", &step.error)] {
        if let Some(more) = more {
            text.push_str(&hang(&format!("       {name}: "), more, width));
        }
    }
    text
}

/// Writes how long after the beginning something was.
fn since(at: Timestamp, started: Timestamp) -> String {
    format!("+{}", short(at.since(started)))
}

/// Writes a duration as exactly as it is worth: `31ms`, `1.2s`, `1m04s`.
fn short(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{}ms", duration.as_millis())
    } else if duration < Duration::from_mins(1) {
        format!("{:.1}s", duration.as_secs_f64())
    } else {
        duration::show(duration)
    }
}

/// Returns what a recovery is about to begin with.
pub(crate) fn recovery(run: &RunDetails, width: usize) -> String {
    let summary = &run.summary;
    let mut text = format!(
        "{}\nrun {}, {} by {} on {} UTC\n",
        styled(BOLD, &format!("recover {} {}", summary.operation, summary.environment)),
        summary.run,
        if summary.changes == 0 { "begun" } else { "left open" },
        summary.actor,
        second(summary.started),
    );
    let is_open = |step: &&StepDetails| {
        step.inverse.is_some() && !matches!(step.state.as_str(), "not begun" | "undone")
    };
    let open: Vec<&StepDetails> = run.steps.iter().rev().filter(is_open).collect();
    if open.is_empty() {
        text.push_str("nothing of it is in place; that is looked at once more\n");
        return text;
    }
    text.push_str("to be looked at, and taken back unless all of it is in place:\n\n");
    for step in open {
        let inverse = step.inverse.as_deref().unwrap_or_default();
        text.push_str(&hang(&format!("{:>5}  {:<8}  ", step.step, step.state), inverse, width));
    }
    text
}
