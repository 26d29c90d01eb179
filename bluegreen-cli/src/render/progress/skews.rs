use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bluegreen_core::transaction::{Event, EventKind, EventSink};

/// Remembers within what time the changes of each stage were made.
#[derive(Debug, Default)]
pub(crate) struct Skews(Mutex<BTreeMap<String, Duration>>);

impl Skews {
    /// Returns the skew of the stage with this title.
    pub(crate) fn of(&self, title: &str) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(title).copied()
    }
}

impl EventSink for Skews {
    fn emit(&self, event: &Event) {
        if let EventKind::StageDone { title, skew } = &event.event {
            let mut skews = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            skews.insert(title.clone(), *skew);
        }
    }
}
