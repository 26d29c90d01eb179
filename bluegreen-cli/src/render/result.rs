use std::fmt::Write as _;
use std::time::Duration;

use bluegreen_core::transaction::{Ending, Left, Outcome};
use serde::Serialize;

use super::Out;
use super::text::{BAD, BOLD, GOOD, count, styled};
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
    left: Vec<LeftReport>,
    /// Why there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip)]
    routes: usize,
}

#[derive(Clone, Debug, Serialize)]
struct LeftReport {
    step: u32,
    change: String,
    reason: String,
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
            reason: None,
            routes: 0,
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
            ..Self::new(environment, operation, state)
        }
    }

    /// It failed.
    pub(crate) fn failed(environment: &str, operation: &str, failure: &Failure) -> Self {
        let left = |left: &Left| LeftReport {
            step: left.step.0,
            change: left.change.clone(),
            reason: left.reason.clone(),
        };
        Self {
            run: failure.run.as_ref().map(ToString::to_string),
            error: Some(failure.message.clone()),
            left: failure.left.iter().map(left).collect(),
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
        if out.is_json() { out.json(self) } else { out.text(&self.text()) }
    }

    fn text(&self) -> String {
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
        text
    }
}

/// Counts milliseconds, a begun one as a whole.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}
