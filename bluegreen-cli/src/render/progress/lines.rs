use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{Event, EventKind, EventSink, StepId};

use super::Progress;
use super::line::Writer;
use crate::render::problem;

/// How long a gate is waited for in silence while nothing about it changes.
const SILENCE: Duration = Duration::from_secs(30);

/// Writes a line a step, as logs want it.
#[derive(Debug, Default)]
pub(super) struct Lines {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    writer: Writer,
    /// What was last said of a gate that is waited for, and when.
    waiting: Option<(StepId, String, Timestamp)>,
}

impl State {
    /// Returns whether an event says something new.
    fn is_news(&mut self, event: &Event) -> bool {
        let EventKind::GateWaiting { step, progress, .. } = &event.event else { return true };
        // A second reading is waited for: that it came so far is said when it passes.
        let is_there = progress.as_ref().is_some_and(|progress| progress.done >= progress.wanted);
        let text = progress.as_ref().map_or_else(String::new, ToString::to_string);
        let is_news = match &self.waiting {
            Some((last, said, at)) if last == step => {
                (*said != text && !is_there) || event.at.since(*at) >= SILENCE
            }
            _ => !is_there,
        };
        if is_news {
            self.waiting = Some((*step, text, event.at));
        }
        is_news
    }
}

impl EventSink for Lines {
    fn emit(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_news(event)
            && let Some(line) = state.writer.line(event)
        {
            problem(&format!("{line}\n"));
        }
    }
}

impl Progress for Lines {
    fn note(&self, text: &str) {
        problem(&format!("{text}\n"));
    }

    fn finish(&self) {}
}

#[cfg(test)]
mod tests {
    use bluegreen_core::model::RunId;
    use bluegreen_core::transaction::Progress;

    use super::*;

    fn waiting(at: u64, done: usize) -> Event {
        let progress = Progress { done, wanted: 3, what: "healthy".to_owned() };
        Event {
            at: Timestamp::from_millis(at * 1000),
            run: RunId::new("run"),
            event: EventKind::GateWaiting {
                step: StepId(1),
                gate: "green is healthy".to_owned(),
                progress: Some(progress),
                waited: Duration::from_secs(at),
            },
        }
    }

    #[test]
    fn a_wait_is_told_when_it_changes_and_every_thirty_seconds() {
        let mut state = State::default();
        let told = [(0, 0), (5, 0), (10, 1), (15, 1), (40, 1), (45, 3), (70, 3)]
            .map(|(at, done)| state.is_news(&waiting(at, done)));
        assert_eq!(told, [true, false, true, false, true, false, true]);
    }
}
