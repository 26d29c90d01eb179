//! Real files: what is on the disk, what a crash leaves, and who may come in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{Holder, LocalStore, Store as _, StoreErrorKind};
use tempfile::TempDir;

const TERM: Duration = Duration::from_secs(30);

fn folder() -> (TempDir, LocalStore) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = LocalStore::new(folder.path().join("state"));
    (folder, store)
}

fn run() -> RunId {
    RunId::new("01run")
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("state/runs/01run.journal")
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn holder() -> Holder {
    Holder {
        owner: "ann".to_owned(),
        host: "laptop".to_owned(),
        process: 7,
        operation: "switch".to_owned(),
        run: run(),
        since: Timestamp::from_millis(0),
    }
}

#[tokio::test]
async fn what_was_appended_is_read_back_and_private() {
    let (folder, store) = folder();
    let mut journal = store.create(&run()).await.unwrap();
    journal.append(&lines(&["one", "two"])).await.unwrap();
    journal.append(&lines(&["three"])).await.unwrap();
    assert_eq!(store.read(&run()).await.unwrap(), ["one", "two", "three"]);
    assert_eq!(store.runs().await.unwrap(), [run()]);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file(&folder)), 0o600);
    assert_eq!(mode(folder.path().join("state/runs")), 0o700);
}

#[tokio::test]
async fn a_run_is_made_once() {
    let (_folder, store) = folder();
    let _journal = store.create(&run()).await.unwrap();
    assert_eq!(store.create(&run()).await.unwrap_err().kind(), &StoreErrorKind::Exists);
    let other = RunId::new("02run");
    assert_eq!(store.read(&other).await.unwrap_err().kind(), &StoreErrorKind::NotFound);
}

#[tokio::test]
async fn a_line_torn_at_any_byte_is_cut_off_and_written_over() {
    let (folder, store) = folder();
    let mut journal = store.create(&run()).await.unwrap();
    journal.append(&lines(&["one"])).await.unwrap();
    let whole = fs::metadata(file(&folder)).unwrap().len();
    journal.append(&lines(&["two"])).await.unwrap();
    drop(journal);
    let bytes = fs::read(file(&folder)).unwrap();
    let first = usize::try_from(whole).unwrap();
    for length in first..bytes.len() {
        fs::write(file(&folder), &bytes[..length]).unwrap();
        assert_eq!(store.read(&run()).await.unwrap(), ["one"], "torn after {length} bytes");
        let (found, mut journal) = store.open(&run()).await.unwrap();
        assert_eq!(found, ["one"]);
        journal.append(&lines(&["again"])).await.unwrap();
        assert_eq!(store.read(&run()).await.unwrap(), ["one", "again"]);
    }
}

#[tokio::test]
async fn a_changed_byte_before_the_end_is_damage() {
    let (folder, store) = folder();
    let mut journal = store.create(&run()).await.unwrap();
    journal.append(&lines(&["one", "two"])).await.unwrap();
    let mut bytes = fs::read(file(&folder)).unwrap();
    bytes[10] ^= 1;
    fs::write(file(&folder), bytes).unwrap();
    assert_eq!(store.read(&run()).await.unwrap_err().kind(), &StoreErrorKind::Damaged);
}

#[tokio::test]
async fn a_lock_excludes_and_says_who_holds_it() {
    let (_folder, store) = folder();
    let environment = EnvironmentName::new("IE-L/NGINX");
    let lock = store.lock(&environment, &holder(), TERM).await.unwrap();
    let error = store.lock(&environment, &holder(), TERM).await.unwrap_err();
    assert!(error.to_string().contains("ann@laptop (process 7), doing switch"), "{error}");
    let other = EnvironmentName::new("IE-L-NGINX");
    let _other = store.lock(&other, &holder(), TERM).await.expect("another environment is free");
    drop(lock);
    let _again = store.lock(&environment, &holder(), TERM).await.expect("it was given back");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_names_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("state");
    fs::write(&in_the_way, "a file where a folder should be").unwrap();
    let error = LocalStore::new(&in_the_way).create(&run()).await.unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Unusable);
    assert!(error.to_string().contains("state"), "{error}");
}
