//! A run under a lock: what keeps it, what ends it, and that nothing is changed after that.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bluegreen_core::operation::{OperationErrorKind, RecoverOptions};
use bluegreen_core::transaction::{
    Ending, RunError, RunErrorKind, Store as _, StoreErrorKind, SystemClock,
};
use bluegreen_testkit::brittle::{Ailment, BrittleStore, StoreCall};
use bluegreen_testkit::clock::UnsteadyClock;
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::Flags;
use bluegreen_testkit::journal::MemoryStore;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::gated::{Play, TERM, Values, break_lock, environment, plan, run_id, set, values, wait};
use crate::stage::{Scene, Verb, calm, on_virtual_time};

use bluegreen_core::transaction::Recovery;

/// A run was stopped for good, and says so.
fn assert_stopped(end: Result<bluegreen_core::transaction::Outcome, RunError>, why: &str) {
    let error = end.expect_err("it was stopped");
    assert_eq!(error.kind(), RunErrorKind::Interrupted, "{error}");
    let said = error.to_string();
    assert!(said.contains("changes nothing any more") && said.contains(why), "{said}");
}

const LOST: &str = "the lock of `flags` was lost";

/// Takes the lock away just before the write of that number, the first being the 0th.
fn break_before_write(flags: &Flags, store: &MemoryStore, nth: usize) {
    let (store, seen) = (store.clone(), Mutex::new(0));
    flags.witness(move |_| {
        let mut seen = seen.lock().expect("nobody panics with it");
        if *seen == nth {
            break_lock(&store);
        }
        *seen += 1;
    });
}

/// Takes the lock away after that time.
fn break_after(store: &MemoryStore, time: Duration) {
    let store = store.clone();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        break_lock(&store);
    });
}

/// Another process finishes what the first one left, by going back.
async fn assert_goes_back(play: &Play, store: &MemoryStore, before: &Values) {
    play.flags.witness(|_| {});
    play.flags.script([]);
    play.flags.script_looks([]);
    let second = Play::new(&play.flags, store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::RolledBack);
    assert_eq!(play.flags.values(), *before);
}

#[tokio::test(start_paused = true)]
async fn a_broken_lock_ends_a_run_at_every_stage() {
    let stages = ["a", "b", "c", "d"];
    for nth in 0..stages.len() - 1 {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        break_before_write(&flags, &store, nth);
        let play = Play::new(&flags, &store);
        let end = play.run(plan(stages.map(set).into())).await;
        assert_stopped(end, LOST);
        // The one whose call was on its way is made, and no other.
        assert_eq!(flags.writes().len(), nth + 1);
        assert_goes_back(&play, &store, &Values::new()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_broken_when_nothing_is_left_to_do_is_no_matter() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    break_before_write(&flags, &store, 1);
    let end = Play::new(&flags, &store).run(plan(vec![set("a"), set("b")])).await;
    assert_eq!(end.expect("everything is in place").ending, Ending::Committed);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_broken_while_a_busy_world_is_looked_at_ends_the_run() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let looks = [Fault::None, Fault::None].into_iter().chain([Fault::Throttle; 8]);
    flags.script_looks(looks);
    break_after(&store, Duration::from_millis(10_137));
    let play = Play::new(&flags, &store);
    assert_stopped(play.run(plan(vec![set("a"), set("b")])).await, LOST);
    assert_eq!(flags.writes().len(), 1);
    assert_goes_back(&play, &store, &Values::new()).await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_lock_ends_the_wait_for_a_gate() {
    for last in [vec![], vec![set("b")]] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        break_after(&store, Duration::from_millis(10_137));
        let play = Play::new(&flags, &store);
        let stages = [vec![set("a"), wait("ready")], last].concat();
        let began = Instant::now();
        assert_stopped(play.run(plan(stages)).await, LOST);
        assert!(began.elapsed() < Duration::from_secs(16), "{:?}", began.elapsed());
        assert_eq!(flags.writes().len(), 1);
        assert_goes_back(&play, &store, &Values::new()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_lock_ends_the_retries_of_a_throttled_call() {
    for earlier in [vec![], vec![set("a")]] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        let made = earlier.len();
        flags.script(vec![Fault::None; made].into_iter().chain([Fault::Throttle; 7]));
        break_after(&store, Duration::from_millis(10_137));
        let play = Play::new(&flags, &store);
        let end = play.run(plan([earlier, vec![set("b"), set("c")]].concat())).await;
        assert_stopped(end, LOST);
        assert_eq!(flags.writes().len(), made);
        assert_goes_back(&play, &store, &Values::new()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_lock_ends_the_way_back() {
    for nth in 3..5 {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([Fault::None, Fault::None, Fault::None, Fault::Refuse]);
        break_before_write(&flags, &store, nth + 1);
        let play = Play::new(&flags, &store);
        let stages = ["a", "b", "c", "d"].map(set).into();
        assert_stopped(play.run(plan(stages)).await, LOST);
        assert_eq!(flags.writes().len(), nth + 1);
        assert_goes_back(&play, &store, &Values::new()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_lock_ends_the_retries_on_the_way_back() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let faults = [Fault::None, Fault::Refuse].into_iter().chain([Fault::Throttle; 8]);
    flags.script(faults);
    break_after(&store, Duration::from_millis(20_137));
    let play = Play::new(&flags, &store);
    assert_stopped(play.run(plan(vec![set("a"), set("b")])).await, LOST);
    assert_eq!(flags.values(), values(&[("a", 1)]));
    assert_goes_back(&play, &store, &Values::new()).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_is_written_once_the_lock_is_broken(
        stages in 1..5usize,
        faults in vec(
            prop_oneof![
                3 => Just(Fault::None),
                1 => Just(Fault::Refuse),
                3 => Just(Fault::Throttle),
                1 => Just(Fault::LoseReply),
                1 => (1..80u64).prop_map(|late| Fault::TimeOut(Duration::from_secs(late))),
                1 => (1..25u64).prop_map(|late| Fault::LandLate(Duration::from_secs(late))),
            ],
            0..16,
        ),
        looks in vec(
            prop_oneof![
                3 => Just(Fault::None),
                2 => Just(Fault::Throttle),
                1 => (1..80u64).prop_map(|late| Fault::TimeOut(Duration::from_secs(late))),
            ],
            0..16,
        ),
        seconds in 0..120u64,
    ) {
        on_virtual_time(async {
            let (flags, store) = (Flags::default(), MemoryStore::new());
            flags.script(faults);
            flags.script_looks(looks);
            // At a moment at which nothing else happens.
            let broken = Instant::now() + Duration::from_millis(seconds * 1000 + 137);
            break_after(&store, broken - Instant::now());
            flags.witness(move |change| {
                assert!(Instant::now() < broken, "{change} is written without a lock");
            });
            let play = Play::new(&flags, &store);
            let stages = ["a", "b", "c", "d"].into_iter().take(stages).map(set).collect();
            let _end = play.run(plan(stages)).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_renewed_for_as_long_as_a_run_takes() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let play = Play::new(&flags, &store);
    let run = tokio::spawn({
        let play = play.clone();
        async move { play.run(plan(vec![set("a"), wait("ready"), set("b")])).await }
    });
    let mut last = None;
    for _ in 0..20 {
        tokio::time::sleep(TERM / 2).await;
        let state = store.lock_state(&environment()).await.unwrap();
        let deadline = state.held.expect("it is held all the time").deadline;
        assert!(deadline > play.clock.now(), "it has run out");
        assert!(last.is_none_or(|last| deadline > last), "it does not move on");
        last = Some(deadline);
    }
    flags.set("ready", Some(1));
    assert!(run.await.unwrap().is_ok());
    assert_nothing_is_left(&store).await;
}

/// The lock is free and nothing runs any more.
async fn assert_nothing_is_left(store: &MemoryStore) {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.lock_state(&environment()).await.expect("memory can be read").held, None);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_run_lets_go_of_its_lock_and_leaves_no_task() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let play = Play::new(&flags, &store);
    let run = play.run(plan(vec![set("a"), wait("ready")]));
    tokio::time::timeout(Duration::from_mins(1), run).await.expect_err("it waits for long");
    assert_nothing_is_left(&store).await;
    assert_goes_back(&play, &store, &Values::new()).await;
}

#[tokio::test(start_paused = true)]
async fn an_operation_leaves_no_lock_and_no_task_however_it_ends() {
    let scene = Scene::before(Verb::Deploy).await;
    let free = async |what: &str| {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.store.lock_state(&scene.spec.name).await.unwrap().held, None, "{what}");
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "{what}");
    };
    let deploy = scene.operate(Verb::Deploy);
    tokio::time::timeout(Duration::from_secs(30), deploy).await.expect_err("it takes longer");
    free("dropped").await;
    assert!(scene.recover().await.iter().all(Result::is_ok));
    free("recovered").await;
    scene.cloud.fault_at_write(0, Fault::Refuse);
    let _error = scene.operate(Verb::Deploy).await.expect_err("it was refused");
    free("rolled back").await;
    scene.must(Verb::Deploy).await;
    free("committed").await;
    let _nothing = scene.operate(Verb::Upgrade).await.expect("there is nothing to do");
    free("nothing to do").await;
}

/// Runs a plan that waits for ten minutes, and tells when it ended.
async fn timed(play: &Play) -> (Duration, Result<bluegreen_core::transaction::Outcome, RunError>) {
    let began = Instant::now();
    let end = play.run(plan(vec![set("a"), wait("ready"), set("b")])).await;
    (began.elapsed(), end)
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_for_a_term_ends_the_run_then_and_not_before() {
    for ailment in [Ailment::Fails, Ailment::Hangs] {
        let (flags, memory) = (Flags::default(), MemoryStore::new());
        let store = BrittleStore::around(memory.clone());
        store.spoil(StoreCall::Renew, ailment, usize::MAX);
        let play = Play::new(&flags, &store);
        let (time, end) = timed(&play).await;
        assert_stopped(end, "could not be renewed for 30 s");
        assert!((TERM..TERM + Duration::from_secs(6)).contains(&time), "{ailment:?}: {time:?}");
        assert_eq!(flags.writes().len(), 1, "{ailment:?}");
        assert_goes_back(&play, &memory, &Values::new()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_counts_from_its_last_renewal() {
    let (flags, store) = (Flags::default(), BrittleStore::around(MemoryStore::new()));
    let play = Play::new(&flags, &store);
    let spoils = async {
        tokio::time::sleep(Duration::from_secs(91)).await;
        store.spoil(StoreCall::Renew, Ailment::Hangs, usize::MAX);
    };
    let ((time, end), ()) = tokio::join!(timed(&play), spoils);
    assert_stopped(end, "could not be renewed for");
    let last = Duration::from_secs(90);
    assert!((last + TERM..last + TERM + Duration::from_secs(6)).contains(&time), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_made_up_for_by_the_next_one() {
    for ailment in [Ailment::Fails, Ailment::Hangs] {
        for times in 1..=2 {
            let (flags, store) = (Flags::default(), BrittleStore::around(MemoryStore::new()));
            store.spoil(StoreCall::Renew, ailment, times);
            let play = Play::new(&flags, &store);
            let ready = async {
                tokio::time::sleep(Duration::from_mins(5)).await;
                flags.set("ready", Some(1));
            };
            let ((time, end), ()) = tokio::join!(timed(&play), ready);
            assert!(end.is_ok(), "{ailment:?} {times}: {end:?}");
            assert!(time >= Duration::from_mins(5));
            assert!(store.count(StoreCall::Renew) > times + 20, "it does not go on");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_say_whether_the_lock_is_held_ends_the_run() {
    for ailment in [Ailment::Fails, Ailment::Hangs] {
        let (flags, memory) = (Flags::default(), MemoryStore::new());
        let store = BrittleStore::around(memory.clone());
        store.spoil(StoreCall::Check, ailment, usize::MAX);
        let play = Play::new(&flags, &store);
        let end = tokio::time::timeout(Duration::from_mins(2), play.run(plan(vec![set("a")])));
        let end = end.await.expect("it does not wait for ever");
        let error = end.expect_err("nothing is known about the lock");
        assert_eq!(error.kind(), RunErrorKind::Interrupted, "{ailment:?}: {error}");
        assert_eq!(flags.writes(), [], "{ailment:?}");
    }
}

/// Lets a run wait for a gate while its clock is moved, and tells how it ended.
async fn with_steps(steps: &[i64], every: Duration) -> Result<Ending, RunError> {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let clock = UnsteadyClock::start();
    let play = Play::new(&flags, &store).with_clock(clock.clone());
    let moves = async {
        for step in steps {
            tokio::time::sleep(every).await;
            clock.step(*step);
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
        flags.set("ready", Some(1));
    };
    let ((_, end), ()) = tokio::join!(timed(&play), moves);
    if end.is_err() {
        assert_eq!(flags.values().get("b"), None, "nothing is changed afterwards");
    }
    end.map(|outcome| outcome.ending)
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_by_more_than_half_a_term_ends_the_run_and_says_by_how_much() {
    let every = Duration::from_secs(17);
    for (step, said) in [(20_000, 20), (3_600_000, 3600), (-20_000, 20), (-3_600_000, 3600)] {
        // That it is set right again does not make up for it.
        for steps in [vec![step], vec![step, -step]] {
            let error = with_steps(&steps, every).await.expect_err("the clock jumped");
            assert_eq!(error.kind(), RunErrorKind::Interrupted);
            let text = error.to_string();
            assert!(text.contains(&format!("jumped by {said} s")), "{step}: {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_right_by_little_ends_nothing() {
    let steps = [500, -500, 900, -900, 14_000, -14_000, 250, 250, 250];
    for every in [1, 7, 13] {
        let end = with_steps(&steps, Duration::from_secs(every)).await;
        assert_eq!(end.expect("nothing happened"), Ending::Committed);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_term_is_the_farthest_that_a_clock_may_jump() {
    let every = Duration::from_secs(17);
    for step in [15_000, -15_000] {
        let end = with_steps(&[step], every).await;
        assert_eq!(end.expect("it is not too far"), Ending::Committed, "{step}");
        let error = with_steps(&[step + step.signum()], every).await.expect_err("it is too far");
        assert_eq!(error.kind(), RunErrorKind::Interrupted, "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_lags_ends_nothing() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let play = Play::new(&flags, &store).with_clock(SystemClock);
    let ready = async {
        tokio::time::sleep(Duration::from_mins(9)).await;
        flags.set("ready", Some(1));
    };
    let ((_, end), ()) = tokio::join!(timed(&play), ready);
    assert!(end.is_ok(), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_over_shuts_the_first_one_out_of_its_journal() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let first = Play::new(&flags, &store);
    let run = tokio::spawn({
        let first = first.clone();
        async move { first.run(plan(vec![set("a"), wait("ready"), set("b")])).await }
    });
    tokio::time::sleep(Duration::from_secs(12)).await;
    break_lock(&store);
    // Faster than the first one can look at its lock again.
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::RolledBack);
    let lines = store.lines();
    assert_stopped(run.await.unwrap(), LOST);
    assert_eq!(store.lines(), lines, "the first one wrote a record");
    assert_eq!(flags.values(), Values::new());
}

#[tokio::test(start_paused = true)]
async fn not_even_a_record_can_be_written_by_a_run_that_was_taken_over() {
    // Without asking for its lock: the journal itself refuses.
    let store = MemoryStore::new();
    let mut first = store.create(&run_id()).await.unwrap();
    first.append(&["one".to_owned()]).await.unwrap();
    let (lines, mut second) = store.open(&run_id()).await.unwrap();
    assert_eq!(lines, ["one"]);
    let error = first.append(&["two".to_owned()]).await.expect_err("it was taken over");
    assert_eq!(*error.kind(), StoreErrorKind::Fenced);
    second.append(&["three".to_owned()]).await.unwrap();
    assert_eq!(store.read(&run_id()).await.unwrap(), ["one", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_taken_over_when_only_its_commit_was_missing_says_nothing_of_a_commit() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    let taken = Arc::new(Mutex::new(None));
    let (by, of, slot) = (store.clone(), flags.clone(), Arc::clone(&taken));
    flags.witness(move |_| {
        break_lock(&by);
        let (by, of) = (by.clone(), of.clone());
        let recovery =
            tokio::spawn(
                async move { Play::new(&of, &by).recovered(Recovery::by("second")).await },
            );
        *slot.lock().unwrap() = Some(recovery);
    });
    // It is seen only after the other one has looked.
    flags.script_looks([Fault::None, Fault::TimeOut(Duration::from_secs(1))]);
    let end = Play::new(&flags, &store).run(plan(vec![set("a")])).await;
    let error = end.expect_err("it was taken over");
    assert_eq!(error.kind(), RunErrorKind::Interrupted, "{error}");
    let recovery = taken.lock().unwrap().take().expect("somebody took over");
    flags.witness(|_| {});
    let ending = recovery.await.expect("it recovers");
    let expected = if ending == Ending::Committed { values(&[("a", 1)]) } else { Values::new() };
    assert_eq!(flags.values(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_operation_whose_lock_is_broken_stops_and_is_finished_by_another_process() {
    let mut stopped = 0;
    for verb in Verb::ALL {
        let reference = Scene::before(verb).await;
        reference.must(verb).await;
        let calls = reference.cloud.calls();
        let from = calls.iter().position(|call| call.mutating).expect("it changes something");
        for nth in from..calls.len() {
            let scene = Scene::before(verb).await;
            let before = scene.world();
            let (store, name) = (scene.store.clone(), scene.spec.name.clone());
            scene.cloud.before_call(nth, move |cloud| {
                use bluegreen_core::transaction::Clock as _;
                use futures_util::FutureExt as _;
                let broken = store.break_lock(&name, "an operator", cloud.now()).now_or_never();
                let _holder = broken.expect("it waits for nothing").expect("it does not fail");
            });
            let what = format!("{verb:?}, call {nth}");
            let Err(error) = scene.operate(verb).await else { continue };
            assert_eq!(error.kind(), OperationErrorKind::Interrupted, "{what}: {error}");
            let writes = scene.cloud.calls().iter().filter(|call| call.mutating).count();
            let other = scene.of_another_process();
            let ends = other.recover_with(&RecoverOptions::default()).await;
            assert!(matches!(&ends[..], [Ok(_)]), "{what}: {ends:?}");
            calm().await;
            assert_eq!(scene.world(), before, "{what}");
            assert!(writes > 0, "{what}");
            stopped += 1;
        }
    }
    assert!(stopped > 40, "only {stopped} were stopped");
}
