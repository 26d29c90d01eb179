//! Journals of other versions, and lines that are none.

use std::collections::{BTreeMap, BTreeSet};

use bluegreen_core::change::CloudChange;
use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::RunId;
use bluegreen_core::transaction::{
    DecodeError, Ending, Entry, FORMAT, Ledger, LocalStore, Next, Store as _, decode, encode,
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

/// Reads the journals of a format that were frozen when it was new, and folds them.
async fn frozen(format: u32) -> BTreeMap<String, Ledger<CloudChange, CloudGate>> {
    let folder = format!("{}/tests/journals/format-{format}", env!("CARGO_MANIFEST_DIR"));
    let store = LocalStore::new(folder);
    let mut ledgers = BTreeMap::new();
    for run in store.runs().await.expect("the folder is there") {
        let lines = store.read(&run).await.expect("it is there");
        let entries = decode(&lines).unwrap_or_else(|error| panic!("{run}: {error}"));
        let ledger = Ledger::replay(entries.into_iter().map(|entry| entry.record));
        let ledger = ledger.unwrap_or_else(|error| panic!("{run}: {error}"));
        assert_eq!(ledger.header().format, format, "{run}");
        assert!(ledger.touched().count() > 0, "{run}");
        ledgers.insert(run.to_string(), ledger);
    }
    ledgers
}

/// Returns how every journal of a format ends.
async fn endings(format: u32) -> Vec<(String, Option<Ending>)> {
    let ledgers = frozen(format).await.into_iter();
    ledgers.map(|(name, ledger)| (name, ledger.ending())).collect()
}

fn named(ends: &[(&str, Option<Ending>)]) -> Vec<(String, Option<Ending>)> {
    ends.iter().map(|(name, ending)| ((*name).to_owned(), *ending)).collect()
}

#[tokio::test]
async fn every_journal_of_format_1_can_still_be_read() {
    let wanted = named(&[
        ("deploy-committed", Some(Ending::Committed)),
        ("switch-open", None),
        ("switch-rolled-back", Some(Ending::RolledBack)),
        ("upgrade-committed", Some(Ending::Committed)),
    ]);
    assert_eq!(endings(1).await, wanted);
}

#[tokio::test]
async fn every_journal_of_format_2_can_still_be_read() {
    let wanted = named(&[
        ("deploy-abandoned", Some(Ending::Abandoned)),
        ("deploy-again-committed", Some(Ending::Committed)),
        ("deploy-committed", Some(Ending::Committed)),
        ("deploy-configuration-committed", Some(Ending::Committed)),
        ("deploy-dirty", None),
        ("deploy-migrated-committed", Some(Ending::Committed)),
        ("deploy-rolled-back", Some(Ending::RolledBack)),
        ("downgrade-committed", Some(Ending::Committed)),
        ("scaledown-recovered-back", Some(Ending::RolledBack)),
        ("switch-open", None),
        ("switch-recovered-forward", Some(Ending::Committed)),
        ("undo-committed", Some(Ending::Committed)),
        ("upgrade-committed", Some(Ending::Committed)),
        ("upgrade-test-rules-committed", Some(Ending::Committed)),
    ]);
    assert_eq!(endings(2).await, wanted);
}

#[tokio::test]
async fn every_kind_of_change_is_in_a_frozen_journal() {
    let mut kinds = BTreeSet::new();
    for ledger in frozen(2).await.into_values() {
        for (_, change) in ledger.plan().changes() {
            let json = serde_json::to_value(change).expect("a change is JSON");
            kinds.extend(json.as_object().into_iter().flat_map(|it| it.keys().cloned()));
        }
    }
    let all = [
        "alarm",
        "capacity",
        "deletion_protection",
        "fitting",
        "hold",
        "image",
        "launch",
        "launch_configuration",
        "launch_template",
        "listener",
        "policy",
        "processes",
        "route",
        "rule",
        "scaling_group",
        "schedule",
        "tags",
        "target_group",
        "template_version",
    ];
    let missing: Vec<_> = all.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn what_a_frozen_journal_leaves_to_be_done_stays_the_same() {
    let ledgers = frozen(2).await;
    assert!(matches!(ledgers["switch-open"].next(), Next::Apply(steps) if steps.len() == 3));
    let dirty = &ledgers["deploy-dirty"];
    let Next::Stuck(stuck) = dirty.next() else { panic!("it is stuck: {:?}", dirty.next()) };
    let obstacle = dirty.obstacle(stuck[0]).expect("it says why");
    assert!(obstacle.differences.iter().any(|one| one.field == "max"), "{obstacle:?}");
    assert!(dirty.may_skip(stuck[0]) && !dirty.may_go_on());
    let undo = ledgers["undo-committed"].header().undoes.clone();
    assert_eq!(undo.as_ref(), Some(&ledgers["deploy-committed"].header().run));
}

#[tokio::test]
async fn user_data_is_sealed_where_a_replay_needs_it_and_nowhere_else() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journals/format-2");
    let lines = LocalStore::new(folder).read(&RunId::new("deploy-committed")).await.unwrap();
    let (begun, rest) = lines.split_first().expect("there are records");
    assert!(begun.contains("\"sealed\"") && !begun.contains("echo frozen"));
    assert!(rest.iter().any(|line| line.contains("user_data")));
    assert!(rest.iter().all(|line| !line.contains("sealed") && !line.contains("echo frozen")));
}

#[test]
fn a_record_is_written_as_it_was_when_its_format_was_new() {
    let record = |json: &str| {
        let line = format!(r#"{{"at":"2026-01-01T00:00:00.000Z","record":{json}}}"#);
        let entry: Entry<CloudChange, CloudGate> = serde_json::from_str(&line).expect("a record");
        assert_eq!(encode(&entry), line);
    };
    for json in [
        r#"{"applied":{"step":1}}"#,
        r#"{"failed":{"step":1,"error":"no","in_doubt":true}}"#,
        r#"{"passed":{"step":1}}"#,
        r#"{"unwinding":{"cause":"no","asked":false}}"#,
        r#"{"undone":{"step":1}}"#,
        r#"{"undone":{"step":1,"remade":true}}"#,
        r#"{"resurfaced":{"step":1}}"#,
        r#"{"stuck":{"step":1,"reason":"no"}}"#,
        r#"{"stuck":{"step":1,"reason":"no","differences":[{"field":"max","wanted":"1","found":null}]}}"#,
        r#"{"skipped":{"step":1,"actor":"ann@laptop"}}"#,
        r#"{"resumed":{"actor":"ann@laptop"}}"#,
        r#"{"resumed":{"actor":"ann@laptop","forward":true}}"#,
        r#""committed""#,
        r#""rolled_back""#,
        r#""abandoned""#,
    ] {
        record(json);
    }
}
