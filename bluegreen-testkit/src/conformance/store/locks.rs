use bluegreen_core::transaction::{Break, Held, Holder, LockState, Store, StoreErrorKind};
use futures_util::future::join_all;
use tokio::time::sleep;

use super::arrange::{environment, holder, moment, refusal};
use super::{Clause, Fixture, LockEnd, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    a_lock_excludes_every_other_holder,
    of_many_who_want_a_lock_one_gets_it,
    a_lock_that_was_released_is_free,
    locks_of_environments_do_not_mix,
    a_lock_that_was_never_taken_is_free,
    a_renewal_moves_the_deadline,
    a_lock_that_is_renewed_outlasts_its_term,
    a_lock_that_is_not_renewed_ends_as_the_store_says,
    a_lock_whose_holder_is_gone_ends_as_the_store_says,
    a_broken_lock_is_lost_and_free,
    a_break_is_noted_and_outlives_later_holders,
    a_lock_that_nobody_holds_is_not_broken,
    a_lock_that_was_lost_is_left_to_whoever_has_it,
];

/// A lock that is held excludes every other holder, and says who has it and until when.
pub async fn a_lock_excludes_every_other_holder(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "held");
    let lock = store.lock(&environment, &holder("ann"), fixture.term).await;
    let lock = lock.expect("a free lock can be taken");
    lock.check().await.expect("it is held");
    let held = Held { holder: holder("ann"), deadline: holder("ann").since.plus(fixture.term) };
    let kind = refusal(
        store.lock(&environment, &holder("bob"), fixture.term).await,
        "taking a lock that is held",
    );
    assert_eq!(kind, StoreErrorKind::Held(Some(Box::new(held.clone()))), "it says who has it");
    let state = store.lock_state(&environment).await.expect("a lock can be looked at");
    assert_eq!(state, LockState { held: Some(held), broken: None }, "and so does a look");
    lock.check().await.expect("looking does not take it away");
    lock.release().await.expect("a lock can be given back");
}

/// Of many who want a lock at once, one gets it.
pub async fn of_many_who_want_a_lock_one_gets_it(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "race");
    let holders: Vec<Holder> = (0..8).map(|number| holder(&format!("h{number}"))).collect();
    let tries = holders.iter().map(|holder| store.lock(&environment, holder, fixture.term));
    let mut locks = Vec::new();
    for result in join_all(tries).await {
        match result {
            Ok(lock) => locks.push(lock),
            Err(error) => assert!(matches!(error.kind(), StoreErrorKind::Held(_)), "{error}"),
        }
    }
    let [lock] = locks.as_slice() else { panic!("{} got the lock", locks.len()) };
    lock.check().await.expect("the one who got it has it");
    lock.release().await.expect("a lock can be given back");
}

/// Ends when it is released.
pub async fn a_lock_that_was_released_is_free(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "released");
    for owner in ["ann", "bob", "ann"] {
        let lock = store.lock(&environment, &holder(owner), fixture.term).await;
        let lock = lock.expect("a free lock can be taken");
        lock.check().await.expect("it is held");
        lock.release().await.expect("a lock can be given back");
        let state = store.lock_state(&environment).await.expect("a lock can be looked at");
        assert_eq!(state.held, None, "nobody holds it");
        lock.release().await.expect("giving it back again is harmless");
    }
}

/// Locks of different environments have nothing to do with each other.
pub async fn locks_of_environments_do_not_mix(store: &dyn Store, fixture: &Fixture) {
    let mut locks = Vec::new();
    for suffix in ["a/b", "a-b", "a_b", "a", "A", "a/b/c", "."] {
        let lock = store.lock(&environment(fixture, suffix), &holder("ann"), fixture.term).await;
        locks.push(lock.expect("every environment has a lock of its own"));
    }
    for lock in locks {
        lock.release().await.expect("a lock can be given back");
    }
}

/// Tells who holds the lock of an environment: at first, nobody.
pub async fn a_lock_that_was_never_taken_is_free(store: &dyn Store, fixture: &Fixture) {
    let state = store.lock_state(&environment(fixture, "absent")).await;
    assert_eq!(state.expect("a lock can be looked at"), LockState::default(), "nobody has it");
}

/// Holds the lock until the deadline.
pub async fn a_renewal_moves_the_deadline(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "renewed");
    let lock = store.lock(&environment, &holder("ann"), fixture.term).await;
    let lock = lock.expect("a free lock can be taken");
    for seconds in [40, 41, 4000] {
        lock.renew(moment(seconds)).await.expect("a lock that is held can be renewed");
        let state = store.lock_state(&environment).await.expect("a lock can be looked at");
        let held = Held { holder: holder("ann"), deadline: moment(seconds) };
        assert_eq!(state.held, Some(held), "the deadline is the new one");
    }
    lock.release().await.expect("a lock can be given back");
}

/// A lock that is renewed excludes every other holder for as long as it is.
pub async fn a_lock_that_is_renewed_outlasts_its_term(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "outlasts");
    let lock = store.lock(&environment, &holder("ann"), fixture.term).await;
    let lock = lock.expect("a free lock can be taken");
    for beat in 0..6 {
        sleep(fixture.term / 3).await;
        let other = store.lock(&environment, &holder("bob"), fixture.term).await;
        let kind = refusal(other, "taking a lock that is renewed");
        assert!(matches!(kind, StoreErrorKind::Held(Some(_))), "{kind:?}");
        lock.check().await.expect("it is held");
        lock.renew(moment(beat)).await.expect("a lock that is held can be renewed");
    }
    lock.release().await.expect("a lock can be given back");
}

/// Ends, for a shared store, when the term passed without a renewal; for the store of one machine
/// not as long as the process lives.
pub async fn a_lock_that_is_not_renewed_ends_as_the_store_says(
    store: &dyn Store,
    fixture: &Fixture,
) {
    let environment = environment(fixture, "expires");
    let older = store.lock(&environment, &holder("ann"), fixture.term).await;
    let older = older.expect("a free lock can be taken");
    sleep(fixture.term + fixture.slack).await;
    let newer = store.lock(&environment, &holder("bob"), fixture.term).await;
    match fixture.lock_end {
        LockEnd::WithItsProcess => {
            let kind = refusal(newer, "taking a lock whose holder lives");
            assert!(matches!(kind, StoreErrorKind::Held(Some(_))), "{kind:?}");
            older.check().await.expect("it is held");
            older.release().await.expect("a lock can be given back");
        }
        LockEnd::AfterItsTerm => {
            let newer = newer.expect("a lock that was not renewed can be taken");
            let bob = StoreErrorKind::Lost(Some(Box::new(holder("bob"))));
            assert_eq!(refusal(older.check().await, "the lost lock"), bob, "it says who has it");
            let renewal = older.renew(moment(60)).await;
            assert_eq!(refusal(renewal, "renewing a lost lock"), bob, "it says who has it");
            newer.check().await.expect("whoever took it has it");
            newer.release().await.expect("a lock can be given back");
        }
    }
}

/// Ends when its holder is known to be gone: for the store of one machine that is when the process
/// ended, for a shared one when the term passed without a renewal.
pub async fn a_lock_whose_holder_is_gone_ends_as_the_store_says(
    store: &dyn Store,
    fixture: &Fixture,
) {
    let environment = environment(fixture, "gone");
    let lock = store.lock(&environment, &holder("ann"), fixture.term).await;
    drop(lock.expect("a free lock can be taken"));
    if fixture.lock_end == LockEnd::AfterItsTerm {
        let other = store.lock(&environment, &holder("bob"), fixture.term).await;
        let kind = refusal(other, "taking a lock within its term");
        assert!(matches!(kind, StoreErrorKind::Held(Some(_))), "{kind:?}");
        sleep(fixture.term + fixture.slack).await;
    }
    let state = store.lock_state(&environment).await.expect("a lock can be looked at");
    assert_eq!(state.held, None, "nobody holds it");
    let lock = store.lock(&environment, &holder("bob"), fixture.term).await;
    let lock = lock.expect("the lock of somebody who is gone can be taken");
    lock.release().await.expect("a lock can be given back");
}

/// Takes the lock of an environment from whoever holds it.
pub async fn a_broken_lock_is_lost_and_free(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "broken");
    let older = store.lock(&environment, &holder("ann"), fixture.term).await;
    let older = older.expect("a free lock can be taken");
    let broken = store.break_lock(&environment, "carol", moment(1)).await;
    assert_eq!(broken.expect("a lock can be broken"), Some(holder("ann")), "it says whose it was");
    let nobody = StoreErrorKind::Lost(None);
    assert_eq!(refusal(older.check().await, "the lost lock"), nobody, "nobody has it");
    assert_eq!(refusal(older.renew(moment(60)).await, "renewing it"), nobody, "nobody has it");
    let newer = store.lock(&environment, &holder("bob"), fixture.term).await;
    let newer = newer.expect("a broken lock can be taken");
    let bob = StoreErrorKind::Lost(Some(Box::new(holder("bob"))));
    assert_eq!(refusal(older.check().await, "the lost lock"), bob, "it says who has it");
    newer.release().await.expect("a lock can be given back");
}

/// Tells who broke the lock last, and notes who did that and when.
pub async fn a_break_is_noted_and_outlives_later_holders(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "noted");
    for (owner, at) in [("ann", 1), ("bob", 2)] {
        let _lost = store.lock(&environment, &holder(owner), fixture.term).await;
        let broken = store.break_lock(&environment, "carol", moment(at)).await;
        assert_eq!(broken.expect("a lock can be broken"), Some(holder(owner)), "whose it was");
        let state = store.lock_state(&environment).await.expect("a lock can be looked at");
        let noted = Break { by: "carol".to_owned(), at: moment(at), holder: holder(owner) };
        assert_eq!(state, LockState { held: None, broken: Some(noted) }, "the last one is told");
    }
    let lock = store.lock(&environment, &holder("dave"), fixture.term).await;
    let lock = lock.expect("a broken lock can be taken");
    lock.renew(moment(60)).await.expect("a lock that is held can be renewed");
    let noted = Break { by: "carol".to_owned(), at: moment(2), holder: holder("bob") };
    let state = store.lock_state(&environment).await.expect("a lock can be looked at");
    assert_eq!(state.broken, Some(noted.clone()), "a later holder does not wipe it out");
    lock.release().await.expect("a lock can be given back");
    let state = store.lock_state(&environment).await.expect("a lock can be looked at");
    assert_eq!(state, LockState { held: None, broken: Some(noted) }, "nor does a release");
}

/// Returns `None` if nobody held it, and then nothing is noted.
pub async fn a_lock_that_nobody_holds_is_not_broken(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "unbroken");
    let broken = store.break_lock(&environment, "carol", moment(1)).await;
    assert_eq!(broken.expect("a free lock is no error"), None, "nobody ever held it");
    let lock = store.lock(&environment, &holder("ann"), fixture.term).await;
    lock.expect("a free lock can be taken").release().await.expect("a lock can be given back");
    let broken = store.break_lock(&environment, "carol", moment(2)).await;
    assert_eq!(broken.expect("a free lock is no error"), None, "nobody holds it");
    let state = store.lock_state(&environment).await.expect("a lock can be looked at");
    assert_eq!(state, LockState::default(), "nothing was noted");
}

/// One that was lost is left to whoever has it.
pub async fn a_lock_that_was_lost_is_left_to_whoever_has_it(store: &dyn Store, fixture: &Fixture) {
    let environment = environment(fixture, "left");
    let older = store.lock(&environment, &holder("ann"), fixture.term).await;
    let older = older.expect("a free lock can be taken");
    store.break_lock(&environment, "carol", moment(1)).await.expect("a lock can be broken");
    let newer = store.lock(&environment, &holder("bob"), fixture.term).await;
    let newer = newer.expect("a broken lock can be taken");
    older.release().await.expect("giving back what was lost is harmless");
    newer.check().await.expect("whoever took it has it");
    drop(older);
    newer.check().await.expect("whoever took it has it");
    newer.release().await.expect("a lock can be given back");
}
