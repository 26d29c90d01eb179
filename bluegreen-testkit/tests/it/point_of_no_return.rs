//! What cannot be undone: before it everything goes back, after it a run can only go on.

#![expect(clippy::similar_names, reason = "a play follows a plan")]

use std::time::Duration;

use bluegreen_core::transaction::{
    Change as _, Ending, Header, Next, Outcome, Record, Recovery, Reversibility, RunError,
    RunErrorKind, StepState,
};
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::{FlagChange, Flags, GatedPlan};
use bluegreen_testkit::journal::{MemoryStore, RecordFault};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::gated::{
    GatedLedger, GatedRecord, GatedStage, Play, Values, after, environment, plan, run_id, set,
    sets, step_of, values, wait, written,
};
use crate::stage::{calm, on_virtual_time};

/// Two stages that can be taken back, one that cannot, and one more.
fn one_way() -> GatedPlan {
    plan(vec![set("a"), sets(&["b", "c"]), set("gone!"), set("d")])
}

fn failed(end: Result<Outcome, RunError>, kind: RunErrorKind) -> RunError {
    let error = end.expect_err("something went wrong");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

/// The engine wrote nothing but what the plan brings.
fn assert_nothing_undone(flags: &Flags, plan: &GatedPlan) {
    for write in flags.writes() {
        assert!(plan.changes().any(|(_, change)| *change == write), "{write} was undone");
    }
}

async fn assert_goes_on(flags: &Flags, store: &MemoryStore, plan: &GatedPlan) {
    flags.script([]);
    let second = Play::new(flags, store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::Committed);
    calm().await;
    assert_eq!(flags.values(), after(&Values::new(), plan));
    assert_nothing_undone(flags, plan);
}

#[test]
fn a_plan_knows_where_its_point_of_no_return_is() {
    assert_eq!(one_way().point_of_no_return(), Some(2));
    assert_eq!(
        plan(vec![set("a"), wait("b"), sets(&["c", "gone!"])]).point_of_no_return(),
        Some(2)
    );
    assert_eq!(plan(vec![set("gone!"), set("a"), set("lost!")]).point_of_no_return(), Some(0));
    assert_eq!(plan(vec![set("a"), wait("gone!")]).point_of_no_return(), None);
}

#[test]
fn a_rollback_takes_as_long_as_the_stages_before_the_point_of_no_return() {
    let seconds = |stages| plan(stages).rollback_time().as_secs();
    assert_eq!(one_way().rollback_time().as_secs(), 2);
    assert_eq!(seconds(vec![set("a"), wait("b"), sets(&["c", "d"]), set("e")]), 3);
    assert_eq!(seconds(vec![set("gone!"), set("a")]), 0);
}

#[test]
fn a_change_back_of_what_is_irreversible_is_irreversible() {
    let change = FlagChange::new("gone!", None, Some(1));
    assert_eq!(change.reversibility(), Reversibility::Irreversible);
    assert_eq!(change.inverse().reversibility(), Reversibility::Irreversible);
    assert_eq!(change.inverse().inverse(), change);
}

#[tokio::test(start_paused = true)]
async fn before_it_any_failure_takes_everything_back() {
    for nth in 0..3 {
        for fault in [Fault::Refuse, Fault::LandLate(Duration::from_secs(20)), Fault::Credentials] {
            let (flags, store) = (Flags::default(), MemoryStore::new());
            flags.script(vec![Fault::None; nth].into_iter().chain([fault]));
            let _error = Play::new(&flags, &store).run(one_way()).await.expect_err("a fault");
            let second = Play::new(&flags, &store);
            assert_eq!(second.recovered(Recovery::by("second")).await, Ending::RolledBack);
            calm().await;
            assert_eq!(flags.values(), Values::new(), "{nth} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_it_or_after_it_leaves_the_step_stuck_and_undoes_nothing() {
    for (nth, stuck) in [(3, "gone!"), (4, "d")] {
        for fault in [
            Fault::Refuse,
            Fault::TimeOut(Duration::from_mins(1)),
            Fault::LandLate(Duration::from_secs(20)),
            Fault::Hang,
        ] {
            let (flags, store) = (Flags::default(), MemoryStore::new());
            flags.script(vec![Fault::None; nth].into_iter().chain([fault]));
            let error = failed(Play::new(&flags, &store).run(one_way()).await, RunErrorKind::Dirty);
            let step = step_of(&one_way(), stuck);
            assert!(error.left().iter().any(|left| left.step == step), "{error:?}");
            let ledger = GatedLedger::replay(written(&store)).expect("it can be read");
            assert_eq!(ledger.state(step), StepState::Stuck);
            assert_eq!(ledger.next(), Next::Stuck(vec![step]));
            assert_eq!(ledger.cause(), None, "it turned round");
            assert_nothing_undone(&flags, &one_way());
            assert_goes_on(&flags, &store, &one_way()).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn as_long_as_the_world_is_not_healthy_a_recovery_leaves_it_stuck_too() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script([vec![Fault::None; 3], vec![Fault::Refuse; 3]].concat());
    let _error = failed(Play::new(&flags, &store).run(one_way()).await, RunErrorKind::Dirty);
    for _ in 0..2 {
        let second = Play::new(&flags, &store);
        let end = second.recover(Recovery::by("second")).await.expect("it is open");
        let _error = failed(end, RunErrorKind::Dirty);
        assert_nothing_undone(&flags, &one_way());
    }
    assert_goes_on(&flags, &store, &one_way()).await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_changed_after_it_is_stuck_until_it_is_put_right() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let of = flags.clone();
    let plan = plan(vec![set("a"), set("gone!"), wait("ready"), sets(&["b", "c"])]);
    let meddles = async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        of.set("b", Some(7));
        of.set("ready", Some(1));
    };
    let play = Play::new(&flags, &store);
    let (end, ()) = tokio::join!(play.run(plan.clone()), meddles);
    let error = failed(end, RunErrorKind::Dirty);
    assert!(error.to_string().contains("`b` is not as the plan found it"), "{error}");
    let again = Play::new(&flags, &store).recover(Recovery::by("second")).await;
    let _error = failed(again.expect("it is open"), RunErrorKind::Dirty);
    assert_eq!(flags.values()["b"], 7);
    assert!(!flags.values().contains_key("c"));
    // What was never begun is not taken for begun: somebody else's value is not the plan's.
    flags.set("b", Some(1));
    let again = Play::new(&flags, &store).recover(Recovery::by("second")).await;
    let _error = failed(again.expect("it is open"), RunErrorKind::Dirty);
    flags.set("b", None);
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::Committed);
    assert_every_write_is_intended(&store, &plan);
}

fn assert_every_write_is_intended(store: &MemoryStore, plan: &GatedPlan) {
    let records = written(store);
    for (step, change) in plan.changes() {
        let is_of = |record: &GatedRecord| matches!(record, Record::Intended { step: of, .. } if *of == step);
        assert_eq!(records.iter().filter(|record| is_of(record)).count(), 1, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_to_stop_after_it_stops_the_run_where_it_is() {
    for times in 1..=2 {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        let play = Play::new(&flags, &store);
        let cancel = play.cancel.clone();
        flags.witness(move |change| {
            if change.flag == "gone!" {
                (0..times).for_each(|_| cancel.request());
            }
        });
        let error = failed(play.run(one_way()).await, RunErrorKind::Interrupted);
        assert!(!error.left().is_empty());
        flags.witness(|_| {});
        assert_eq!(flags.values().get("d"), None, "it went on");
        assert_nothing_undone(&flags, &one_way());
        assert_goes_on(&flags, &store, &one_way()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_to_stop_while_a_gate_after_it_is_waited_for_stops_the_run_there() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let plan = plan(vec![set("a"), set("gone!"), wait("ready"), set("b")]);
    let play = Play::new(&flags, &store);
    let stops = async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        play.cancel.request();
    };
    let (end, ()) = tokio::join!(play.run(plan.clone()), stops);
    let _error = failed(end, RunErrorKind::Interrupted);
    flags.set("ready", Some(1));
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::Committed);
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_to_stop_before_it_has_everything_taken_back() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let play = Play::new(&flags, &store);
    let cancel = play.cancel.clone();
    flags.witness(move |change| {
        if change.flag == "b" && !cancel.is_requested() {
            cancel.request();
        }
    });
    let _error = failed(play.run(one_way()).await, RunErrorKind::Cancelled);
    assert_eq!(flags.values(), Values::new());
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_record_ends_committed_or_rolled_back() {
    let reference = MemoryStore::new();
    let end = Play::new(&Flags::default(), &reference).run(one_way()).await;
    assert!(end.is_ok());
    let barrier = step_of(&one_way(), "gone!");
    let begun = written(&reference)
        .iter()
        .position(|record| matches!(record, Record::Intended { step, .. } if *step == barrier))
        .expect("it was begun");
    for room in 0..reference.records() {
        for fault in RecordFault::ALL {
            let (flags, store) = (Flags::default(), MemoryStore::new());
            store.fail_after(room, fault);
            let _end = Play::new(&flags, &store).run(one_way()).await;
            let store = store.survive();
            let end = Play::new(&flags, &store).recover(Recovery::by("second")).await;
            let what = format!("{fault:?} at record {room}");
            let is_begun = written(&store)
                .iter()
                .any(|record| matches!(record, Record::Intended { step, .. } if *step == barrier));
            match end {
                None => assert_eq!(flags.values(), Values::new(), "{what}"),
                Some(end) => {
                    let ending = end.expect("a healthy world can be recovered").ending;
                    let wanted = if is_begun { Ending::Committed } else { Ending::RolledBack };
                    assert_eq!(ending, wanted, "{what}");
                    let expected = match ending {
                        Ending::Committed => after(&Values::new(), &one_way()),
                        _ => Values::new(),
                    };
                    assert_eq!(flags.values(), expected, "{what}");
                }
            }
            assert_eq!(is_begun, room > begun || (room == begun && is_kept(fault)), "{what}");
        }
    }
}

fn is_kept(fault: RecordFault) -> bool {
    matches!(fault, RecordFault::CrashAfter | RecordFault::SyncError)
}

#[tokio::test(start_paused = true)]
async fn a_gate_after_it_that_does_not_hold_is_stuck_and_awaited_again() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let plan = plan(vec![set("a"), set("gone!"), wait("ready"), set("b")]);
    let error = failed(Play::new(&flags, &store).run(plan.clone()).await, RunErrorKind::Dirty);
    assert!(error.to_string().contains("flag `ready` is Some(1)"), "{error}");
    assert_nothing_undone(&flags, &plan);
    let again = Play::new(&flags, &store).recover(Recovery::by("second")).await;
    let _error = failed(again.expect("it is open"), RunErrorKind::Dirty);
    flags.set("ready", Some(1));
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::Committed);
    assert_eq!(flags.values(), values(&[("a", 1), ("b", 1), ("gone!", 1), ("ready", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_gate_right_before_it_that_does_not_hold_takes_everything_back() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let plan = plan(vec![set("a"), wait("ready"), set("gone!")]);
    let _error = failed(Play::new(&flags, &store).run(plan).await, RunErrorKind::RolledBack);
    assert_eq!(flags.values(), Values::new());
}

#[test]
fn no_ledger_takes_a_turn_after_it() {
    let plan = one_way();
    let header = Header::new(run_id(), "test", environment(), "somebody", plan.clone());
    let turn = || GatedRecord::Unwinding { cause: "a whim".to_owned(), asked: true };
    let mut ledger = GatedLedger::new(header);
    for (step, stage, work) in plan.steps() {
        let change = work.expect("there are no gates");
        assert_eq!(ledger.clone().fold(&turn()).is_ok(), stage <= 2 && !ledger.is_past_return());
        let (change, inverse) = (change.clone(), change.inverse());
        ledger.fold(&Record::Intended { step, change, inverse }).expect("it is next");
        assert_eq!(ledger.is_past_return(), stage >= 2);
        assert_eq!(ledger.clone().fold(&turn()).is_ok(), stage < 2);
        ledger.fold(&Record::Applied { step }).expect("it was begun");
    }
    assert!(ledger.clone().fold(&turn()).is_err());
    assert_eq!(ledger.next(), Next::Commit);
}

/// A plan with one stage that cannot be undone, at any place, alone or with others.
fn any_one_way() -> impl Strategy<Value = GatedPlan> {
    const FLAGS: [&str; 3] = ["a", "b", "c"];
    let stages = vec(vec(prop::option::of(1..9i64), FLAGS.len()), 0..5);
    (stages, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(stages, place, alone)| {
        let mut now = Values::new();
        let mut stages: Vec<GatedStage> = stages
            .iter()
            .map(|wishes| {
                let mut changes = Vec::new();
                for (flag, wish) in FLAGS.iter().zip(wishes) {
                    let before = now.get(*flag).copied();
                    let Some(value) = wish.filter(|value| Some(*value) != before) else { continue };
                    now.insert((*flag).to_owned(), value);
                    changes.push(FlagChange::new(*flag, before, Some(value)));
                }
                GatedStage::changes("some", changes)
            })
            .collect();
        let gone: &[&str] = if alone { &["gone!"] } else { &["x", "gone!", "y"] };
        stages.insert(place.index(stages.len() + 1), sets(gone));
        plan(stages)
    })
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        5 => Just(Fault::None),
        2 => Just(Fault::Refuse),
        1 => Just(Fault::Credentials),
        1 => Just(Fault::Throttle),
        2 => Just(Fault::LoseReply),
        2 => (1..25u64).prop_map(|seconds| Fault::LandLate(Duration::from_secs(seconds))),
        1 => (1..25u64).prop_map(|seconds| Fault::Silence(Duration::from_secs(seconds))),
        1 => (1..10u64).prop_map(|seconds| Fault::StaleRead(Duration::from_secs(seconds))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_run_ends_on_one_side_of_it_whatever_happens(
        plan in any_one_way(),
        faults in vec(any_fault(), 0..10),
        rooms in vec(0..30usize, 1..4),
        faults_later in vec(any_fault(), 0..4),
    ) {
        on_virtual_time(async {
            let flags = Flags::default();
            let mut store = MemoryStore::dying_after(rooms[0]);
            flags.script(faults);
            let _first = Play::new(&flags, &store).run(plan.clone()).await;
            flags.script(faults_later);
            for room in &rooms[1..] {
                let lines = store.lines().remove(&run_id()).unwrap_or_default();
                store = MemoryStore::dying_after(*room);
                store.insert(run_id(), lines);
                let _middle = Play::new(&flags, &store).recover(Recovery::by("second")).await;
            }
            flags.script([]);
            let store = store.survive();
            let last = Play::new(&flags, &store).recover(Recovery::by("last")).await;
            calm().await;
            let barrier = step_of(&plan, "gone!");
            let records = written(&store);
            let is_barrier = |record: &GatedRecord| {
                matches!(record, Record::Intended { step, .. } if *step == barrier)
            };
            let expected = match last {
                None => Values::new(),
                Some(end) => match end.expect("a healthy world can be recovered").ending {
                    Ending::Committed => after(&Values::new(), &plan),
                    ending => {
                        prop_assert_eq!(ending, Ending::RolledBack);
                        prop_assert!(!records.iter().any(is_barrier), "it was begun");
                        Values::new()
                    }
                },
            };
            prop_assert_eq!(flags.values(), expected);
            if records.iter().any(is_barrier) {
                let turned = |record: &GatedRecord| matches!(record, Record::Unwinding { .. });
                prop_assert!(!records.iter().any(turned), "it turned round");
                assert_nothing_undone(&flags, &plan);
            }
            Ok(())
        })?;
    }
}
