//! What the engine promises, over plans, faults and crashes, on the smallest of worlds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{EnvironmentName, RunId};
use bluegreen_core::transaction::{
    Change as _, Ending, Engine, Header, Ledger, NoGate, Outcome, Record, Recovery, RunError,
    RunErrorKind, Stage, Store as _, decode,
};
use bluegreen_testkit::clock::VirtualClock;
use bluegreen_testkit::fault::{Fault, Meddle};
use bluegreen_testkit::flags::{FlagChange, FlagPlan, Flags};
use bluegreen_testkit::journal::MemoryStore;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::stage::on_virtual_time;

type Values = BTreeMap<String, i64>;
type FlagEngine = Engine<FlagChange, NoGate<Flags>>;
type FlagLedger = Ledger<FlagChange, NoGate<Flags>>;

const FLAGS: [&str; 4] = ["a", "b", "c", "d"];

/// The values before, the values after, and the plan between them.
fn any_plan() -> impl Strategy<Value = (Values, Values, FlagPlan)> {
    let values = vec(prop::option::of(0..3i64), FLAGS.len());
    let stages = vec(vec(prop::option::of(prop::option::of(0..9i64)), FLAGS.len()), 1..5);
    (values, stages).prop_map(|(values, stages)| {
        let named = FLAGS.iter().zip(values);
        let before: Values =
            named.filter_map(|(flag, value)| Some(((*flag).to_owned(), value?))).collect();
        let mut now = before.clone();
        let stages = stages.iter().map(|wishes| Stage::changes("stage", changes(wishes, &mut now)));
        let plan = FlagPlan::new(stages.collect()).expect("the stages are chained");
        (before, now, plan)
    })
}

#[expect(clippy::option_option, reason = "no wish, the wish for no value, and one for a value")]
fn changes(wishes: &[Option<Option<i64>>], now: &mut Values) -> Vec<FlagChange> {
    let mut changes = Vec::new();
    for (flag, wish) in FLAGS.iter().zip(wishes) {
        let before = now.get(*flag).copied();
        let Some(after) = wish.filter(|after| *after != before) else { continue };
        match after {
            Some(value) => now.insert((*flag).to_owned(), value),
            None => now.remove(*flag),
        };
        changes.push(FlagChange { flag: (*flag).to_owned(), before, after });
    }
    changes
}

/// Everything but somebody else's hand.
fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        2 => Just(Fault::Refuse),
        1 => Just(Fault::Credentials),
        2 => Just(Fault::Throttle),
        2 => Just(Fault::LoseReply),
        2 => (1..25u64).prop_map(|seconds| Fault::LandLate(Duration::from_secs(seconds))),
        1 => (1..10u64).prop_map(|seconds| Fault::StaleRead(Duration::from_secs(seconds))),
    ]
}

fn run_id() -> RunId {
    RunId::new("01run")
}

fn header(plan: FlagPlan) -> Header<FlagChange, NoGate<Flags>> {
    Header::new(run_id(), "test", EnvironmentName::new("flags"), "nobody", plan)
}

fn engine(flags: &Flags) -> FlagEngine {
    FlagEngine::new(Arc::new(flags.clone())).with_clock(Arc::new(VirtualClock::start()))
}

async fn run(flags: &Flags, store: &MemoryStore, plan: FlagPlan) -> Result<Outcome, RunError> {
    let journal = store.create(&run_id()).await.expect("the run is new");
    engine(flags).run(header(plan), journal).await
}

/// Recovers as a second process would; `None` if there is nothing to recover.
async fn recover(flags: &Flags, store: &MemoryStore) -> Option<Result<Outcome, RunError>> {
    let (lines, journal) = store.open(&run_id()).await.expect("the run is there");
    if lines.is_empty() {
        return None;
    }
    Some(engine(flags).recover(ledger(&lines), journal, Recovery::by("somebody")).await)
}

fn ledger(lines: &[String]) -> FlagLedger {
    let entries = decode(lines).expect("every line is a record");
    FlagLedger::replay(entries.into_iter().map(|entry| entry.record))
        .expect("no illegal sequence is ever written")
}

/// Lets everything land that is still on its way.
async fn calm() {
    tokio::time::sleep(Duration::from_hours(1)).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_run_is_all_or_nothing(
        (before, after, plan) in any_plan(),
        faults in vec(any_fault(), 0..12),
        room in 0..40usize,
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(before.clone()), MemoryStore::dying_after(room));
            flags.script(faults);
            let first = run(&flags, &store, plan).await;
            flags.script([]);
            let store = store.survive();
            let second = recover(&flags, &store).await;
            calm().await;
            match (first, second) {
                (Ok(outcome), Some(Ok(again))) => {
                    prop_assert_eq!(outcome.ending, Ending::Committed);
                    prop_assert_eq!(again.ending, Ending::Committed);
                    prop_assert_eq!(flags.values(), after);
                }
                (Err(error), None) => {
                    prop_assert_eq!(error.kind(), RunErrorKind::NotStarted);
                    prop_assert_eq!(flags.values(), before);
                }
                // Died on the brink: every change is in place, and only the record was missing.
                (Err(error), Some(Ok(end))) if end.ending == Ending::Committed => {
                    prop_assert_eq!(error.kind(), RunErrorKind::Interrupted);
                    prop_assert_eq!(flags.values(), after);
                }
                (Err(_), Some(Ok(_))) => prop_assert_eq!(flags.values(), before),
                (first, second) => prop_assert!(false, "{first:?} {second:?}"),
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_failed_run_says_truly_what_it_left(
        (before, _, plan) in any_plan(),
        faults in vec(any_fault(), 0..12),
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(before.clone()), MemoryStore::new());
            flags.script(faults);
            if let Err(error) = run(&flags, &store, plan).await {
                calm().await;
                match error.kind() {
                    RunErrorKind::NotStarted | RunErrorKind::RolledBack => {
                        prop_assert_eq!(flags.values(), before);
                    }
                    RunErrorKind::Dirty => prop_assert!(!error.left().is_empty()),
                    _ => {}
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_crash_in_a_recovery_can_be_recovered_from(
        (before, after, plan) in any_plan(),
        faults in vec(any_fault(), 0..8),
        rooms in vec(0..20usize, 1..4),
    ) {
        on_virtual_time(async {
            let flags = Flags::new(before.clone());
            flags.script(faults);
            let mut store = MemoryStore::dying_after(rooms[0]);
            let _first = run(&flags, &store, plan).await;
            for room in &rooms[1..] {
                let lines = store.lines().remove(&run_id()).unwrap_or_default();
                store = MemoryStore::dying_after(*room);
                store.insert(run_id(), lines);
                let _middle = recover(&flags, &store).await;
            }
            flags.script([]);
            let store = store.survive();
            let last = recover(&flags, &store).await;
            let again = recover(&flags, &store.survive()).await;
            calm().await;
            let values = flags.values();
            prop_assert!(values == before || values == after, "{:?}", values);
            let endings = |end: Option<Result<Outcome, RunError>>| {
                end.map(|end| end.expect("a healthy world can be recovered").ending)
            };
            let (last, again) = (endings(last), endings(again));
            prop_assert_eq!(last, again, "recovering twice is recovering once");
            prop_assert_eq!(values == after || last != Some(Ending::Committed), true);
            Ok(())
        })?;
    }

    #[test]
    fn nothing_is_written_that_is_not_journaled_before(
        (before, _, plan) in any_plan(),
        faults in vec(any_fault(), 0..12),
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(before), MemoryStore::new());
            flags.script(faults);
            let journal = store.clone();
            flags.witness(move |change| {
                let lines = journal.lines().remove(&run_id()).unwrap_or_default();
                let entries = decode::<FlagChange, NoGate<Flags>>(&lines).expect("records");
                let is_journaled = entries.iter().any(|entry| match &entry.record {
                    Record::Intended { change: intended, inverse, .. } => {
                        intended == change || inverse == change
                    }
                    _ => false,
                });
                assert!(is_journaled, "{change} is written before it is journaled");
            });
            let _end = run(&flags, &store, plan).await;
            ledger(&store.lines()[&run_id()]);
        });
    }

    #[test]
    fn it_goes_back_newest_stage_first(
        (before, _, plan) in any_plan(),
        faults in vec(any_fault(), 0..12),
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(before), MemoryStore::new());
            flags.script(faults);
            let _end = run(&flags, &store, plan.clone()).await;
            let entries = decode::<FlagChange, NoGate<Flags>>(&store.lines()[&run_id()]);
            let mut turned = false;
            let mut stages_back = Vec::new();
            for entry in entries.expect("records") {
                match entry.record {
                    Record::Unwinding { .. } => turned = true,
                    // What comes up again late is taken back whenever it does.
                    Record::Resurfaced { .. } => break,
                    Record::Undone { step, .. } if turned => {
                        let stage = plan.steps().find(|(id, ..)| *id == step).map(|(_, at, _)| at);
                        stages_back.push(stage.expect("the step is in the plan"));
                    }
                    _ => {}
                }
            }
            prop_assert!(stages_back.is_sorted_by(|one, next| one >= next), "{:?}", stages_back);
            Ok(())
        })?;
    }

    #[test]
    fn what_somebody_else_wrote_is_never_overwritten(
        (before, _, plan) in any_plan(),
        faults in vec(
            prop_oneof![4 => any_fault(), 1 => Just(Fault::Meddle(Meddle::Change))],
            0..12,
        ),
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(before.clone()), MemoryStore::new());
            // A call that lands late lands on top of whatever is there, and a read that lies hides
            // it: nothing can prevent either.
            let faults = faults.into_iter().filter(|fault| {
                !matches!(fault, Fault::LandLate(_) | Fault::StaleRead(_))
            });
            flags.script(faults);
            let end = run(&flags, &store, plan).await;
            calm().await;
            let theirs = flags.meddled();
            for (flag, value) in &theirs {
                prop_assert_eq!(flags.values().get(flag).copied(), *value);
            }
            if let Err(error) = end {
                match error.kind() {
                    RunErrorKind::RolledBack => {
                        prop_assert!(theirs.is_empty(), "it is not as before");
                        prop_assert_eq!(flags.values(), before);
                    }
                    RunErrorKind::Dirty => {
                        let left = error.left();
                        prop_assert!(!left.is_empty());
                    }
                    _ => {}
                }
            } else {
                prop_assert!(theirs.is_empty(), "the plan is not in place");
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_earlier_stage_is_not_begun_while_one_is_stuck(
        (before, _, plan) in any_plan(),
        faults in vec(
            prop_oneof![3 => Just(Fault::None), 1 => Just(Fault::Meddle(Meddle::Change))],
            1..8,
        ),
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(before), MemoryStore::new());
            flags.script(faults);
            let _end = run(&flags, &store, plan.clone()).await;
            let stage = |step| {
                let stage = plan.steps().find(|(id, ..)| *id == step).map(|(_, at, _)| at);
                stage.expect("the step is in the plan")
            };
            let mut stuck = 0;
            let entries = decode::<FlagChange, NoGate<Flags>>(&store.lines()[&run_id()]);
            for entry in entries.expect("records") {
                match entry.record {
                    Record::Stuck { step, .. } => stuck = stuck.max(stage(step)),
                    Record::Undone { step, .. } => prop_assert!(stage(step) >= stuck),
                    _ => {}
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_noticed_before_the_next_write(
        (before, after, plan) in any_plan(),
        stages in 0..4usize,
        flag in prop::sample::select(FLAGS.to_vec()),
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::new(before.clone()), MemoryStore::new());
            // Between two stages: between our look and our write nothing could be noticed.
            let writes = plan.steps().filter(|(_, stage, _)| *stage < stages).count();
            flags.meddle_after(writes, flag, -1);
            let end = run(&flags, &store, plan).await;
            if flags.meddled().is_empty() {
                prop_assert_eq!(flags.values(), after);
            } else {
                let found = flags.values().get(flag).copied();
                prop_assert_eq!(found, Some(-1), "their value is overwritten: {:?}", end);
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_inverse_of_an_inverse_is_the_change((_, _, plan) in any_plan()) {
        for (_, change) in plan.changes() {
            prop_assert_eq!(&change.inverse().inverse(), change);
        }
    }
}
