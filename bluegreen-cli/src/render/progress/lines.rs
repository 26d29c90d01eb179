use std::sync::{Mutex, PoisonError};

use bluegreen_core::transaction::{Event, EventSink};

use super::Progress;
use super::line::Writer;
use crate::render::problem;

/// Writes a line a step, as logs want it.
#[derive(Debug, Default)]
pub(super) struct Lines {
    writer: Mutex<Writer>,
}

impl EventSink for Lines {
    fn emit(&self, event: &Event) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = writer.line(event) {
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
