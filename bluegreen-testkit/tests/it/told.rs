//! What a run tells those who watch it, and how far its changes are apart.

use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::transaction::{EventKind, RunErrorKind};
use bluegreen_testkit::event_log::EventLog;
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::{FlagChange, Flags};
use bluegreen_testkit::journal::MemoryStore;

use crate::gated::{GatedEngine, GatedStage, Play, plan, set, sets, values, wait};

fn told(events: &EventLog) -> Vec<String> {
    events.events().into_iter().map(|event| text(event.event)).collect()
}

fn text(event: EventKind) -> String {
    match event {
        EventKind::Begun { operation, environment, changes } => {
            format!("{operation} of {environment}, {changes} changes")
        }
        EventKind::StageBegun { title, changes } => format!("{title} begins, {changes} changes"),
        EventKind::ChangeBegun { step, change } => format!("{step} begins, {change}"),
        EventKind::ChangeDone { step, change } => format!("{step} is made, {change}"),
        EventKind::ChangeFailed { step, error, .. } => format!("{step} fails, {error}"),
        EventKind::StageDone { title, skew } => format!("{title} is done, {skew:?} apart"),
        EventKind::GatePassed { step, gate, .. } => format!("{step} holds, {gate}"),
        EventKind::Unwinding { changes, .. } => format!("back, {changes} changes"),
        EventKind::Undone { step, .. } => format!("{step} is undone"),
        EventKind::Verifying { settle } => format!("looks again after {settle:?}"),
        EventKind::Ended { ending } => format!("ends {ending}"),
        other => panic!("{other:?} is not expected"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_of_every_stage_and_change_and_how_far_they_are_apart() {
    let one = |flag: &str| FlagChange::new(flag, None, Some(1));
    let stages = vec![
        GatedStage::changes("both", vec![one("a"), one("b")]),
        wait("ready"),
        GatedStage::changes("last", vec![one("c")]),
    ];
    let (flags, store) = (Flags::new(values(&[("ready", 1)])), MemoryStore::new());
    // The second one has to be tried again, after a quarter of a second.
    flags.script([Fault::None, Fault::Throttle]);
    let events = EventLog::new();
    let play = Play::new(&flags, &store).with_sink(events.clone());
    let outcome = play.run(plan(stages)).await.expect("nothing is wrong");
    assert_eq!(outcome.skew, Duration::from_millis(250), "the longest of all stages");
    assert_eq!(
        told(&events),
        [
            "test of flags, 3 changes",
            "both begins, 2 changes",
            "1 begins, a: None → Some(1)",
            "2 begins, b: None → Some(1)",
            "1 is made, a: None → Some(1)",
            "2 is made, b: None → Some(1)",
            "both is done, 250ms apart",
            "3 holds, flag `ready` is Some(1)",
            "last begins, 1 changes",
            "4 begins, c: None → Some(1)",
            "4 is made, c: None → Some(1)",
            "last is done, 0ns apart",
            "ends committed",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_turns_round_tells_how_many_changes_it_has_begun() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    flags.script([Fault::None, Fault::None, Fault::Refuse]);
    let events = EventLog::new();
    let play = Play::new(&flags, &store).with_sink(events.clone());
    let stages = vec![set("a"), sets(&["b", "c"]), set("d")];
    let error = play.run(plan(stages)).await.expect_err("one was refused");
    assert_eq!(error.kind(), RunErrorKind::RolledBack);
    let told = told(&events);
    let turn = told.iter().position(|text| text.starts_with("back")).expect("it turns round");
    assert_eq!(
        told[turn..],
        [
            "back, 3 changes",
            "2 is undone",
            "3 is undone",
            "1 is undone",
            "looks again after 0ns",
            "ends rolled-back",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_turns_round_before_it_has_begun_anything_tells_of_no_way_back() {
    // Somebody else was there before it.
    let (flags, store) = (Flags::new(values(&[("a", 7)])), MemoryStore::new());
    let events = EventLog::new();
    let play = Play::new(&flags, &store).with_sink(events.clone());
    let error = play.run(plan(vec![set("a")])).await.expect_err("it is not as planned");
    assert_eq!(error.kind(), RunErrorKind::NotStarted);
    assert!(error.cause().contains("`a` is not as the plan found it"), "{error}");
    assert_eq!(error.cause(), error.to_string());
    assert_eq!(told(&events), ["test of flags, 1 changes", "ends rolled-back"]);
}

#[test]
fn an_engine_shows_its_policy() {
    let engine = GatedEngine::new(Arc::new(Flags::default()));
    let shown = format!("{engine:?}");
    assert!(shown.starts_with("Engine { policy: Policy {"), "{shown}");
}
