//! Every store that there is without a network, held against the contract.

use std::time::Duration;

use bluegreen_core::transaction::{LocalStore, ObjectStore, Store};
use bluegreen_testkit::conformance::store::{self, Fixture, LockEnd, Opening};
use bluegreen_testkit::{MemoryObjects, MemoryStore};

fn fixture(lock_end: LockEnd, opening: Opening) -> Fixture {
    let (term, slack) = (Duration::from_secs(30), Duration::ZERO);
    Fixture { prefix: "conforms".to_owned(), term, slack, lock_end, opening }
}

async fn keeps_every_clause(store: &dyn Store, fixture: &Fixture) {
    let names = store::all(store, fixture).await;
    assert!(names.len() > 20, "{names:?}");
}

#[tokio::test]
async fn a_folder_keeps_every_clause_of_the_contract() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let term = Duration::from_millis(60);
    let fixture = Fixture { term, ..fixture(LockEnd::WithItsProcess, Opening::IsRefused) };
    keeps_every_clause(&LocalStore::new(folder.path()), &fixture).await;
}

#[tokio::test(start_paused = true)]
async fn the_memory_keeps_every_clause_of_the_contract() {
    let fixture = fixture(LockEnd::WithItsProcess, Opening::TakesOver);
    keeps_every_clause(&MemoryStore::new(), &fixture).await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_keeps_every_clause_of_the_contract() {
    let fixture = fixture(LockEnd::AfterItsTerm, Opening::TakesOver);
    for prefix in ["", "team/blue"] {
        keeps_every_clause(&ObjectStore::new(MemoryObjects::new(), prefix), &fixture).await;
    }
}
