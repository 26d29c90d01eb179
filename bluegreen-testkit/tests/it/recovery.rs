//! Going on after a crash, and leaving what is stuck as somebody else left it.

#![expect(clippy::similar_names, reason = "a play follows a plan")]

use std::time::Duration;

use bluegreen_core::model::{
    Capacity, ImageId, RunId, ScalingGroupName, TemplateVersion, UserData,
};
use bluegreen_core::operation::{Done, Operation, OperationErrorKind, RecoverOptions, RunState};
use bluegreen_core::plan::{DeployOptions, DeploySource};
use bluegreen_core::transaction::{
    Ending, Outcome, Record, Recovery, RunError, RunErrorKind, StepId,
};
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::{FlagChange, FlagGate, Flags, GatedPlan};
use bluegreen_testkit::journal::{MemoryStore, RecordFault};
use bluegreen_testkit::{FakeCloud, World};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::gated::{
    GatedRecord, GatedStage, Play, Values, after, ledger, plan, run_id, set, step_of, values, wait,
    written,
};
use crate::stage::{Scene, Verb, calm, on_virtual_time};

fn forward() -> Recovery {
    Recovery::by("second").with_forward(true)
}

/// Plans over four flags, with gates that hold in between.
fn any_plan() -> impl Strategy<Value = (Values, GatedPlan)> {
    const FLAGS: [&str; 4] = ["a", "b", "c", "d"];
    let wishes = vec(prop::option::of(prop::option::of(0..9i64)), FLAGS.len());
    let stages = vec((wishes, any::<bool>()), 1..5);
    (vec(prop::option::of(0..3i64), FLAGS.len()), stages).prop_map(|(first, stages)| {
        let named = FLAGS.iter().zip(first);
        let mut before: Values =
            named.filter_map(|(flag, value)| Some(((*flag).to_owned(), value?))).collect();
        before.insert("ready".to_owned(), 1);
        let mut now = before.clone();
        let mut plan_stages = Vec::new();
        for (wishes, is_gated) in stages {
            if is_gated {
                plan_stages.push(wait("ready"));
            }
            let mut changes = Vec::new();
            for (flag, wish) in FLAGS.iter().zip(wishes) {
                let old = now.get(*flag).copied();
                let Some(new) = wish.filter(|new| *new != old) else { continue };
                match new {
                    Some(value) => now.insert((*flag).to_owned(), value),
                    None => now.remove(*flag),
                };
                changes.push(FlagChange::new(*flag, old, new));
            }
            plan_stages.push(GatedStage::changes("some", changes));
        }
        (before, plan(plan_stages))
    })
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        2 => Just(Fault::Refuse),
        1 => Just(Fault::Throttle),
        2 => Just(Fault::LoseReply),
        2 => (1..25u64).prop_map(|seconds| Fault::LandLate(Duration::from_secs(seconds))),
        1 => (1..25u64).prop_map(|seconds| Fault::Silence(Duration::from_secs(seconds))),
        1 => (1..120u64).prop_map(|seconds| Fault::TimeOut(Duration::from_secs(seconds))),
        1 => (1..10u64).prop_map(|seconds| Fault::StaleRead(Duration::from_secs(seconds))),
    ]
}

/// Runs until the store dies, or until the process does while a call is on its way.
async fn run_until(play: &Play, plan: &GatedPlan, seconds: u64) {
    let life = Duration::from_millis(seconds * 1000 + 137);
    let _end = tokio::time::timeout(life, play.run(plan.clone())).await;
    // The task that kept the lock sees that it is gone.
    tokio::time::sleep(Duration::from_millis(1)).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_run_goes_on_after_a_crash_at_any_record((before, plan) in any_plan()) {
        on_virtual_time(async {
            let reference = MemoryStore::new();
            let flags = Flags::new(before.clone());
            let end = Play::new(&flags, &reference).run(plan.clone()).await;
            prop_assert!(end.is_ok());
            for room in 0..reference.records() {
                for fault in RecordFault::ALL {
                    let (flags, store) = (Flags::new(before.clone()), MemoryStore::new());
                    store.fail_after(room, fault);
                    let _end = Play::new(&flags, &store).run(plan.clone()).await;
                    let store = store.survive();
                    match Play::new(&flags, &store).recover(forward()).await {
                        None => prop_assert_eq!(flags.values(), before.clone()),
                        Some(end) => {
                            let ending = end.expect("the world is healthy").ending;
                            prop_assert_eq!(ending, Ending::Committed);
                            prop_assert_eq!(flags.values(), after(&before, &plan));
                        }
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_run_that_has_not_turned_round_goes_on_whatever_happened(
        (before, plan) in any_plan(),
        faults in vec(any_fault(), 0..10),
        rooms in vec(1..30usize, 1..4),
        lives in vec(0..100u64, 4),
    ) {
        on_virtual_time(async {
            let flags = Flags::new(before.clone());
            flags.script(faults);
            let mut store = MemoryStore::dying_after(rooms[0]);
            run_until(&Play::new(&flags, &store), &plan, lives[0]).await;
            for (room, life) in rooms[1..].iter().zip(&lives[1..]) {
                let lines = store.lines().remove(&run_id()).unwrap_or_default();
                if !ledger(&lines).may_go_on() {
                    break;
                }
                store = MemoryStore::dying_after(*room);
                store.insert(run_id(), lines);
                let play = Play::new(&flags, &store);
                let life = Duration::from_millis(life * 1000 + 137);
                let _end = tokio::time::timeout(life, play.recover(forward())).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            flags.script([]);
            let store = store.survive();
            let lines = store.lines();
            let is_open = ledger(&lines[&run_id()]).ending().is_none();
            let may_go_on = ledger(&lines[&run_id()]).may_go_on();
            let end = Play::new(&flags, &store).recover(forward()).await.expect("it was begun");
            if may_go_on || !is_open {
                prop_assert!(end.is_ok(), "the world is healthy: {:?}", end);
                calm().await;
                let committed = ledger(&store.lines()[&run_id()]).ending() == Some(Ending::Committed);
                prop_assert!(committed || !may_go_on);
                let expected = if committed { after(&before, &plan) } else { before };
                prop_assert_eq!(flags.values(), expected);
            } else {
                let error = end.expect_err("it has turned round");
                prop_assert_eq!(error.kind(), RunErrorKind::Interrupted);
                prop_assert_eq!(store.lines(), lines, "something was written");
                let play = Play::new(&flags, &store);
                let ending = play.recovered(Recovery::by("second")).await;
                prop_assert_eq!(ending, Ending::RolledBack);
                calm().await;
                prop_assert_eq!(flags.values(), before);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_had_under_way_lands_before_a_run_goes_on() {
    // The same flag twice: the late one would undo the later one.
    let stages = [(None, Some(1)), (Some(1), Some(2))]
        .map(|(old, new)| GatedStage::changes("set", vec![FlagChange::new("a", old, new)]));
    let plan = plan(stages.into());
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script([Fault::Silence(Duration::from_secs(25))]);
    run_until(&Play::new(&flags, &store), &plan, 1).await;
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(forward()).await, Ending::Committed);
    calm().await;
    assert_eq!(flags.values(), values(&[("a", 2)]));
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_once_and_made_again_is_in_doubt_again() {
    let plan = plan(vec![set("a"), set("b")]);
    let (flags, store) = (Flags::default(), MemoryStore::new());
    // The first process is told that it was refused, and dies before it can turn round.
    flags.script([Fault::None, Fault::Refuse]);
    store.fail_after(5, RecordFault::CrashBefore);
    let error = Play::new(&flags, &store).run(plan.clone()).await.expect_err("it died");
    assert_eq!(error.kind(), RunErrorKind::Interrupted);
    assert!(matches!(written(&store).last(), Some(Record::Failed { in_doubt: false, .. })));
    // The second one goes on, and dies while its own call is on its way.
    let store = store.survive();
    flags.script([Fault::Silence(Duration::from_secs(20))]);
    let going = Play::new(&flags, &store);
    tokio::time::timeout(Duration::from_secs(1), going.recover(forward())).await.expect_err("gone");
    tokio::time::sleep(Duration::from_millis(1)).await;
    // The third one takes everything back; what lands meanwhile too.
    let third = Play::new(&flags, &store);
    let began = tokio::time::Instant::now();
    assert_eq!(third.recovered(Recovery::by("third")).await, Ending::RolledBack);
    assert!(began.elapsed() >= Duration::from_secs(20), "it did not wait: {:?}", began.elapsed());
    let writes: Vec<_> = written(&store)
        .into_iter()
        .filter_map(|record| match record {
            Record::Undone { step, .. } => Some(step),
            _ => None,
        })
        .collect();
    assert_eq!(writes, [StepId(2), StepId(1)], "an earlier stage came first");
    calm().await;
    assert_eq!(flags.values(), Values::new());
}

/// A change, a gate, another gate, two changes; the process dies before record number `room`.
async fn gated(room: usize) -> (Flags, MemoryStore, GatedPlan) {
    let gate = |flag: &str| {
        GatedStage::gate("wait", FlagGate::new(flag, Some(1), Duration::from_secs(20)))
    };
    let plan = plan(vec![gate("first"), set("a"), gate("one"), gate("two"), set("b"), set("c")]);
    let flags = Flags::new(values(&[("first", 1), ("one", 1), ("two", 1)]));
    let store = MemoryStore::dying_after(room);
    let error = Play::new(&flags, &store).run(plan.clone()).await.expect_err("it died");
    assert_eq!(error.kind(), RunErrorKind::Interrupted);
    (flags, store.survive(), plan)
}

fn passes(records: &[GatedRecord]) -> usize {
    records.iter().filter(|record| matches!(record, Record::Passed { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn the_gates_right_before_what_is_next_are_awaited_again() {
    // begun, passed, intended, applied, passed, passed; then the intent of b, which is lost.
    let (flags, store, plan) = gated(6).await;
    assert_eq!(passes(&written(&store)), 3);
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(forward()).await, Ending::Committed);
    assert_eq!(passes(&written(&store)), 5, "the two before b, and not the first one");
    assert_eq!(flags.values(), after(&values(&[("first", 1), ("one", 1), ("two", 1)]), &plan));
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_does_not_hold_any_more_turns_the_run_round() {
    for flag in ["one", "two"] {
        for room in [6, 7] {
            let (flags, store, _) = gated(room).await;
            flags.set(flag, Some(0));
            let before = flags.values();
            let second = Play::new(&flags, &store);
            assert_eq!(second.recovered(forward()).await, Ending::RolledBack, "{flag} {room}");
            let expected: Values =
                before.into_iter().filter(|(name, _)| !["a", "b"].contains(&&**name)).collect();
            assert_eq!(flags.values(), expected, "{flag} {room}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_was_passed_long_before_is_not_asked_again() {
    let (flags, store, _) = gated(6).await;
    flags.set("first", Some(0));
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(forward()).await, Ending::Committed);
    // Nor are those before b once b is made.
    let (flags, store, _) = gated(8).await;
    for flag in ["first", "one", "two"] {
        flags.set(flag, Some(0));
    }
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(forward()).await, Ending::Committed);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_turned_round_does_not_go_on() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script([Fault::None, Fault::Refuse, Fault::Credentials]);
    let play = Play::new(&flags, &store);
    let error = play.run(plan(vec![set("a"), set("b")])).await.expect_err("the credentials died");
    assert_eq!(error.kind(), RunErrorKind::Interrupted);
    let lines = store.lines();
    let again = Play::new(&flags, &store).recover(forward()).await.expect("it is open");
    assert_eq!(again.expect_err("it has turned").kind(), RunErrorKind::Interrupted);
    assert_eq!(store.lines(), lines);
    assert_eq!(flags.values(), values(&[("a", 1)]));
    let back = Play::new(&flags, &store).recovered(Recovery::by("second")).await;
    assert_eq!(back, Ending::RolledBack);
}

/// A run of which somebody else changed `b` and `e`, and which is stuck with them.
async fn stuck() -> (Flags, MemoryStore, GatedPlan, RunError) {
    let before = values(&[("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 0)]);
    let one = |flag: &str| FlagChange::new(flag, Some(0), Some(1));
    let stage =
        |flags: &[&str]| GatedStage::changes("set", flags.iter().map(|flag| one(flag)).collect());
    let gate = GatedStage::gate("wait", FlagGate::new("ready", Some(1), Duration::from_secs(20)));
    let plan = plan(vec![stage(&["a"]), stage(&["b", "c"]), stage(&["d"]), stage(&["e"]), gate]);
    let (flags, store) = (Flags::new(before), MemoryStore::new());
    let (of, play) = (flags.clone(), Play::new(&flags, &store));
    let meddles = async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        of.set("b", Some(7));
        of.set("e", None);
    };
    let (end, ()) = tokio::join!(play.run(plan.clone()), meddles);
    let error = end.expect_err("somebody else was there");
    assert_eq!(error.kind(), RunErrorKind::Dirty);
    (flags, store, plan, error)
}

async fn skip(flags: &Flags, store: &MemoryStore, steps: &[StepId]) -> Result<Outcome, RunError> {
    let how = Recovery::by("second").with_skip(steps.iter().copied());
    Play::new(flags, store).recover(how).await.expect("it is open")
}

#[tokio::test(start_paused = true)]
async fn only_what_is_stuck_can_be_skipped() {
    let (flags, store, plan, error) = stuck().await;
    let e = step_of(&plan, "e");
    assert_eq!(error.left()[0].step, step_of(&plan, "a"), "all that is left is listed");
    let values = flags.values();
    for flag in ["a", "b", "c", "d"] {
        let error = skip(&flags, &store, &[step_of(&plan, flag)]).await.expect_err("it is not");
        assert_eq!(error.kind(), RunErrorKind::Interrupted, "{flag}");
        assert!(error.to_string().contains("skipped"), "{error}");
        assert_eq!(flags.values(), values, "{flag}");
    }
    let gate = StepId(u32::try_from(plan.steps().count()).unwrap());
    let _error = skip(&flags, &store, &[gate]).await.expect_err("it is a gate");
    let _error = skip(&flags, &store, &[StepId(0)]).await.expect_err("there is no such step");
    let _error = skip(&flags, &store, &[StepId(99)]).await.expect_err("there is no such step");
    // One that is not stuck spoils the whole decision.
    let _error = skip(&flags, &store, &[e, step_of(&plan, "a")]).await.expect_err("a is not");
    assert_eq!(flags.values(), values);
    // The next stage is begun, and is stuck too.
    let error = skip(&flags, &store, &[e]).await.expect_err("b is in the way now");
    assert_eq!(error.kind(), RunErrorKind::Dirty);
    assert_eq!(flags.values(), self::values(&[("a", 1), ("b", 7), ("c", 0), ("d", 0)]));
}

#[tokio::test(start_paused = true)]
async fn what_is_skipped_stays_and_the_rest_is_taken_back() {
    let (flags, store, plan, _) = stuck().await;
    let (b, e) = (step_of(&plan, "b"), step_of(&plan, "e"));
    let _error = skip(&flags, &store, &[e]).await.expect_err("b is in the way now");
    let outcome = skip(&flags, &store, &[b]).await.expect("nothing else is stuck");
    assert_eq!(outcome.ending, Ending::Abandoned);
    assert_eq!(flags.values(), values(&[("a", 0), ("b", 7), ("c", 0), ("d", 0)]));
    let left: Vec<(StepId, Vec<String>)> = outcome
        .left
        .iter()
        .map(|left| (left.step, left.differences.iter().map(ToString::to_string).collect()))
        .collect();
    let said = |text: &str| vec![text.to_owned()];
    assert_eq!(
        left,
        [(b, said("value should be 0, is 7")), (e, said("should be there, is absent"))]
    );
    assert!(outcome.left.iter().all(|left| left.reason.contains("somebody else")));
    // Recovering it again changes nothing and says the same.
    let again =
        Play::new(&flags, &store).recover(Recovery::by("third")).await.expect("it is there");
    assert_eq!(again.expect("it has ended").left, outcome.left);
}

#[tokio::test(start_paused = true)]
async fn a_skip_that_is_cut_off_at_any_record_can_be_repeated() {
    let mut cut = 0;
    for room in 0..20 {
        let (flags, store, plan, _) = stuck().await;
        let (b, e) = (step_of(&plan, "b"), step_of(&plan, "e"));
        store.fail_after(room, RecordFault::CrashBefore);
        let first = skip(&flags, &store, &[e]).await.expect_err("b is in the way, or it died");
        cut += usize::from(first.kind() == RunErrorKind::Interrupted);
        let store = store.survive();
        let mut open = Vec::from([b, e]);
        for _ in 0..3 {
            let lines = &store.lines()[&run_id()];
            if ledger(lines).ending().is_some() {
                break;
            }
            let may: Vec<StepId> =
                open.iter().copied().filter(|step| ledger(lines).may_skip(*step)).collect();
            open.retain(|step| !may.contains(step));
            let _end = skip(&flags, &store, &may).await;
        }
        let ending = ledger(&store.lines()[&run_id()]).ending();
        assert_eq!(ending, Some(Ending::Abandoned), "{room}");
        assert_eq!(flags.values(), values(&[("a", 0), ("b", 7), ("c", 0), ("d", 0)]), "{room}");
    }
    assert!(cut > 4, "only {cut} were cut off");
}

#[tokio::test(start_paused = true)]
async fn what_was_put_right_meanwhile_need_not_be_skipped() {
    let (flags, store, _, _) = stuck().await;
    flags.set("e", Some(0));
    flags.set("b", Some(1));
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::RolledBack);
    assert!(flags.values().iter().all(|(_, value)| *value == 0));
}

// The operations.

/// Everything there is, whatever the id of the run.
fn text(scene: &Scene) -> String {
    let text = serde_json::to_string_pretty(&scene.world()).expect("a world is plain data");
    let is_run = |word: &str| word.len() == 26 && word.starts_with("01");
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    words.map(|word| if is_run(&word[..word.len() - 1]) { "RUN" } else { word }).collect()
}

fn assert_same(found: &Scene, expected: &Scene, what: &str) {
    let (found, expected) = (text(found), text(expected));
    let pairs = found.lines().zip(expected.lines());
    for (found, expected) in pairs {
        assert_eq!(found, expected, "{what}");
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{what}");
}

#[tokio::test(start_paused = true)]
async fn every_operation_goes_on_after_a_crash_at_any_record() {
    let mut gone_on = 0;
    for verb in Verb::ALL {
        let reference = Scene::before(verb).await;
        let reference = reference.clone().with_store(MemoryStore::new());
        reference.must(verb).await;
        let records = reference.store.records();
        calm().await;
        for room in 0..records {
            for fault in [RecordFault::CrashBefore, RecordFault::CrashAfter] {
                let scene = Scene::before(verb).await;
                let before = scene.world();
                let scene = scene.with_store(MemoryStore::new());
                scene.store.fail_after(room, fault);
                let _error = scene.operate(verb).await.expect_err("it died");
                let second = scene.of_another_process();
                let options = RecoverOptions::default().with_forward(true);
                let ends = second.recover_with(&options).await;
                calm().await;
                let what = format!("{verb:?}, {fault:?} at record {room}");
                match &ends[..] {
                    [Ok(Done::Ran(outcome))] => {
                        assert_eq!(outcome.ending, Ending::Committed, "{what}");
                        assert_same(&second, &reference, &what);
                        gone_on += 1;
                    }
                    // Nothing was begun, or nothing but the last word was missing.
                    [] if room == 0 => assert_eq!(second.world(), before, "{what}"),
                    [] => {
                        assert_eq!((room, fault), (records - 1, RecordFault::CrashAfter));
                        assert_same(&second, &reference, &what);
                    }
                    other => panic!("{what}: {other:?}"),
                }
            }
        }
    }
    assert!(gone_on > 100, "only {gone_on} went on");
}

const SCRIPT: &[u8] = b"#!/bin/sh\nexport PASSWORD=hunter2-in-a-recovery\n";

fn deploy_with_user_data() -> Operation {
    Operation::Deploy(DeployOptions::new(DeploySource::Edit {
        image: Some(ImageId::new("ami-0b")),
        user_data: Some(UserData::new(SCRIPT.to_vec())),
    }))
}

/// The digest of the user data that green launches.
fn launched_user_data(world: &World) -> Option<String> {
    let launch = &world.scaling_groups[&green()].launch;
    world.launch_data(launch)?.user_data.clone()
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

#[tokio::test(start_paused = true)]
async fn user_data_survives_a_crash_and_stands_in_no_record_but_the_first() {
    let digest = UserData::new(SCRIPT.to_vec()).sha256().to_owned();
    let sealed = serde_json::to_value(UserData::new(SCRIPT.to_vec())).unwrap();
    let sealed = sealed["sealed"].as_str().expect("it is sealed").to_owned();
    let mut unmade = 0;
    for (room, fault) in (1..9).flat_map(|room| RecordFault::ALL.map(|fault| (room, fault))) {
        let scene = Scene::before(Verb::Deploy).await.with_store(MemoryStore::new());
        scene.store.fail_after(room, fault);
        let end = scene.bluegreen().run(&scene.spec, &deploy_with_user_data()).await;
        let versions = |cloud: &FakeCloud| -> usize {
            cloud.world().templates.values().map(|one| one.versions.len()).sum()
        };
        let is_made = versions(&scene.cloud) > 1;
        let second = scene.of_another_process();
        assert!(end.is_err(), "it has more records than that");
        unmade += usize::from(!is_made);
        let ends = second.recover_with(&RecoverOptions::default().with_forward(true)).await;
        assert!(
            matches!(&ends[..], [Ok(Done::Ran(end))] if end.ending == Ending::Committed),
            "{room}: {ends:?}"
        );
        assert_eq!(launched_user_data(&second.world()), Some(digest.clone()), "{room}");
        for line in second.store.lines().into_values().flatten() {
            assert!(!line.contains("hunter2"), "{line}");
            if !line.contains("\"begun\"") {
                assert!(!line.contains(&sealed) && !line.contains("sealed"), "{line}");
            }
        }
    }
    assert!(unmade >= 4, "only {unmade} had not made their version");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_has_turned_round_does_not_go_on_and_says_so() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    scene.cloud.fault_at_write(2, Fault::Refuse);
    scene.cloud.fault_at_write(3, Fault::Credentials);
    let error = scene.operate(Verb::Deploy).await.expect_err("it was refused");
    assert_eq!(error.kind(), OperationErrorKind::Interrupted, "{error}");
    let second = scene.of_another_process();
    let lines = second.store.lines();
    let ends = second.recover_with(&RecoverOptions::default().with_forward(true)).await;
    let [Err(error)] = &ends[..] else { panic!("it went on: {ends:?}") };
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    assert!(error.to_string().contains("turned round"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("recover")));
    assert_eq!(second.store.lines(), lines);
    assert!(second.recover().await.iter().all(Result::is_ok));
    assert_eq!(scene.world(), before);
}

/// A deploy of a sick version, while somebody else gives green another size.
///
/// Returns the world before, too.
async fn meddled(theirs: Capacity) -> (Scene, World) {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    scene.cloud.break_image(&ImageId::new("ami-0b"));
    let cloud = scene.cloud.clone();
    let meddles = async move {
        while cloud.world().scaling_groups[&green()].capacity == Capacity::ZERO {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        cloud.edit(|world| {
            world.scaling_groups.get_mut(&green()).expect("it is there").capacity = theirs;
        });
    };
    let (end, ()) = tokio::join!(scene.operate(Verb::Deploy), meddles);
    let error = end.expect_err("it never gets healthy");
    assert_eq!(error.kind(), OperationErrorKind::Dirty, "{error}");
    (scene, before)
}

fn stuck_step(scene: &Scene, run: &RunId) -> StepId {
    let lines = scene.store.lines();
    let entries = bluegreen_core::transaction::decode::<
        bluegreen_core::change::CloudChange,
        bluegreen_core::gate::CloudGate,
    >(&lines[run])
    .expect("they are records");
    let mut stuck = entries.into_iter().filter_map(|entry| match entry.record {
        Record::Stuck { step, .. } => Some(step),
        _ => None,
    });
    stuck.next().expect("something is stuck")
}

#[tokio::test(start_paused = true)]
async fn a_skipped_change_of_an_operation_is_left_and_blocks_no_later_run() {
    let theirs = Capacity::new(0, 0, 9);
    let (scene, before) = meddled(theirs).await;
    let run = scene.bluegreen().log().await.unwrap()[0].run.clone();
    let refused = scene.operate(Verb::Deploy).await.expect_err("one is open");
    assert_eq!(refused.kind(), OperationErrorKind::NotStarted);

    let second = scene.of_another_process();
    let step = stuck_step(&scene, &run);
    let not_stuck = RecoverOptions::default().with_skip([StepId(step.0 + 1)]);
    let [Err(error)] = &second.recover_with(&not_stuck).await[..] else { panic!("it is not") };
    assert!(error.to_string().contains("not stuck"), "{error}");
    assert!(matches!(&second.recover().await[..], [Err(_)]), "it is still stuck");

    let options = RecoverOptions::default().with_skip([step]);
    let ends = second.recover_with(&options).await;
    let [Ok(Done::Ran(outcome))] = &ends[..] else { panic!("it ends: {ends:?}") };
    assert_eq!(outcome.ending, Ending::Abandoned);
    let said: Vec<_> = outcome.left[0].differences.iter().map(ToString::to_string).collect();
    assert_eq!((outcome.left.len(), said), (1, vec!["max should be 0, is 9".to_owned()]));
    calm().await;
    let mut expected = before;
    expected.scaling_groups.get_mut(&green()).unwrap().capacity = theirs;
    assert_eq!(second.world(), expected);
    let log = second.bluegreen().log().await.unwrap();
    assert_eq!(log[0].state, RunState::Dirty);
    assert!(!log[0].is_open());

    second.cloud.mend_image(&ImageId::new("ami-0b"));
    second.must(Verb::Deploy).await;
    let launch = &second.world().scaling_groups[&green()].launch;
    assert!(!matches!(
        launch,
        bluegreen_core::model::LaunchSource::Template { version: TemplateVersion::Number(1), .. }
    ));
}
