use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use bluegreen_core::transaction::{Event, EventKind, EventSink, StepId};
use indicatif::{ProgressBar, ProgressStyle};

use super::Progress;
use super::line::{Writer, settling, so_far, verifying};
use crate::render::text::count;

/// How often the block is drawn.
const TICK: Duration = Duration::from_millis(120);

/// Draws one block on a terminal: below the steps that are done, what is being waited for.
#[derive(Debug)]
pub(super) struct Live {
    bar: ProgressBar,
    has_colors: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    writer: Writer,
    /// The gate that is waited for.
    gate: Option<StepId>,
}

impl Live {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:>4}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(TICK);
        let has_colors = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
        Self { bar, has_colors, state: Mutex::default() }
    }

    /// Leaves a line above the block.
    fn leave(&self, line: &str) {
        if self.has_colors {
            self.bar.println(line);
        } else {
            self.bar.println(anstream::adapter::strip_str(line).to_string());
        }
    }

    /// Says what is being waited for from now on.
    fn wait_for(&self, text: String) {
        self.bar.set_message(text);
        self.bar.reset_elapsed();
    }
}

impl EventSink for Live {
    fn emit(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = state.writer.line(event);
        match &event.event {
            EventKind::GateWaiting { step, gate, progress, .. } => {
                // What changes comes first: the end is cut off where there is no room for it.
                self.bar.set_message(format!("{} — {gate}", so_far(progress.as_ref())));
                if state.gate.replace(*step) != Some(*step) {
                    self.bar.reset_elapsed();
                }
                // The block says so, as long as it is so.
                return;
            }
            EventKind::StageBegun { title, changes } => {
                self.wait_for(format!("{title}: {}", count(*changes, "change")));
            }
            EventKind::StageDone { .. } => self.wait_for(String::new()),
            EventKind::Unwinding { changes, .. } => {
                self.wait_for(format!("taking back {}", count(*changes, "change")));
            }
            EventKind::Settling { settle } => {
                self.wait_for(format!("waiting {}", settling(*settle)));
                return;
            }
            EventKind::Verifying { settle } => {
                self.wait_for(format!("checking {}", verifying(*settle)));
                return;
            }
            _ => {}
        }
        if let Some(line) = line {
            self.leave(&line);
        }
    }
}

impl Progress for Live {
    fn note(&self, text: &str) {
        self.leave(text);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
