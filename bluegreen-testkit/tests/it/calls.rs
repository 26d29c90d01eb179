//! Calls that are never answered: they count as lost in time, and every run ends.

use std::time::Duration;

use bluegreen_core::operation::OperationErrorKind;
use bluegreen_core::transaction::{Ending, Policy, Record, Recovery, RunErrorKind};
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::Flags;
use bluegreen_testkit::journal::MemoryStore;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::gated::{GatedRecord, Play, Values, after, plan, run_id, set, values, wait, written};
use crate::stage::{Scene, Verb, calm, on_virtual_time};

/// How long a call may take here.
const CALL: Duration = Duration::from_secs(40);

fn play(flags: &Flags, store: &MemoryStore) -> Play {
    let policy = Policy { call: CALL, ..Policy::default() };
    Play { policy, ..Play::new(flags, store) }
}

fn said(records: &[GatedRecord]) -> Vec<String> {
    let errors = records.iter().filter_map(|record| match record {
        Record::Failed { error, .. } => Some(error.clone()),
        Record::Unwinding { cause, .. } => Some(cause.clone()),
        _ => None,
    });
    errors.collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_never_answered_is_looked_at_and_taken_back() {
    for (fault, landed) in [(Fault::Hang, 0), (Fault::Silence(Duration::ZERO), 1)] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([Fault::None, fault]);
        let began = Instant::now();
        let end = play(&flags, &store).run(plan(vec![set("a"), set("b")])).await;
        assert!(began.elapsed() >= CALL, "{fault:?}");
        if landed == 1 {
            // It is in place, whoever says so.
            assert_eq!(end.expect("it shows").ending, Ending::Committed);
            continue;
        }
        let error = end.expect_err("it is not in place");
        assert_eq!(error.kind(), RunErrorKind::RolledBack, "{error}");
        assert!(error.to_string().contains("no answer within 40 s"), "{error}");
        let records = written(&store);
        let is_in_doubt =
            |record: &GatedRecord| matches!(record, Record::Failed { in_doubt: true, .. });
        assert!(records.iter().any(is_in_doubt), "{:?}", said(&records));
        // It could have landed as late as that.
        let longest = CALL + Policy::default().reread + 3 * Policy::default().settle;
        assert!(began.elapsed() < longest, "{:?}", began.elapsed());
        assert_eq!(flags.values(), Values::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_back_that_is_never_answered_is_made_again() {
    for hung in 1..4 {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        let faults = [Fault::None, Fault::Refuse].into_iter();
        flags.script(faults.chain(vec![Fault::Hang; hung]));
        let began = Instant::now();
        let end = play(&flags, &store).run(plan(vec![set("a"), set("b")])).await;
        assert_eq!(end.expect_err("it was refused").kind(), RunErrorKind::RolledBack);
        assert!(began.elapsed() >= CALL * u32::try_from(hung).unwrap());
        assert_eq!(flags.values(), Values::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_never_answered_before_a_change_changes_nothing() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script_looks([Fault::Hang]);
    let began = Instant::now();
    let error = play(&flags, &store).run(plan(vec![set("a")])).await.expect_err("it is blind");
    assert_eq!(error.kind(), RunErrorKind::NotStarted, "{error}");
    assert!(error.to_string().contains("no answer within 40 s"), "{error}");
    assert!((CALL..CALL * 2).contains(&began.elapsed()));
    assert_eq!(flags.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_never_answered_after_a_change_takes_it_back() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script_looks([Fault::None, Fault::Hang]);
    let error = play(&flags, &store).run(plan(vec![set("a"), set("b")])).await.expect_err("blind");
    assert_eq!(error.kind(), RunErrorKind::RolledBack, "{error}");
    assert!(error.to_string().contains("no answer within 40 s"), "{error}");
    assert_eq!(flags.values(), Values::new());
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_never_answered_on_the_way_back_is_made_again() {
    for hung in 1..4 {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([Fault::None, Fault::Refuse]);
        let looks = vec![Fault::None; 3].into_iter().chain(vec![Fault::Hang; hung]);
        flags.script_looks(looks);
        let end = play(&flags, &store).run(plan(vec![set("a"), set("b")])).await;
        assert_eq!(end.expect_err("it was refused").kind(), RunErrorKind::RolledBack);
        assert_eq!(flags.values(), Values::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_world_that_never_answers_on_the_way_back_leaves_the_run_stuck_in_the_end() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script([Fault::None, Fault::Refuse]);
    flags.script_looks(vec![Fault::None; 3].into_iter().chain(vec![Fault::Hang; 1000]));
    let began = Instant::now();
    let error = play(&flags, &store).run(plan(vec![set("a"), set("b")])).await.expect_err("blind");
    assert_eq!(error.kind(), RunErrorKind::Dirty, "{error}");
    assert!(began.elapsed() < Policy::default().undo * 3, "{:?}", began.elapsed());
    flags.script_looks([]);
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::RolledBack);
    assert_eq!(flags.values(), Values::new());
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_is_never_answered_is_looked_at_again_until_its_time_is_over() {
    let stages = || plan(vec![set("a"), wait("ready"), set("b")]);
    // One silence proves nothing.
    let (flags, store) = (Flags::new(values(&[("ready", 1)])), MemoryStore::new());
    flags.script_looks([Fault::None, Fault::None, Fault::Hang, Fault::Hang]);
    let end = play(&flags, &store).run(stages()).await;
    assert_eq!(end.expect("the third look is answered").ending, Ending::Committed);
    // For ever does.
    let (flags, store) = (Flags::new(values(&[("ready", 1)])), MemoryStore::new());
    let looks = vec![Fault::None; 2].into_iter().chain(vec![Fault::Hang; 14]);
    flags.script_looks(looks);
    let began = Instant::now();
    let error = play(&flags, &store).run(stages()).await.expect_err("it is never answered");
    assert_eq!(error.kind(), RunErrorKind::RolledBack, "{error}");
    assert!(error.to_string().contains("no answer within 40 s"), "{error}");
    let time = began.elapsed();
    assert!((Duration::from_mins(10)..Duration::from_mins(12)).contains(&time), "{time:?}");
    assert_eq!(flags.values(), values(&[("ready", 1)]));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_to_stop_does_not_wait_for_a_gate_to_answer() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script_looks([Fault::None, Fault::None, Fault::Hang]);
    let play = play(&flags, &store);
    let stops = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        play.cancel.request();
    };
    let began = Instant::now();
    let (end, ()) = tokio::join!(play.run(plan(vec![set("a"), wait("ready")])), stops);
    assert_eq!(end.expect_err("it was asked").kind(), RunErrorKind::Cancelled);
    assert!(began.elapsed() < CALL);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_run_ends_however_many_calls_are_never_answered(
        stages in 1..5usize,
        faults in vec(
            prop_oneof![
                3 => Just(Fault::None),
                2 => Just(Fault::Hang),
                1 => Just(Fault::Refuse),
                1 => (0..25u64).prop_map(|late| Fault::Silence(Duration::from_secs(late))),
            ],
            0..12,
        ),
        looks in vec(prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Hang)], 0..24),
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(values(&[("ready", 1)])), MemoryStore::new());
            flags.script(faults);
            flags.script_looks(looks);
            let stages = ["a", "b", "c", "d"].into_iter().take(stages);
            let plan = plan(stages.flat_map(|flag| [wait("ready"), set(flag)]).collect());
            let first = play(&flags, &store);
            let end = first.run(plan.clone());
            let end = tokio::time::timeout(Duration::from_hours(3), end).await;
            prop_assert!(end.is_ok(), "it never ends");
            flags.script([]);
            flags.script_looks([]);
            let end = Play::new(&flags, &store).recover(Recovery::by("second")).await;
            let ending = end.expect("it was begun").expect("the world is healthy").ending;
            calm().await;
            let before = values(&[("ready", 1)]);
            let expected = match ending {
                Ending::Committed => after(&before, &plan),
                _ => before,
            };
            prop_assert_eq!(flags.values(), expected);
            prop_assert!(store.lines().contains_key(&run_id()));
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_ends_whichever_call_is_never_answered() {
    let mut cases = 0;
    for verb in Verb::ALL {
        let reference = Scene::before(verb).await;
        reference.must(verb).await;
        let calls = reference.cloud.calls().len();
        for nth in 0..calls {
            let scene = Scene::before(verb).await;
            let before = scene.world();
            scene.cloud.fault_at_call(nth, Fault::Hang);
            let what = format!("{verb:?}, call {nth}");
            let end = tokio::time::timeout(Duration::from_hours(3), scene.operate(verb)).await;
            // A plan that is being made has nothing to lose: whoever waits for it may stop it.
            let Ok(end) = end else {
                let began = scene.cloud.calls().iter().any(|call| call.mutating);
                assert!(!began, "{what}: it never ends");
                continue;
            };
            calm().await;
            match end {
                Ok(_) => assert_ne!(scene.world(), before, "{what}"),
                Err(error) => {
                    let kind = error.kind();
                    let fine = [OperationErrorKind::RolledBack, OperationErrorKind::NotStarted];
                    assert!(fine.contains(&kind), "{what}: {error}");
                    assert_eq!(scene.world(), before, "{what}");
                }
            }
            cases += 1;
        }
    }
    assert!(cases > 60, "only {cases} cases");
}
