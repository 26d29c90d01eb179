use std::fmt::Write as _;

use bluegreen_core::operation::{RunDetails, StepDetails, Way};
use bluegreen_core::transaction::StepId;

use super::show::word;
use super::text::{BOLD, ODD, hang, second, styled};

/// Returns what a recovery is about to do: which way it goes, with what, and what it leaves.
pub(crate) fn recovery(run: &RunDetails, skip: &[StepId], width: usize) -> String {
    let summary = &run.summary;
    let mut text = format!(
        "{}\nrun {}, {} by {} on {} UTC\n",
        styled(BOLD, &format!("recover {} {}", summary.operation, summary.environment)),
        summary.run,
        if summary.changes == 0 { "begun" } else { "left open" },
        summary.actor,
        second(summary.started),
    );
    let (way, steps) = match run.recovery {
        Some(Way::Forward) => forward(run),
        Some(Way::Commit) => {
            ("all of it is in place: it is committed, and nothing else is done".to_owned(), vec![])
        }
        _ => back(run, skip),
    };
    text.push_str(&hang("", &way, width));
    if !steps.is_empty() {
        text.push('\n');
    }
    for (step, what) in steps {
        text.push_str(&line(step, what, width));
    }
    text.push_str(&skipped(run, skip, width));
    text
}

/// What is said of the way, and the steps on it, each in words.
type Course<'a> = (String, Vec<(&'a StepDetails, &'a str)>);

fn forward(run: &RunDetails) -> Course<'_> {
    let is_open = |step: &&StepDetails| !matches!(step.state.as_str(), "applied" | "passed");
    let open = run.steps.iter().filter(is_open).map(|step| (step, step.what.as_str()));
    let head = styled(ODD.bold(), "going on with the plan:");
    let why = if run.may_go_on && run.is_past_return {
        "it is past its point of no return, so there is no way back"
    } else {
        "what is missing is done, and if that fails, all of it is taken back"
    };
    (format!("{head} {why}"), open.collect())
}

fn back<'a>(run: &'a RunDetails, skip: &[StepId]) -> Course<'a> {
    let is_open = |step: &&StepDetails| {
        step.inverse.is_some()
            && !matches!(step.state.as_str(), "not begun" | "undone" | "left")
            && !skip.contains(&step.step)
    };
    let open = run.steps.iter().rev().filter(is_open);
    let open: Vec<_> =
        open.map(|step| (step, step.inverse.as_deref().unwrap_or_default())).collect();
    let head = styled(BOLD, "going back:");
    let what = match (open.is_empty(), skip.is_empty()) {
        (true, true) => "nothing of it is in place any more; that is looked at once more",
        (true, false) => "nothing else of it is in place any more; that is looked at once more",
        (false, _) => "what is in place is taken back, newest first",
    };
    (format!("{head} {what}"), open)
}

fn line(step: &StepDetails, what: &str, width: usize) -> String {
    let mut text = hang(&format!("{:>5}  {}  ", step.step, word(&step.state, 9)), what, width);
    for difference in &step.differences {
        text.push_str(&hang("                  - ", &difference.to_string(), width));
    }
    text
}

fn skipped(run: &RunDetails, skip: &[StepId], width: usize) -> String {
    let is_left = |step: &&StepDetails| skip.contains(&step.step) || step.state == "left";
    let left: Vec<&StepDetails> = run.steps.iter().filter(is_left).collect();
    if left.is_empty() {
        return String::new();
    }
    let head = styled(ODD.bold(), "left as it is:");
    let mut text = String::new();
    writeln!(text, "\n{head} nothing will come back to this\n")
        .expect("writing to a string cannot fail");
    for step in left {
        text.push_str(&line(step, &step.what, width));
    }
    text
}
