//! Every call of every operation going wrong in every way, and the process dying at every record.

use std::time::Duration;

use bluegreen_core::operation::{Done, OperationErrorKind};
use bluegreen_core::transaction::Ending;
use bluegreen_testkit::fault::Meddle;
use bluegreen_testkit::journal::MemoryStore;
use bluegreen_testkit::{Fault, World};

use crate::stage::{Scene, Verb, calm};

const FAULTS: [Fault; 6] = [
    Fault::Refuse,
    Fault::Deny,
    Fault::Throttle,
    Fault::LoseReply,
    Fault::LandLate(Duration::from_secs(20)),
    Fault::StaleRead(Duration::from_secs(5)),
];

/// Checks that a run ended in one of the two ways, and that no route was ever unserved.
fn check(
    scene: &Scene,
    end: &Result<Done, bluegreen_core::operation::OperationError>,
    before: &World,
    what: &str,
) {
    match end {
        Ok(_) => assert_ne!(&scene.world(), before, "{what}: it says that it ran"),
        Err(error) => {
            let kind = error.kind();
            assert!(
                matches!(kind, OperationErrorKind::RolledBack | OperationErrorKind::NotStarted),
                "{what}: {kind:?} {error}"
            );
            assert_eq!(&scene.world(), before, "{what}: {error}");
        }
    }
    check_served(scene, what);
}

fn check_served(scene: &Scene, what: &str) {
    for moment in scene.cloud.history() {
        for (route, reach) in moment.routes.iter().filter(|(_, reach)| reach.open) {
            assert!(reach.is_served(), "{what}: {route} was not served: {}", moment.cause);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_at_any_change_of_any_operation_ends_as_before_or_as_planned() {
    let mut cases = 0;
    for verb in Verb::ALL {
        let reference = Scene::before(verb).await;
        reference.must(verb).await;
        let writes = reference.cloud.calls().iter().filter(|call| call.mutating).count();
        assert!(writes > 0, "{verb:?} writes nothing");
        for nth in 0..writes {
            for fault in FAULTS {
                let scene = Scene::before(verb).await;
                let before = scene.world();
                scene.cloud.fault_at_write(nth, fault);
                let end = scene.operate(verb).await;
                calm().await;
                check(&scene, &end, &before, &format!("{verb:?}, write {nth}, {fault:?}"));
                cases += 1;
            }
        }
    }
    assert!(cases > 100, "only {cases} cases");
}

#[tokio::test(start_paused = true)]
async fn a_size_that_somebody_changes_before_any_call_is_left_alone() {
    let mut cases = 0;
    for verb in [Verb::Deploy, Verb::Scaledown] {
        let reference = Scene::before(verb).await;
        reference.must(verb).await;
        let calls = reference.cloud.calls();
        // What is there when it is planned is planned upon.
        let planned = calls.iter().position(|call| call.mutating).expect("it changes something");
        let resize = calls.iter().find(|call| call.method == "set_capacity").expect("it resizes");
        for nth in planned..calls.len() {
            let (scene, resize) = (Scene::before(verb).await, resize.clone());
            scene.cloud.before_call(nth, move |cloud| cloud.meddle(Meddle::Change, &resize));
            let _any_end = scene.operate(verb).await;
            calm().await;
            assert_eq!(scene.cloud.overwritten(), None, "{verb:?}, before call {nth}");
            cases += 1;
        }
    }
    assert!(cases > 20, "only {cases} cases");
}

#[tokio::test(start_paused = true)]
async fn a_refused_change_of_any_operation_always_rolls_back() {
    for verb in Verb::ALL {
        let reference = Scene::before(verb).await;
        reference.must(verb).await;
        let writes = reference.cloud.calls().iter().filter(|call| call.mutating).count();
        for nth in 0..writes {
            let scene = Scene::before(verb).await;
            let before = scene.world();
            scene.cloud.fault_at_write(nth, Fault::Refuse);
            let error = scene.operate(verb).await.expect_err("a change was refused");
            assert_eq!(error.kind(), OperationErrorKind::RolledBack, "{verb:?} {nth} {error}");
            assert_eq!(scene.world(), before, "{verb:?} {nth}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_record_of_any_operation_is_recovered_from() {
    let mut cases = 0;
    for verb in Verb::ALL {
        let reference = Scene::before(verb).await;
        let earlier = reference.store.lines().values().map(Vec::len).sum::<usize>();
        reference.must(verb).await;
        let records = reference.store.lines().values().map(Vec::len).sum::<usize>() - earlier;
        for room in 0..=records {
            let scene = Scene::before(verb).await;
            let (before, store) = (scene.world(), MemoryStore::dying_after(room));
            let scene = scene.with_store(store);
            let first = scene.operate(verb).await;
            let second = scene.of_another_process();
            let ends = second.recover().await;
            calm().await;
            let what = format!("{verb:?} dying after {room} records");
            let committed = first.is_ok()
                || matches!(&ends[..], [Ok(Done::Ran(end))] if end.ending == Ending::Committed);
            assert!(ends.iter().all(Result::is_ok), "{what}: {ends:?}");
            assert_eq!(second.world() != before, committed, "{what}: {first:?} {ends:?}");
            check_served(&scene, &what);
            assert!(second.recover().await.is_empty(), "{what}: nothing is left to recover");
            cases += 1;
        }
    }
    assert!(cases > 60, "only {cases} cases");
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_leave_a_journal_and_no_attempt_to_roll_back() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    scene.cloud.fault_from_write(2, Fault::Credentials);
    let error = scene.operate(Verb::Deploy).await.expect_err("the credentials expired");
    assert_eq!(error.kind(), OperationErrorKind::Interrupted, "{error}");
    let tried = scene.cloud.calls().iter().filter(|call| call.mutating).count();
    assert!(tried <= 4, "{tried} changes were tried with dead credentials");
    scene.cloud.script([]);
    let ends = scene.of_another_process().recover().await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
    assert_eq!(scene.world(), before);
}
