//! Listeners to the events of a run: a live block on a terminal, lines elsewhere, JSON for
//! programs.

mod json;
mod line;
mod lines;
mod live;
mod news;
mod silent;
mod skews;

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;

use bluegreen_core::transaction::{Event, EventSink};

pub(crate) use skews::Skews;

use crate::args::Global;
use crate::failure::Failure;

/// Shows a run under way.
pub(crate) trait Progress: EventSink {
    /// Shows a line that is no event.
    fn note(&self, text: &str);

    /// Leaves only what is worth keeping.
    fn finish(&self);
}

/// Returns what shows a run to people.
pub(crate) fn progress(global: &Global) -> Arc<dyn Progress> {
    // Traces and a live block would write over each other.
    let is_live = global.verbose == 0 && io::stderr().is_terminal() && !is_log();
    if global.quiet {
        Arc::new(silent::Silent)
    } else if is_live {
        Arc::new(live::Live::new())
    } else {
        Arc::new(lines::Lines::default())
    }
}

/// Returns whether what looks like a terminal is read as a log.
fn is_log() -> bool {
    std::env::var_os("CI").is_some() || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Opens what events are written to, if they are wanted.
pub(crate) fn events(file: Option<&Path>) -> Result<Option<Arc<dyn EventSink>>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let stream: Box<dyn Write + Send> = if file.as_os_str() == "-" {
        Box::new(io::stdout())
    } else {
        let opened = File::create(file).map_err(|error| {
            Failure::usage(format!("events cannot be written to `{}`: {error}", file.display()))
        })?;
        Box::new(opened)
    };
    Ok(Some(Arc::new(json::Json::new(stream))))
}

/// Sends every event to several sinks.
#[derive(Debug)]
pub(crate) struct Everyone(pub(crate) Vec<Arc<dyn EventSink>>);

impl EventSink for Everyone {
    fn emit(&self, event: &Event) {
        for sink in &self.0 {
            sink.emit(event);
        }
    }
}
