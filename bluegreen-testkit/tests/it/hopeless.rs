//! Expired credentials, and other errors after which every call would fail alike.

use std::time::Duration;

use bluegreen_core::transaction::{
    Ending, Event, EventKind, EventSink, Record, Recovery, RunErrorKind,
};
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::{Flags, GatedPlan};
use bluegreen_testkit::journal::MemoryStore;
use tokio::time::Instant;

use crate::gated::{Play, Values, plan, set, values, wait, written};

fn two() -> GatedPlan {
    plan(vec![set("a"), set("b")])
}

fn nothing(count: usize) -> Vec<Fault> {
    vec![Fault::None; count]
}

fn has_turned(store: &MemoryStore) -> bool {
    written(store).iter().any(|record| matches!(record, Record::Unwinding { .. }))
}

async fn assert_goes_back(flags: &Flags, store: &MemoryStore) {
    let second = Play::new(flags, store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::RolledBack);
    assert_eq!(flags.values(), Values::new());
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_look_before_anything_is_begun_ends_a_run_that_was_not_started() {
    for stages in [vec![set("a")], vec![wait("ready"), set("a")]] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script_looks([Fault::Credentials]);
        let began = Instant::now();
        let error = Play::new(&flags, &store).run(plan(stages)).await.expect_err("it is hopeless");
        assert_eq!(error.kind(), RunErrorKind::NotStarted, "{error}");
        assert_eq!(began.elapsed(), Duration::ZERO, "it looked again");
        assert_eq!(flags.writes(), []);
        assert_eq!(written(&store).last(), Some(&Record::RolledBack));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_look_once_something_is_begun_leaves_the_run_where_it_is() {
    // Before the second stage, or at a gate before it.
    for stages in [vec![set("a"), set("b")], vec![set("a"), wait("ready"), set("b")]] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script_looks([nothing(2), vec![Fault::Credentials]].concat());
        let began = Instant::now();
        let error = Play::new(&flags, &store).run(plan(stages)).await.expect_err("it is hopeless");
        assert_eq!(error.kind(), RunErrorKind::Interrupted, "{error}");
        assert_eq!(began.elapsed(), Duration::ZERO, "it looked again");
        assert_eq!(flags.values(), values(&[("a", 1)]));
        assert!(!has_turned(&store));
        assert_goes_back(&flags, &store).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_refused_for_good_turns_a_run_round_that_has_begun() {
    let (flags, store) = (Flags::default(), MemoryStore::new());
    // For as long as a stage is looked at before it.
    flags.script_looks([nothing(2), vec![Fault::Refuse; 7]].concat());
    let error = Play::new(&flags, &store).run(two()).await.expect_err("it cannot be seen");
    assert_eq!(error.kind(), RunErrorKind::RolledBack, "{error}");
    assert_eq!(flags.values(), Values::new());
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_change_leaves_the_run_where_it_is() {
    for made in 0..2 {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([nothing(made), vec![Fault::Credentials]].concat());
        let error = Play::new(&flags, &store).run(two()).await.expect_err("it is hopeless");
        assert_eq!(error.kind(), RunErrorKind::Interrupted, "{error}");
        assert_eq!(flags.writes().len(), made);
        assert!(matches!(written(&store).last(), Some(Record::Failed { in_doubt: false, .. })));
        assert_goes_back(&flags, &store).await;
    }
}

/// Lets the next look fail when the run gets somewhere.
#[derive(Debug)]
struct Spoiler {
    flags: Flags,
    is_there: fn(&EventKind) -> bool,
    faults: Vec<Fault>,
}

impl EventSink for Spoiler {
    fn emit(&self, event: &Event) {
        if (self.is_there)(&event.event) {
            self.flags.script_looks(self.faults.clone());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_look_on_the_way_back_leaves_the_run_where_it_is() {
    let turns: fn(&EventKind) -> bool = |event| matches!(event, EventKind::Unwinding { .. });
    let is_looked_at_last: fn(&EventKind) -> bool =
        |event| matches!(event, EventKind::Verifying { .. });
    for (is_there, left) in [(turns, values(&[("a", 1)])), (is_looked_at_last, Values::new())] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([Fault::None, Fault::Refuse]);
        let spoiler = Spoiler { flags: flags.clone(), is_there, faults: vec![Fault::Credentials] };
        let play = Play::new(&flags, &store).with_sink(spoiler);
        let error = play.run(two()).await.expect_err("it is hopeless");
        assert_eq!(error.kind(), RunErrorKind::Interrupted, "{error}");
        assert_eq!(flags.values(), left);
        assert!(has_turned(&store));
        assert_goes_back(&flags, &store).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_last_look_that_is_refused_for_good_leaves_it_stuck_and_one_that_passes_does_not() {
    let is_looked_at_last: fn(&EventKind) -> bool =
        |event| matches!(event, EventKind::Verifying { .. });
    for (times, kind) in [(1, RunErrorKind::RolledBack), (7, RunErrorKind::Dirty)] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([Fault::None, Fault::Refuse]);
        let faults = vec![Fault::Refuse; times];
        let spoiler = Spoiler { flags: flags.clone(), is_there: is_looked_at_last, faults };
        let error = Play::new(&flags, &store).with_sink(spoiler).run(two()).await;
        let error = error.expect_err("one was refused");
        assert_eq!(error.kind(), kind, "{times}: {error}");
        let left = error.left().iter().map(|left| left.reason.as_str());
        let unseen = left.filter(|reason| reason.starts_with("it could not be looked at: "));
        assert_eq!(unseen.count() > 0, kind == RunErrorKind::Dirty, "{error:?}");
    }
}
