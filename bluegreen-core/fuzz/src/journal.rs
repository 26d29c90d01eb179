//! Lines that may be records of cloud changes.

use bluegreen_core::change::CloudChange;
use bluegreen_core::gate::CloudGate;
use bluegreen_core::transaction::{Change, Entry, Gate, Plan, decode, encode};

use super::walk::Walk;

type Entries = Vec<Entry<CloudChange, CloudGate>>;

/// Takes the bytes for lines, each with a checksum before it or not; it is not looked at, since
/// nobody would ever guess one.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines: Vec<String> = text.lines().map(|line| bare(line).to_owned()).collect();
    let entries: Entries = match decode(&lines) {
        Ok(entries) => entries,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    survives(&entries);
    let mut records = entries.into_iter().map(|entry| entry.record);
    let first = records.next().expect("an empty journal does not decode");
    let Some(mut walk) = Walk::begin(first) else { return };
    is_sound(walk.ledger().plan());
    walk.check();
    for record in records {
        if !walk.take(record) {
            break;
        }
    }
    walk.end();
}

/// Takes the checksum away that stands before a line.
fn bare(line: &str) -> &str {
    match line.split_once(' ') {
        Some((sum, rest)) if sum.len() == 8 && sum.bytes().all(|it| it.is_ascii_hexdigit()) => rest,
        _ => line,
    }
}

/// What was read is written so that the same is read again.
fn survives(entries: &Entries) {
    let write = |entries: &Entries| entries.iter().map(encode).collect::<Vec<String>>();
    let lines = write(entries);
    let again: Entries = decode(&lines).expect("what was written can be read");
    assert_eq!(*entries, again);
    assert_eq!(lines, write(&again));
    assert!(lines.iter().all(|line| !line.contains('\n')), "a record is a line");
}

/// Nothing that is in a plan is too odd to be told, or to be taken back.
fn is_sound(plan: &Plan<CloudChange, CloudGate>) {
    let _time = plan.rollback_time();
    for (_, _, work) in plan.steps() {
        match work {
            Ok(change) => {
                assert_eq!(change.inverse().inverse(), *change);
                assert_eq!(change.redacted(), *change);
                assert!(!change.to_string().is_empty());
                let _natural_key = change.resource();
                let (_before, _after) = (change.before(), change.after());
            }
            Err(gate) => {
                assert!(!gate.to_string().is_empty());
                let _patience = gate.patience();
            }
        }
    }
}
