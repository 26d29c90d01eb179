use bluegreen_core::transaction::{Event, EventSink};

use super::Progress;

/// Shows nothing.
#[derive(Debug)]
pub(super) struct Silent;

impl EventSink for Silent {
    fn emit(&self, _: &Event) {}
}

impl Progress for Silent {
    fn note(&self, _: &str) {}

    fn finish(&self) {}
}
