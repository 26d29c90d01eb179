//! What a lease makes of a store that is unwell, of one loss, and of a clock that stands still.

use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{Clock, Ending, LeaseError, StoreErrorKind};
use bluegreen_testkit::brittle::{Ailment, BrittleStore, StoreCall};
use bluegreen_testkit::clock::VirtualClock;
use bluegreen_testkit::flags::Flags;
use bluegreen_testkit::journal::MemoryStore;
use tokio::time::Instant;

use crate::gated::{Play, TERM, plan, set, wait};

fn play() -> (Play, BrittleStore) {
    let store = BrittleStore::around(MemoryStore::new());
    (Play::new(&Flags::default(), &store), store)
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_lost_once_is_lost_for_good() {
    let (play, store) = play();
    let lease = play.lease("first").await;
    store.spoil(StoreCall::Check, Ailment::FindsItLost, 1);
    for _ in 0..2 {
        let error = lease.check().await.expect_err("it was lost");
        assert!(error.is_for_good());
        assert_eq!(error.to_string(), "the lock of `the lock` was lost");
        let LeaseError::Store(error) = error else { panic!("{error}") };
        assert_eq!(*error.kind(), StoreErrorKind::Lost(None));
    }
    assert_eq!(store.count(StoreCall::Check), 1, "it was asked again");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_says_nothing_is_waited_for_a_quarter_of_a_term_and_may_say_more_later() {
    let (play, store) = play();
    let lease = play.lease("first").await;
    store.spoil(StoreCall::Check, Ailment::Hangs, 1);
    let began = Instant::now();
    let error = lease.check().await.expect_err("it says nothing");
    assert_eq!(began.elapsed(), TERM / 4);
    assert!(!error.is_for_good(), "{error}");
    lease.check().await.expect("it is held");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_unwell_while_a_gate_is_waited_for_ends_nothing() {
    for ailment in [Ailment::Fails, Ailment::Hangs] {
        let (play, store) = play();
        let flags = play.flags.clone();
        let unwell = async {
            tokio::time::sleep(Duration::from_secs(12)).await;
            store.spoil(StoreCall::Check, ailment, 3);
            tokio::time::sleep(Duration::from_mins(1)).await;
            flags.set("ready", Some(1));
        };
        let run = play.run(plan(vec![set("a"), wait("ready"), set("b")]));
        let (end, ()) = tokio::join!(run, unwell);
        assert_eq!(end.expect("it is held again").ending, Ending::Committed, "{ailment:?}");
    }
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        VirtualClock::START
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stands_still_ends_nothing() {
    let (play, _) = play();
    let lease = play.with_clock(Still).lease("first").await;
    // At once, as where the process was stopped meanwhile; and bit by bit.
    tokio::time::advance(TERM * 2 / 3).await;
    lease.check().await.expect("it is held");
    for _ in 0..20 {
        tokio::time::sleep(TERM * 2 / 3).await;
        lease.check().await.expect("it is held");
    }
}
