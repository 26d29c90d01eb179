use std::collections::BTreeMap;
use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{Event, EventKind, StepId};

/// How long what happens again and again is not told while nothing about it changes.
const SILENCE: Duration = Duration::from_secs(30);

/// Tells what is new from what is heard over and over: waits, and attempts to take back.
#[derive(Debug, Default)]
pub(super) struct News {
    /// What was last said of a step, and when.
    said: BTreeMap<StepId, (String, Timestamp)>,
}

impl News {
    /// Returns whether an event is worth a line.
    pub(super) fn is_new(&mut self, event: &Event) -> bool {
        match &event.event {
            EventKind::GateWaiting { step, progress: Some(progress), .. } => {
                // A second reading is waited for: that it came so far is said when it passes.
                let is_there = progress.done >= progress.wanted;
                self.is_changed(*step, &progress.to_string(), event.at, is_there)
            }
            EventKind::GateWaiting { step, progress: None, .. } => {
                self.is_changed(*step, "", event.at, false)
            }
            EventKind::UndoRetried { step, error, .. } => {
                self.is_changed(*step, error, event.at, false)
            }
            _ => true,
        }
    }

    fn is_changed(&mut self, step: StepId, text: &str, at: Timestamp, is_there: bool) -> bool {
        let is_new = match self.said.get(&step) {
            Some((last, told)) => (last != text && !is_there) || at.since(*told) >= SILENCE,
            None => !is_there,
        };
        if is_new || !self.said.contains_key(&step) {
            self.said.insert(step, (text.to_owned(), at));
        }
        is_new
    }
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
        let mut news = News::default();
        let told = [(0, 0), (5, 0), (10, 1), (15, 1), (40, 1), (45, 3), (70, 3)]
            .map(|(at, done)| news.is_new(&waiting(at, done)));
        assert_eq!(told, [true, false, true, false, true, false, true]);
    }

    #[test]
    fn a_gate_that_holds_at_once_is_not_waited_for() {
        let mut news = News::default();
        assert_eq!([0, 5].map(|at| news.is_new(&waiting(at, 3))), [false, false]);
    }
}
