//! Whether a secret shows where nobody should see it.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What no journal, event or log line may show: part of the user data that is deployed in a sweep.
pub(super) const MARKER: &str = "hunter2-in-a-sweep";

/// Runs something and returns the first log line that shows the secret, if one does.
pub(super) fn watched<T>(work: impl FnOnce() -> T) -> (T, Option<String>) {
    let watch = Watch::default();
    let found = Arc::clone(&watch.found);
    let done = tracing::subscriber::with_default(watch, work);
    let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
    (done, found)
}

/// Reads every log line.
#[derive(Default)]
struct Watch {
    found: Arc<Mutex<Option<String>>>,
}

impl Watch {
    fn read(&self, record: impl FnOnce(&mut Line)) {
        let mut line = Line::default();
        record(&mut line);
        if line.0.contains(MARKER) {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(line.0);
        }
    }
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").expect("writing to a string cannot fail");
    }
}

impl Subscriber for Watch {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.read(|line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.read(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.read(|line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
