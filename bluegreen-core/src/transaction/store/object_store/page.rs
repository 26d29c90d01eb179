use serde::{Deserialize, Serialize};

use super::super::lines;
use super::nonce;

/// An object of a journal: what it is for, and the lines in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) kind: Kind,
    pub(super) lines: Vec<String>,
}

/// What an object of a journal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Somebody goes on from here; it has no lines.
    Claim,
    /// Lines that were appended together.
    Lines,
    /// The journal was closed; it has no lines.
    End,
    /// Every line of the journal.
    Whole,
}

/// The first line of an object.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    kind: Kind,
    /// How many lines follow.
    lines: usize,
    /// Like no other.
    nonce: String,
}

impl Page {
    /// Makes one that holds a place and nothing else.
    pub(super) fn empty(kind: Kind) -> Self {
        Self { kind, lines: Vec::new() }
    }

    /// Writes it; never the same twice.
    pub(super) fn write(&self) -> Vec<u8> {
        let head = Head { kind: self.kind, lines: self.lines.len(), nonce: nonce() };
        let head = serde_json::to_string(&head).expect("plain text is JSON");
        let mut text = lines::write(&[head]);
        text.push_str(&lines::write(&self.lines));
        text.into_bytes()
    }

    /// Reads one, or says what is wrong with it.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let found = lines::read(body).filter(|(_, whole)| *whole == body.len());
        let (mut lines, _) = found.ok_or("a line does not match its checksum")?;
        if lines.is_empty() {
            return Err("it is empty".to_owned());
        }
        let head: Head = serde_json::from_str(&lines.remove(0)).map_err(|error| {
            format!("its first line is not known to this version of bluegreen: {error}")
        })?;
        if head.lines != lines.len() {
            return Err(format!("it has {} lines instead of {}", lines.len(), head.lines));
        }
        Ok(Self { kind: head.kind, lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page { kind: Kind::Lines, lines: vec!["one".to_owned(), String::new()] }
    }

    #[test]
    fn what_was_written_is_read_and_never_the_same_twice() {
        assert_eq!(Page::read(&page().write()), Ok(page()));
        assert_ne!(page().write(), page().write());
    }

    #[test]
    fn a_page_that_is_cut_short_or_changed_is_never_read() {
        let body = page().write();
        for length in 0..body.len() {
            assert!(Page::read(&body[..length]).is_err(), "cut after {length} bytes");
        }
        for index in 0..body.len() {
            let mut body = body.clone();
            body[index] ^= 1;
            assert!(Page::read(&body).is_err(), "byte {index} changed");
        }
    }
}
