use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{Ending, Event, EventKind};

use crate::duration;
use crate::render::text::{BAD, BOLD, GOOD, ODD, count, styled};

/// Writes events as lines that begin with the time since the run began.
#[derive(Debug, Default)]
pub(super) struct Writer {
    began: Option<Timestamp>,
}

impl Writer {
    /// Returns the line of an event; nothing for those that are only of passing interest.
    pub(super) fn line(&mut self, event: &Event) -> Option<String> {
        let began = *self.began.get_or_insert(event.at);
        let elapsed = event.at.since(began);
        let line = |word: &str, text: &str| Some(line(elapsed, word, text));
        let failed = |word: &str, text: &str| line(&styled(BAD.bold(), word), text);
        match &event.event {
            EventKind::Begun { operation, environment, changes } => {
                let (run, changes) = (&event.run, count(*changes, "change"));
                line("begin", &format!("{operation} {environment}, {changes}, run {run}"))
            }
            EventKind::StageBegun { title, .. } => line(&styled(BOLD, "stage"), title),
            EventKind::ChangeDone { step, change } => {
                line(&styled(GOOD, "done"), &format!("{step:>3}  {change}"))
            }
            EventKind::ChangeFailed { step, change, error } => {
                failed("failed", &format!("{step:>3}  {change}: {error}"))
            }
            EventKind::GateWaiting { step, gate, progress, .. } => {
                let progress = progress.as_ref().map_or_else(
                    || "it could not be looked at just now".to_owned(),
                    ToString::to_string,
                );
                line("waiting", &format!("{step:>3}  {gate}: {progress}"))
            }
            EventKind::GatePassed { step, gate, progress } => {
                line(&styled(GOOD, "passed"), &format!("{step:>3}  {gate}: {progress}"))
            }
            EventKind::GateFailed { step, gate, reason } => {
                failed("failed", &format!("{step:>3}  {gate}: {reason}"))
            }
            EventKind::Unwinding { changes, .. } => {
                let text = format!("taking back {}, newest first", count(*changes, "change"));
                line(&styled(ODD.bold(), "rollback"), &text)
            }
            EventKind::Undone { step, change } => {
                line(&styled(ODD, "undone"), &format!("{step:>3}  {change}"))
            }
            EventKind::UndoRetried { step, change, error } => {
                failed("retrying", &format!("{step:>3}  {change}: {error}"))
            }
            EventKind::UndoStuck { step, change, reason } => {
                failed("stuck", &format!("{step:>3}  {change}: {reason}"))
            }
            EventKind::Verifying { settle } => line("checking", &verifying(*settle)),
            EventKind::Ended { ending: Ending::RolledBack } => {
                line("end", "everything is as it was before")
            }
            EventKind::Ended { ending: Ending::Committed } => line("end", "everything is in place"),
            EventKind::LeftOpen { .. } => failed("end", "something is left"),
            _ => None,
        }
    }
}

fn line(elapsed: Duration, word: &str, text: &str) -> String {
    let gap = 8_usize.saturating_sub(crate::render::text::visible(word));
    format!("{:>6}  {word}{:gap$}  {text}", duration::show(elapsed), "")
}

/// Says what is looked at after a rollback.
pub(super) fn verifying(settle: Duration) -> String {
    let all = "that everything is as it was before";
    if settle.is_zero() {
        all.to_owned()
    } else {
        format!("{all}, after {} for calls that may land late", duration::show(settle))
    }
}
