//! What cannot be read is not what is not there, and what cannot be given back is not given back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{
    Holder, LocalStore, ObjectStore, Store as _, StoreError, StoreErrorKind,
};
use bluegreen_testkit::MemoryObjects;
use bluegreen_testkit::objects::ObjectFault;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::gated::{TERM, break_lock, environment, run_id};

fn holder() -> Holder {
    Holder {
        owner: "ann".to_owned(),
        host: "laptop".to_owned(),
        process: 7,
        operation: "switch".to_owned(),
        run: run_id(),
        since: Timestamp::from_millis(0),
    }
}

/// A store in which a lock was held once, and broken, and a run was journaled.
async fn used() -> (TempDir, LocalStore) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = LocalStore::new(folder.path());
    let lock = store.lock(&environment(), &holder(), TERM).await.expect("it is free");
    let at = Timestamp::from_millis(1);
    let broken = store.break_lock(&environment(), "an operator", at).await.expect("it is held");
    assert_eq!(broken, Some(holder()));
    drop(lock);
    let _lock = store.lock(&environment(), &holder(), TERM).await.expect("it is free");
    let _journal = store.create(&run_id()).await.expect("it is new");
    (folder, store)
}

/// The only file of that extension in a part of the store.
fn file(folder: &TempDir, part: &str, extension: &str) -> PathBuf {
    let entries = fs::read_dir(folder.path().join(part)).expect("it is there");
    let mut paths = entries.map(|entry| entry.expect("it can be read").path());
    paths.find(|path| path.extension().is_some_and(|one| one == extension)).expect("it is there")
}

/// Puts something there that no open ever gets through.
fn spoil(path: &PathBuf) {
    fs::remove_file(path).expect("it is there");
    symlink(path, path).expect("nothing is there");
}

fn assert_unusable<T: std::fmt::Debug>(result: Result<T, StoreError>, what: &str) {
    let error = result.expect_err(what);
    assert_eq!(*error.kind(), StoreErrorKind::Unusable, "{what}: {error}");
    assert!(std::error::Error::source(&error).is_some(), "{what}: nobody knows why");
}

#[tokio::test]
async fn a_lock_that_cannot_be_read_is_not_free() {
    let (folder, store) = used().await;
    assert_eq!(store.lock_state(&environment()).await.expect("it can be read").held, None);
    spoil(&file(&folder, "locks", "lock"));
    let at = Timestamp::from_millis(2);
    assert_unusable(store.lock_state(&environment()).await, "its state");
    assert_unusable(store.break_lock(&environment(), "an operator", at).await, "a break");
    assert_unusable(store.lock(&environment(), &holder(), TERM).await, "the lock");
}

#[tokio::test]
async fn breaks_that_cannot_be_read_are_not_none() {
    let (folder, store) = used().await;
    let state = store.lock_state(&environment()).await.expect("it can be read");
    assert_eq!(state.broken.expect("it was broken").by, "an operator");
    spoil(&file(&folder, "locks", "breaks"));
    assert_unusable(store.lock_state(&environment()).await, "its state");
}

#[tokio::test]
async fn a_lock_whose_file_cannot_be_looked_for_is_not_lost() {
    let (folder, store) = used().await;
    let lock = store.lock(&environment(), &holder(), TERM).await.expect("it is free");
    lock.check().await.expect("it is held");
    spoil(&file(&folder, "locks", "lock"));
    assert_unusable(lock.check().await, "the lock");
}

#[tokio::test]
async fn journals_that_cannot_be_read_are_not_absent() {
    let (folder, store) = used().await;
    assert_eq!(store.runs().await.expect("they can be read"), [run_id()]);
    spoil(&file(&folder, "runs", "journal"));
    assert_unusable(store.read(&run_id()).await, "a journal that is read");
    assert_unusable(store.open(&run_id()).await, "a journal that is opened");
    fs::remove_dir_all(folder.path().join("runs")).expect("it is there");
    assert_eq!(store.runs().await.expect("nothing was written"), []);
    fs::write(folder.path().join("runs"), "no folder").expect("nothing is there");
    assert_unusable(store.runs().await, "the runs");
    assert_unusable(store.create(&run_id()).await, "a new run");
}

#[tokio::test(start_paused = true)]
async fn a_lock_in_a_bucket_that_cannot_be_given_back_is_held_until_its_term_ends() {
    let objects = MemoryObjects::new();
    let store = ObjectStore::new(objects.clone(), "shared");
    let other = ObjectStore::new(objects.another(), "shared");
    let began = Instant::now();
    let lock = store.lock(&environment(), &holder(), TERM).await.expect("it is free");
    objects.fail_from(0, ObjectFault::Refuse);
    assert_unusable(lock.release().await, "nothing was given back");
    tokio::time::sleep_until(began + TERM - Duration::from_millis(1)).await;
    let again = other.lock(&environment(), &holder(), TERM).await.expect_err("it is held");
    assert!(matches!(again.kind(), StoreErrorKind::Held(Some(_))));
    assert!(again.to_string().contains("is locked by ann@laptop (process 7), doing switch"));
    tokio::time::sleep_until(began + TERM).await;
    assert!(other.lock(&environment(), &holder(), TERM).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lock_in_a_bucket_that_is_somebody_elses_need_not_be_given_back() {
    let objects = MemoryObjects::new();
    let store = ObjectStore::new(objects, "shared");
    let lock = store.lock(&environment(), &holder(), TERM).await.expect("it is free");
    break_lock(&store);
    let theirs = store.lock(&environment(), &holder(), TERM).await.expect("it is free");
    lock.release().await.expect("there is nothing to give back");
    theirs.check().await.expect("it is held");
}
