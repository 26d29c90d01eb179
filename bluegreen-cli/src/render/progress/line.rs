use std::time::Duration;

use anstyle::Style;
use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{Ending, Event, EventKind, Progress};

use super::news::News;
use crate::duration;
use crate::render::text::{BAD, BOLD, GOOD, ODD, count};

/// Writes events as lines that begin with the time since the run began.
#[derive(Debug, Default)]
pub(super) struct Writer {
    began: Option<Timestamp>,
    news: News,
}

/// The word that a line begins with, and what it says.
type Line = (Style, &'static str, String);

impl Writer {
    /// Returns the line of an event; nothing for those that are only of passing interest.
    pub(super) fn line(&mut self, event: &Event) -> Option<String> {
        let began = *self.began.get_or_insert(event.at);
        if !self.news.is_new(event) {
            return None;
        }
        let (style, word, text) = ahead(event).or_else(|| back(&event.event))?;
        let elapsed = duration::show(event.at.since(began));
        Some(format!("{elapsed:>6}  {style}{word:<8}{style:#}  {text}"))
    }
}

/// Writes what happens on the way forward.
fn ahead(event: &Event) -> Option<Line> {
    Some(match &event.event {
        EventKind::Begun { operation, environment, changes } => {
            let (run, changes) = (&event.run, count(*changes, "change"));
            (Style::new(), "begin", format!("{operation} {environment}, {changes}, run {run}"))
        }
        EventKind::StageBegun { title, .. } => (BOLD, "stage", title.clone()),
        EventKind::ChangeDone { step, change } => (GOOD, "done", format!("{step:>3}  {change}")),
        EventKind::ChangeFailed { step, change, error } => {
            (BAD.bold(), "failed", format!("{step:>3}  {change}: {error}"))
        }
        EventKind::GateWaiting { step, gate, progress, .. } => {
            let progress = so_far(progress.as_ref());
            (Style::new(), "waiting", format!("{step:>3}  {gate}: {progress}"))
        }
        EventKind::GatePassed { step, gate, progress } => {
            (GOOD, "passed", format!("{step:>3}  {gate}: {progress}"))
        }
        EventKind::GateFailed { step, gate, reason } => {
            (BAD.bold(), "failed", format!("{step:>3}  {gate}: {reason}"))
        }
        EventKind::Ended { ending: Ending::Committed } => {
            (Style::new(), "end", "everything is in place".to_owned())
        }
        _ => return None,
    })
}

/// Writes what happens on the way back.
fn back(event: &EventKind) -> Option<Line> {
    Some(match event {
        EventKind::Unwinding { changes, .. } => {
            let text = format!("taking back {}, newest first", count(*changes, "change"));
            (ODD.bold(), "rollback", text)
        }
        EventKind::Undone { step, change } => (ODD, "undone", format!("{step:>3}  {change}")),
        EventKind::UndoRetried { step, change, error } => {
            (BAD.bold(), "retrying", format!("{step:>3}  {change}: {error}"))
        }
        EventKind::UndoStuck { step, change, reason, .. } => {
            (BAD.bold(), "stuck", format!("{step:>3}  {change}: {reason}"))
        }
        EventKind::Settling { settle } => (Style::new(), "waiting", settling(*settle)),
        EventKind::Verifying { settle } => (Style::new(), "checking", verifying(*settle)),
        EventKind::Ended { ending: Ending::RolledBack } => {
            (Style::new(), "end", "everything is as it was before".to_owned())
        }
        EventKind::LeftOpen { .. } => (BAD.bold(), "end", "something is left".to_owned()),
        _ => return None,
    })
}

/// Says how far a gate has come.
pub(super) fn so_far(progress: Option<&Progress>) -> String {
    match progress {
        Some(progress) if progress.done >= progress.wanted => {
            format!("{progress}, looking once more")
        }
        Some(progress) => progress.to_string(),
        None => "it could not be looked at just now".to_owned(),
    }
}

/// Says what is waited for before a run goes on after a crash.
pub(super) fn settling(settle: Duration) -> String {
    format!("{} for calls that may land late", duration::show(settle))
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
