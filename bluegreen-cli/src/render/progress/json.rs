use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use bluegreen_core::transaction::{Event, EventSink};

/// Writes each event as a line of JSON.
pub(super) struct Json {
    stream: Mutex<Box<dyn Write + Send>>,
}

impl Json {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self { stream: Mutex::new(stream) }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json").finish_non_exhaustive()
    }
}

impl EventSink for Json {
    fn emit(&self, event: &Event) {
        let line = serde_json::to_string(event).expect("events have string keys");
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        // A run does not fail because nobody reads about it any more.
        let written = writeln!(stream, "{line}").and_then(|()| stream.flush());
        drop(written);
    }
}
