//! A bucket that goes wrong at every call: what was said to be done is done, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{
    Holder, Journal, Lease, Lock, ObjectStore, Store as _, StoreError, StoreErrorKind,
};
use bluegreen_testkit::MemoryObjects;
use bluegreen_testkit::clock::VirtualClock;
use bluegreen_testkit::objects::ObjectFault;
use tokio::time::sleep;

use crate::stage::on_virtual_time;

const TERM: Duration = Duration::from_secs(30);
/// Until then everything has landed, and every lock has ended that nobody renews.
const LATER: Duration = Duration::from_mins(10);

fn store(objects: &MemoryObjects) -> ObjectStore {
    ObjectStore::new(objects.clone(), "shared")
}

fn run() -> RunId {
    RunId::new("01run")
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What is appended together.
fn batches() -> [Vec<String>; 3] {
    [lines(&["1"]), lines(&["2a", "2b"]), lines(&["3"])]
}

/// A journal from its beginning to its end, as far as it gets.
#[derive(Debug, Default)]
struct Session {
    journal: Option<Box<dyn Journal>>,
    acknowledged: Vec<String>,
    /// What may have been appended or not.
    in_doubt: Vec<String>,
    error: Option<StoreError>,
}

async fn write(objects: &MemoryObjects) -> Session {
    let mut session = Session::default();
    session.error = session.go_on(objects).await.err();
    session
}

impl Session {
    async fn go_on(&mut self, objects: &MemoryObjects) -> Result<(), StoreError> {
        let mut journal = store(objects).create(&run()).await?;
        for batch in batches() {
            self.in_doubt.clone_from(&batch);
            let appended = journal.append(&batch).await;
            if appended.is_ok() {
                self.in_doubt.clear();
                self.acknowledged.extend(batch);
            }
            if appended.is_err() {
                self.journal = Some(journal);
                return appended;
            }
        }
        let closed = journal.close().await;
        self.journal = Some(journal);
        closed
    }
}

/// Returns how many calls something takes if nothing goes wrong.
fn calls(of: impl AsyncFnOnce(&MemoryObjects)) -> usize {
    on_virtual_time(async {
        let objects = MemoryObjects::new();
        of(&objects).await;
        objects.calls().len()
    })
}

fn calls_of_a_journal() -> usize {
    calls(async |objects| assert!(write(objects).await.error.is_none()))
}

#[test]
fn two_faults_at_any_two_calls_of_a_journal_are_survived() {
    let calls = calls_of_a_journal();
    let all: Vec<String> = batches().concat();
    for (first, second) in pairs(calls) {
        on_virtual_time(async {
            let objects = MemoryObjects::new();
            objects.fail_call(first.0, first.1);
            objects.fail_call(second.0, second.1);
            let session = write(&objects).await;
            assert!(session.error.is_none(), "{first:?} {second:?}: {:?}", session.error);
            for wait in [Duration::ZERO, LATER] {
                sleep(wait).await;
                let read = store(&objects.another()).read(&run()).await;
                assert_eq!(read.expect("it can be read"), all, "{first:?} {second:?}");
            }
        });
    }
}

#[test]
fn an_outage_from_any_call_of_a_journal_on_loses_and_invents_nothing() {
    for call in 0..calls_of_a_journal() {
        for fault in ObjectFault::ALL {
            on_virtual_time(outage_of_a_journal(call, fault));
        }
    }
}

async fn outage_of_a_journal(call: usize, fault: ObjectFault) {
    let context = format!("{fault:?} from call {call} on");
    let objects = MemoryObjects::new();
    objects.fail_from(call, fault);
    let mut session = write(&objects).await;
    objects.heal();
    sleep(LATER).await;
    let other = store(&objects.another());
    let (found, mut newer) = match other.open(&run()).await {
        Ok(opened) => opened,
        Err(error) => {
            assert_eq!(error.kind(), &StoreErrorKind::NotFound, "{context}: {error}");
            assert!(session.acknowledged.is_empty() && session.journal.is_none(), "{context}");
            return;
        }
    };
    let mut all = session.acknowledged.clone();
    if found != all {
        all.append(&mut session.in_doubt);
    }
    assert_eq!(found, all, "{context}: what was acknowledged is there, what failed is whole");
    let more = lines(&["more"]);
    if newer.append(&more).await.is_ok() {
        all.extend(more);
    } else {
        let batches = batches().concat();
        assert_eq!(all, batches, "{context}: only a journal that has ended cannot be written");
    }
    if let Some(older) = &mut session.journal {
        let stale = older.append(&lines(&["stale"])).await;
        assert!(stale.is_err(), "{context}: the older writer must not write any more");
    }
    newer.close().await.expect("it can be closed");
    assert_eq!(other.read(&run()).await.expect("it can be read"), all, "{context}");
}

fn environment() -> EnvironmentName {
    EnvironmentName::new("IE-L-NGINX")
}

fn holder(owner: &str) -> Holder {
    Holder {
        owner: owner.to_owned(),
        host: "laptop".to_owned(),
        process: 7,
        operation: "switch".to_owned(),
        run: run(),
        since: Timestamp::from_millis(0),
    }
}

/// A lock from its beginning to its end, as far as it gets.
#[derive(Debug)]
struct Tenancy {
    lock: Option<Box<dyn Lock>>,
    error: Option<StoreError>,
}

async fn hold(objects: &MemoryObjects) -> Tenancy {
    let lock = match store(objects).lock(&environment(), &holder("ann"), TERM).await {
        Ok(lock) => lock,
        Err(error) => return Tenancy { lock: None, error: Some(error) },
    };
    let error = use_up(&*lock, objects).await.err();
    Tenancy { lock: Some(lock), error }
}

async fn use_up(lock: &dyn Lock, objects: &MemoryObjects) -> Result<(), StoreError> {
    for seconds in [60, 90] {
        lock.check().await?;
        let other = store(&objects.another());
        let refused = other.lock(&environment(), &holder("bob"), TERM).await;
        let kind = refused.expect_err("it is held").kind().clone();
        assert!(matches!(kind, StoreErrorKind::Held(Some(_))), "{kind:?}");
        sleep(TERM / 3).await;
        lock.renew(Timestamp::from_millis(seconds * 1000)).await?;
    }
    lock.release().await
}

#[test]
fn two_faults_at_any_two_calls_of_a_lock_are_survived() {
    let calls = calls(async |objects| assert!(hold(objects).await.error.is_none()));
    for (first, second) in pairs(calls) {
        on_virtual_time(async {
            let objects = MemoryObjects::new();
            objects.fail_call(first.0, first.1);
            objects.fail_call(second.0, second.1);
            let tenancy = hold(&objects).await;
            assert!(tenancy.error.is_none(), "{first:?} {second:?}: {:?}", tenancy.error);
            let other = store(&objects.another());
            let lock = other.lock(&environment(), &holder("bob"), TERM).await;
            let lock = lock.expect("it was given back");
            sleep(TERM / 2).await;
            lock.check().await.expect("what lands late takes nothing away");
        });
    }
}

#[test]
fn an_outage_from_any_call_of_a_lock_on_ends_with_its_term() {
    let calls = calls(async |objects| assert!(hold(objects).await.error.is_none()));
    for call in 0..calls {
        for fault in ObjectFault::ALL {
            on_virtual_time(outage_of_a_lock(call, fault));
        }
    }
}

async fn outage_of_a_lock(call: usize, fault: ObjectFault) {
    let context = format!("{fault:?} from call {call} on");
    let objects = MemoryObjects::new();
    objects.fail_from(call, fault);
    let tenancy = hold(&objects).await;
    objects.heal();
    let other = store(&objects.another());
    let at_once = other.lock(&environment(), &holder("bob"), TERM).await;
    let lock = match at_once {
        Ok(lock) => lock,
        Err(error) => {
            assert!(matches!(error.kind(), StoreErrorKind::Held(Some(_))), "{context}: {error}");
            sleep(LATER).await;
            if let Some(older) = &tenancy.lock {
                let kind = older.check().await.expect_err("its term is over").kind().clone();
                assert_eq!(kind, StoreErrorKind::Lost(None), "{context}");
            }
            let later = other.lock(&environment(), &holder("bob"), TERM).await;
            later.unwrap_or_else(|error| panic!("{context}: {error}"))
        }
    };
    if let Some(older) = &tenancy.lock {
        let bob = StoreErrorKind::Lost(Some(Box::new(holder("bob"))));
        assert_eq!(older.check().await.expect_err("bob has it").kind(), &bob, "{context}");
        let renewal = older.renew(Timestamp::from_millis(99_000)).await;
        assert_eq!(renewal.expect_err("bob has it").kind(), &bob, "{context}");
        older.release().await.expect("what is lost is left alone");
    }
    sleep(TERM / 2).await;
    lock.check().await.unwrap_or_else(|error| panic!("{context}: {error}"));
}

/// Takes the lock without anything that goes wrong.
async fn held() -> (MemoryObjects, Box<dyn Lock>) {
    let objects = MemoryObjects::new();
    let lock = store(&objects).lock(&environment(), &holder("ann"), TERM).await;
    (objects, lock.expect("it is free"))
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_was_lost_is_recognised_when_it_is_repeated() {
    for fault in ObjectFault::ALL {
        let (objects, lock) = held().await;
        objects.fail_from(0, fault);
        let _unknown = lock.renew(Timestamp::from_millis(1)).await;
        objects.heal();
        for seconds in 2..6 {
            // Meanwhile what lands late does.
            sleep(TERM / 3).await;
            let renewal = lock.renew(Timestamp::from_millis(seconds * 1000)).await;
            renewal.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            lock.check().await.expect("it is held");
        }
        objects.fail_from(0, fault);
        let _unknown = lock.release().await;
        objects.heal();
        sleep(TERM / 3).await;
        lock.release().await.expect("it can be given back again");
        let other = store(&objects).lock(&environment(), &holder("bob"), TERM).await;
        other.expect("it was given back").release().await.expect("it is held");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_given_up_half_way_takes_nothing_away() {
    for patience in [0, 5, 15] {
        let (objects, lock) = held().await;
        objects.fail_call(0, ObjectFault::LoseReply);
        objects.pace([Duration::from_millis(10)]);
        let patience = Duration::from_millis(patience);
        let renewal = tokio::time::timeout(patience, lock.renew(Timestamp::from_millis(1))).await;
        assert!(renewal.is_err(), "it takes longer than {patience:?}");
        lock.renew(Timestamp::from_millis(2)).await.expect("it is held");
        lock.check().await.expect("it is held");
        lock.release().await.expect("it can be given back");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_to_the_same_deadline_is_one() {
    let (objects, lock) = held().await;
    let deadline = holder("ann").since.plus(TERM);
    for _ in 0..4 {
        sleep(TERM * 2 / 3).await;
        objects.fail_call(0, ObjectFault::Refuse);
        lock.renew(deadline).await.expect("one fault is survived");
        lock.check().await.expect("it is held for another term");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_outlasts_a_short_outage_and_not_one_of_its_term() {
    let (objects, lock) = held().await;
    let lease = Lease::keep(lock, Arc::new(VirtualClock::start()), TERM);
    let other = store(&objects.another());
    let bob = async || other.lock(&environment(), &holder("bob"), TERM).await;
    for _ in 0..8 {
        objects.fail_from(0, ObjectFault::Refuse);
        sleep(TERM / 4).await;
        objects.heal();
        sleep(TERM / 2).await;
        lease.check().await.expect("it was renewed in time");
        bob().await.expect_err("it is held");
    }
    objects.fail_from(0, ObjectFault::Refuse);
    sleep(TERM + TERM / 3).await;
    bob().await.expect("its term is over");
    objects.heal();
    for _ in 0..3 {
        lease.check().await.expect_err("it is over, for good");
        sleep(TERM).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_failed_is_not_written_again() {
    for fault in ObjectFault::ALL {
        let objects = MemoryObjects::new();
        let mut journal = store(&objects).create(&run()).await.expect("it is new");
        journal.append(&lines(&["1"])).await.expect("it can be written");
        objects.fail_from(0, fault);
        let failed = journal.append(&lines(&["2"])).await.is_err();
        objects.heal();
        sleep(LATER).await;
        let again = journal.append(&lines(&["3"])).await;
        assert_eq!(again.is_err(), failed, "{fault:?}: nobody knows where it would go");
        assert_eq!(journal.close().await.is_err(), failed, "{fault:?}: nor what it would hide");
        let read = store(&objects).read(&run()).await.expect("it can be read");
        assert!(read.len() < 3 && failed, "{fault:?}: {read:?}");
    }
}

#[test]
fn two_faults_at_any_two_calls_of_a_break_are_survived() {
    let taking = async |objects: &MemoryObjects| {
        let store = store(objects);
        store.break_lock(&environment(), "carol", Timestamp::from_millis(1)).await
    };
    let calls = on_virtual_time(async {
        let objects = held().await.0.another();
        taking(&objects).await.expect("nothing goes wrong");
        objects.calls().len()
    });
    for (first, second) in pairs(calls) {
        on_virtual_time(async {
            let (objects, lock) = held().await;
            let objects = objects.another();
            objects.fail_call(first.0, first.1);
            objects.fail_call(second.0, second.1);
            let broken = taking(&objects).await.expect("two faults are survived");
            assert_eq!(broken, Some(holder("ann")), "{first:?} {second:?}");
            let lost = lock.check().await.expect_err("it was taken away");
            assert_eq!(lost.kind(), &StoreErrorKind::Lost(None), "{first:?} {second:?}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_any_more_is_damage_and_says_where() {
    let objects = MemoryObjects::new();
    let mut journal = store(&objects).create(&run()).await.expect("it is new");
    for batch in batches() {
        journal.append(&batch).await.expect("it can be written");
    }
    objects.remove("shared/runs/01run/00000003");
    let error = store(&objects).read(&run()).await.expect_err("lines are missing");
    assert_eq!(error.kind(), &StoreErrorKind::Damaged);
    assert_eq!(error.what(), "shared/runs/01run/00000003");
    objects.insert("shared/runs/01run/00000003", "something else");
    let error = store(&objects).read(&run()).await.expect_err("these are no lines");
    assert_eq!(error.kind(), &StoreErrorKind::Damaged);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_no_version_of_ours_wrote_is_left_alone() {
    let objects = MemoryObjects::new();
    objects.insert("shared/locks/IE-L-NGINX", "{\"state\":\"lent\"}");
    let error = store(&objects).lock(&environment(), &holder("ann"), TERM).await;
    let error = error.expect_err("it cannot be told whether it is free");
    assert_eq!(error.kind(), &StoreErrorKind::Unusable);
    assert_eq!(error.what(), "shared/locks/IE-L-NGINX");
}

#[tokio::test(start_paused = true)]
async fn an_old_run_is_read_with_one_call_and_a_list_costs_one() {
    let objects = MemoryObjects::new();
    assert!(write(&objects).await.error.is_none());
    let other = objects.another();
    store(&other).read(&run()).await.expect("it can be read");
    assert_eq!(store(&other).runs().await.expect("runs can be listed"), [run()]);
    assert_eq!(other.calls(), ["get shared/runs/01run/whole", "folders shared/runs/"]);
}

#[tokio::test(start_paused = true)]
async fn to_close_an_old_run_again_costs_no_call() {
    let objects = MemoryObjects::new();
    assert!(write(&objects).await.error.is_none());
    let other = objects.another();
    let (_, mut journal) = store(&other).open(&run()).await.expect("it can be opened");
    let calls = other.calls();
    journal.close().await.expect("it is closed");
    assert_eq!(other.calls(), calls);
}

/// Every two faults at two different calls of so many.
fn pairs(calls: usize) -> impl Iterator<Item = ((usize, ObjectFault), (usize, ObjectFault))> {
    let faults = || ObjectFault::ALL.into_iter();
    let one = move |call| faults().map(move |fault| (call, fault));
    // A call that is repeated makes more of them.
    (0..calls).flat_map(move |first| {
        (first + 1..calls + 3).flat_map(move |second| {
            one(first).flat_map(move |first| one(second).map(move |second| (first, second)))
        })
    })
}
