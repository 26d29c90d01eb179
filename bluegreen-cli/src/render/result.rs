use std::fmt::Write as _;
use std::time::Duration;

use bluegreen_core::plan::Overtaken;
use bluegreen_core::transaction::{Difference, Ending, Held, Left, Outcome};
use serde::Serialize;

use super::text::{BAD, BOLD, GOOD, ODD, count, styled};
use super::{Out, lists, width};
use crate::failure::Failure;

/// How an operation went.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    environment: String,
    operation: String,
    run: Option<String>,
    state: &'static str,
    changes: usize,
    skew_ms: Option<u64>,
    error: Option<String>,
    /// What is left in place, or perhaps is.
    left: Vec<LeftReport>,
    /// What was made again on the way back, with another identity.
    remade: Vec<String>,
    /// Who holds the lock that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    /// What somebody changed that a run had left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    overtaken: Vec<Overtaken>,
    /// Why there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip)]
    routes: usize,
    /// What is left, for people.
    #[serde(skip)]
    decided: Vec<Left>,
}

#[derive(Clone, Debug, Serialize)]
struct LeftReport {
    step: u32,
    change: String,
    reason: String,
    differences: Vec<Difference>,
}

impl From<&Left> for LeftReport {
    fn from(left: &Left) -> Self {
        let Left { step, change, reason, differences } = left.clone();
        Self { step: step.0, change, reason, differences }
    }
}

impl Report {
    fn new(environment: &str, operation: &str, state: &'static str) -> Self {
        Self {
            environment: environment.to_owned(),
            operation: operation.to_owned(),
            run: None,
            state,
            changes: 0,
            skew_ms: None,
            error: None,
            left: Vec::new(),
            remade: Vec::new(),
            held: None,
            overtaken: Vec::new(),
            reason: None,
            routes: 0,
            decided: Vec::new(),
        }
    }

    /// There was nothing to do.
    pub(crate) fn nothing(environment: &str, operation: &str, why: &str) -> Self {
        let reason = Some(why.to_owned());
        Self { reason, ..Self::new(environment, operation, "nothing-to-do") }
    }

    /// It ended well.
    pub(crate) fn ended(environment: &str, operation: &str, outcome: &Outcome) -> Self {
        let state = match outcome.ending {
            Ending::Committed => "committed",
            Ending::RolledBack => "rolled-back",
            Ending::Abandoned => "dirty",
        };
        Self {
            run: Some(outcome.run.to_string()),
            changes: outcome.changes,
            skew_ms: Some(millis(outcome.skew)),
            left: outcome.left.iter().map(LeftReport::from).collect(),
            remade: outcome.remade.clone(),
            decided: outcome.left.clone(),
            ..Self::new(environment, operation, state)
        }
    }

    /// It failed.
    pub(crate) fn failed(environment: &str, operation: &str, failure: &Failure) -> Self {
        let lists = &failure.lists;
        Self {
            run: failure.run.as_ref().map(ToString::to_string),
            error: Some(failure.message.clone()),
            left: lists.left.iter().map(LeftReport::from).collect(),
            remade: lists.remade.clone(),
            held: lists.held.clone(),
            overtaken: lists.overtaken.clone(),
            ..Self::new(environment, operation, failure.state)
        }
    }

    /// Says how many changes were begun.
    #[must_use]
    pub(crate) fn with_changes(mut self, changes: usize) -> Self {
        self.changes = changes;
        self
    }

    /// Says how many routes were changed, and within what time.
    #[must_use]
    pub(crate) fn with_routes(mut self, routes: usize, skew: Duration) -> Self {
        (self.routes, self.skew_ms) = (routes, Some(millis(skew)));
        self
    }

    /// Writes it for people or for programs.
    pub(crate) fn write(&self, out: Out) {
        if out.is_json() { out.json(self) } else { out.text(&self.text(width())) }
    }

    fn text(&self, width: usize) -> String {
        let Self { environment, operation, changes, .. } = self;
        let run = self.run.as_deref().unwrap_or("not begun");
        let mut text = match self.state {
            "nothing-to-do" => {
                let why = self.reason.as_deref().unwrap_or("it is done already");
                format!("{} {operation} {environment}: {why}", styled(BOLD, "nothing to do:"))
            }
            "committed" => {
                let done = styled(GOOD.bold(), "done:");
                format!(
                    "{done} {operation} {environment}, {} (run {run})",
                    count(*changes, "change")
                )
            }
            "rolled-back" | "cancelled" if self.run.is_some() => {
                let head = styled(BOLD, "rolled back:");
                format!("{head} {environment} is as it was before (run {run})")
            }
            "dirty" if !self.decided.is_empty() => {
                let head = styled(ODD.bold(), "left as decided:");
                let left = count(self.decided.len(), "change");
                format!(
                    "{head} {environment} is as it was before, but for {left}\n\n{}\n\
                     run {run} is closed: nothing comes back to that",
                    lists::left(&self.decided, width)
                )
            }
            "dirty" | "interrupted" if *changes == 0 => {
                let head = styled(BAD.bold(), "left open:");
                format!(
                    "{head} {environment} is as it was before, and the run has no end (run {run})"
                )
            }
            "dirty" | "interrupted" => {
                let head = styled(BAD.bold(), "left open:");
                format!("{head} {environment} is not as it was before (run {run})")
            }
            // The error says all.
            _ => return String::new(),
        };
        if self.routes > 0 && self.state == "committed" {
            let skew = self.skew_ms.unwrap_or_default();
            write!(text, "\n{} changed within {skew} ms", count(self.routes, "route"))
                .expect("writing to a string cannot fail");
        }
        text.push('\n');
        text.push_str(&lists::remade(&self.remade, width));
        text
    }
}

/// Counts milliseconds, a begun one as a whole.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}
