//! Events, kept for a look at them.

use std::sync::{Arc, Mutex, PoisonError};

use bluegreen_core::transaction::{Event, EventSink};

/// Keeps every event. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    events: Arc<Mutex<Vec<Event>>>,
}

impl EventLog {
    /// Makes an empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the events so far, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EventSink for EventLog {
    fn emit(&self, event: &Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}
