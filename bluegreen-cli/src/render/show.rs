use std::fmt::Write as _;
use std::time::Duration;

use bluegreen_core::model::{RunId, Timestamp};
use bluegreen_core::operation::{
    Milestone, MilestoneKind, RunDetails, RunSummary, StepDetails, Way,
};
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
    undoes: Option<&'a RunId>,
    /// Which way a recovery goes; nothing if the run has ended.
    recovery: Option<Way>,
    may_go_on: bool,
    steps: &'a [StepDetails],
    milestones: &'a [Milestone],
}

impl<'a> Details<'a> {
    /// Takes what a journal says.
    pub(crate) fn new(run: &'a RunDetails) -> Self {
        Self {
            summary: &run.summary,
            cause: run.cause.as_deref(),
            undoes: run.undoes.as_ref(),
            recovery: run.recovery,
            may_go_on: run.may_go_on,
            steps: &run.steps,
            milestones: &run.milestones,
        }
    }
}

/// Returns a run for people, as a timeline.
pub(crate) fn details(run: &RunDetails, width: usize) -> String {
    let summary = &run.summary;
    let mut text = format!(
        "{}  {}\n",
        styled(BOLD, &format!("{} {}", summary.operation, summary.environment)),
        state(summary)
    );
    let took = match summary.ended {
        Some(ended) => format!(", took {}", short(ended.since(summary.started))),
        None => String::new(),
    };
    let begun = second(summary.started);
    writeln!(text, "run {}\nby {} on {begun} UTC{took}", summary.run, summary.actor)
        .expect("writing to a string cannot fail");
    if let Some(undone) = &run.undoes {
        writeln!(text, "undoes run {undone}").expect("writing to a string cannot fail");
    }
    if let Some(cause) = &run.cause {
        text.push_str(&hang("because: ", cause, width));
    }
    text.push_str("\n STEP    BEGAN   TOOK  STATE\n");
    let mut stage = None;
    for step in &run.steps {
        if stage.replace(&step.stage) != Some(&step.stage) {
            writeln!(text, "\n  {}", step.stage).expect("writing to a string cannot fail");
        }
        text.push_str(&line(step, summary.started, width));
    }
    text.push_str(&course(&run.milestones, summary.started, width));
    text.push_str(&next(run, width));
    text
}

fn line(step: &StepDetails, started: Timestamp, width: usize) -> String {
    let at = step.began.map_or_else(String::new, |at| since(at, started));
    let took = match (step.began, step.tried) {
        (Some(began), Some(tried)) => short(tried.since(began)),
        _ => String::new(),
    };
    let head = format!("{:>5}  {at:>7} {took:>6}  {}  ", step.step, word(&step.state, 9));
    let mut text = hang(&head, &step.what, width);
    if let Some((inverse, how)) = step.inverse.as_ref().zip(step.reversibility.as_ref()) {
        text.push_str(&hang(&format!("       {how} inverse: "), inverse, width));
    }
    if let (Some(ended), "undone") = (step.ended, step.state.as_str()) {
        let again = if step.remade { ", made again with another identity" } else { "" };
        writeln!(text, "       taken back: {}{again}", since(ended, started))
            .expect("writing to a string cannot fail");
    }
    if let Some(error) = &step.error {
        text.push_str(&hang("       error: ", error, width));
    }
    for difference in &step.differences {
        text.push_str(&hang("       - ", &difference.to_string(), width));
    }
    text
}

/// Writes how a step stands, in its colour and as wide as a column.
pub(super) fn word(state: &str, width: usize) -> String {
    let style = match state {
        "applied" | "passed" => GOOD,
        "undone" | "left" | "given up" => ODD,
        "not begun" | "waiting" => DIM,
        _ => BAD,
    };
    styled(style, &format!("{state:<width$}"))
}

/// Says what happened to the run as a whole.
fn course(milestones: &[Milestone], started: Timestamp, width: usize) -> String {
    if milestones.is_empty() {
        return String::new();
    }
    let mut text = "\n  the run as a whole\n".to_owned();
    for Milestone { at, kind } in milestones {
        text.push_str(&hang(&format!("{:>14}  ", since(*at, started)), &milestone(kind), width));
    }
    text
}

fn milestone(kind: &MilestoneKind) -> String {
    match kind {
        MilestoneKind::TurnedRound { cause, asked: false } => format!("turned round: {cause}"),
        MilestoneKind::TurnedRound { .. } => "turned round, as somebody asked".to_owned(),
        MilestoneKind::Resumed { by, way } => {
            let how = match way {
                Way::Forward => "going on with the plan",
                Way::Commit => "with everything in place",
                _ => "going back",
            };
            format!("resumed by {by}, {how}")
        }
        MilestoneKind::Skipped { step, by } => {
            format!("step {step} left as it is, as {by} decided")
        }
        MilestoneKind::Resurfaced { step } => {
            format!("step {step} was in place again: its call landed late")
        }
        MilestoneKind::Remade { step, thing } => {
            format!("step {step}: {thing} made again, with another identity")
        }
        _ => "something that this version has no words for".to_owned(),
    }
}

/// Says what can be done about a run that is not whole.
fn next(run: &RunDetails, width: usize) -> String {
    let id = &run.summary.run;
    let mut lines = match run.recovery {
        None if run.summary.state.as_str() == "dirty" => {
            vec!["the run is closed: nothing comes back to what it left".to_owned()]
        }
        None => return String::new(),
        Some(Way::Forward) => {
            vec![format!("`bluegreen recover {id}` goes on: there is no way back any more")]
        }
        Some(Way::Commit) => {
            vec![format!("`bluegreen recover {id}` commits it: everything is in place")]
        }
        Some(_) => vec![format!("unless it is under way, `bluegreen recover {id}` takes it back")],
    };
    if run.may_go_on && run.recovery == Some(Way::Back) {
        lines.push("`--forward` goes on with its plan instead".to_owned());
    }
    for step in run.steps.iter().filter(|step| step.may_be_skipped) {
        let step = step.step;
        lines.push(format!("`--skip {step}` leaves what step {step} changed as it is"));
    }
    let lines = lines.iter().map(|line| hang("", line, width));
    std::iter::once("\n".to_owned()).chain(lines).collect()
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
