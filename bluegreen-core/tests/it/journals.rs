//! Journals of other versions, and lines that are none.

use bluegreen_core::change::CloudChange;
use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::RunId;
use bluegreen_core::transaction::{
    DecodeError, Ending, Entry, FORMAT, Ledger, LocalStore, Store as _, decode,
};

fn read(text: &str) -> Result<Vec<Entry<CloudChange, CloudGate>>, DecodeError> {
    decode(&text.lines().map(str::to_owned).collect::<Vec<_>>())
}

#[test]
fn a_journal_of_a_later_version_is_refused_with_the_version_that_wrote_it() {
    let later = FORMAT + 1;
    let text = format!(
        r#"{{"at":"2030-01-01T00:00:00Z","record":{{"begun":{{"format":{later},"version":"9.1.0","shape":"unknown"}}}}}}"#
    );
    let error = read(&text).unwrap_err();
    assert!(matches!(error, DecodeError::TooNew { .. }));
    let said = error.to_string();
    assert!(said.contains("9.1.0") && said.contains(&later.to_string()), "{said}");
}

#[test]
fn an_empty_journal_is_told_from_a_malformed_one() {
    assert!(matches!(read(""), Err(DecodeError::Empty)));
    assert!(matches!(read("{}"), Err(DecodeError::Malformed { number: 1, .. })));
}

/// Reads a frozen journal and folds it.
async fn frozen(name: &str) -> Ledger<CloudChange, CloudGate> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journals/format-1");
    let lines = LocalStore::new(folder).read(&RunId::new(name)).await.expect("it is there");
    let entries = decode(&lines).expect("records");
    Ledger::replay(entries.into_iter().map(|entry| entry.record)).expect("a legal sequence")
}

#[tokio::test]
async fn every_journal_of_format_1_can_still_be_read() {
    for (name, ending) in [
        ("upgrade-committed", Some(Ending::Committed)),
        ("deploy-committed", Some(Ending::Committed)),
        ("switch-rolled-back", Some(Ending::RolledBack)),
        ("switch-open", None),
    ] {
        let ledger = frozen(name).await;
        assert_eq!(ledger.ending(), ending, "{name}");
        assert!(ledger.touched().count() > 0, "{name}");
    }
}
