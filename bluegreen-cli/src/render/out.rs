use std::io::{self, IsTerminal as _};

use anstream::ColorChoice;
use serde::Serialize;

use super::text;
use crate::args::{Global, Output, When};

/// Where results, notes and errors go: the one place that writes to stdout and stderr.
///
/// A reader that went away is no reason to fail: an operation ends as if it were still there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    is_json: bool,
    /// Whether stdout is taken by events, so that texts for people go to stderr.
    is_taken: bool,
    is_quiet: bool,
}

impl Out {
    /// Obeys what the command line says about output.
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        };
        choice.write_global();
        Self {
            is_json: global.output == Output::Json,
            is_taken: global.events.as_deref().is_some_and(|file| file.as_os_str() == "-"),
            is_quiet: global.quiet,
        }
    }

    /// Returns whether results are for programs.
    pub(crate) fn is_json(self) -> bool {
        self.is_json
    }

    /// Writes a result for people.
    pub(crate) fn text(self, text: &str) {
        if self.is_taken { problem(text) } else { write(&mut anstream::stdout().lock(), text) }
    }

    /// Writes a result for programs, in one line unless people look at it.
    pub(crate) fn json(self, value: &impl Serialize) {
        let text = if io::stdout().is_terminal() && !self.is_taken {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        let text = text.expect("reports have string keys and no failing serializers");
        write(&mut anstream::stdout().lock(), &format!("{text}\n"));
    }

    /// Writes reports: one that was asked for alone as itself, several as a list.
    pub(crate) fn reports<T: Serialize>(
        self,
        reports: &[T],
        is_single: bool,
        text: impl Fn(&T) -> String,
    ) {
        match reports {
            [report] if is_single && self.is_json => self.json(report),
            [] if is_single => {}
            reports if self.is_json => self.json(&reports),
            reports => {
                let texts: Vec<String> = reports.iter().map(text).collect();
                self.text(&texts.join("\n"));
            }
        }
    }

    /// Writes a line about what is going on, unless nobody wants to know.
    pub(crate) fn note(self, text: &str) {
        if !self.is_quiet {
            problem(&format!("{text}\n"));
        }
    }
}

/// Returns how many columns texts for people may take.
pub(crate) fn width() -> usize {
    text::width(terminal_size::terminal_size_of(io::stdout()))
}

/// Returns how many columns errors and questions may take.
pub(super) fn problem_width() -> usize {
    text::width(terminal_size::terminal_size_of(io::stderr()))
}

/// Writes an error or a question, or what else people must see.
pub(crate) fn problem(text: &str) {
    write(&mut anstream::stderr().lock(), text);
}

fn write(stream: &mut dyn io::Write, text: &str) {
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    // There is nobody left to tell.
    drop(written);
}
