//! How long a way back waits, how often it writes, and what comes up again on it.

use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{
    Backoff, Event, EventKind, Policy, Record, RunErrorKind, StepId,
};
use bluegreen_testkit::event_log::EventLog;
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::{FlagChange, Flags};
use bluegreen_testkit::journal::MemoryStore;

use crate::gated::{GatedStage, Play, Values, plan, set, written};
use crate::stage::calm;

const REREAD: Duration = Duration::from_secs(20);
const SETTLE: Duration = Duration::from_secs(30);

/// Looks every ten seconds: at the very moments at which patience ends.
fn even(flags: &Flags, store: &MemoryStore) -> Play {
    let ten = Duration::from_secs(10);
    let backoff = Backoff { first: ten, longest: ten };
    let policy = Policy { reread: REREAD, settle: SETTLE, backoff, ..Policy::default() };
    Play { policy, ..Play::new(flags, store) }
}

fn time_of(events: &[Event], is_it: impl Fn(&EventKind) -> bool) -> Timestamp {
    events.iter().find(|event| is_it(&event.event)).expect("it is told").at
}

#[tokio::test(start_paused = true)]
async fn a_call_is_waited_for_as_long_as_it_may_land_and_a_refused_one_as_reads_may_lag() {
    for (fault, waits) in
        [(Fault::TimeOut(Duration::from_secs(1)), SETTLE), (Fault::Refuse, REREAD)]
    {
        let (flags, store, events) = (Flags::default(), MemoryStore::new(), EventLog::new());
        flags.script([fault]);
        let play = even(&flags, &store).with_sink(events.clone());
        let error = play.run(plan(vec![set("a")])).await.expect_err("it is not made");
        assert_eq!(error.kind(), RunErrorKind::RolledBack, "{error}");
        let events = events.events();
        let turned = time_of(&events, |event| matches!(event, EventKind::Unwinding { .. }));
        let undone = time_of(&events, |event| matches!(event, EventKind::Undone { .. }));
        assert_eq!(undone.since(turned), waits, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_inverse_that_does_not_show_is_written_again_when_reads_cannot_lag_any_more() {
    for (lags, times) in [(5, 1), (15, 1), (25, 2)] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([Fault::None, Fault::Refuse, Fault::StaleRead(Duration::from_secs(lags))]);
        let end = even(&flags, &store).run(plan(vec![set("a"), set("b")])).await;
        assert_eq!(end.expect_err("it was refused").kind(), RunErrorKind::RolledBack);
        let back = FlagChange::new("a", Some(1), None);
        let writes = flags.writes();
        assert_eq!(writes.iter().filter(|write| **write == back).count(), times, "{lags} s");
    }
}

#[tokio::test(start_paused = true)]
async fn an_inverse_that_is_refused_is_tried_three_times_and_for_as_long_as_reads_may_lag() {
    for (seconds, gives_up) in [(10, 30), (1, 20)] {
        let (flags, store, events) = (Flags::default(), MemoryStore::new(), EventLog::new());
        flags.script([Fault::None, Fault::Refuse].into_iter().chain([Fault::Refuse; 99]));
        let pause = Duration::from_secs(seconds);
        let mut play = even(&flags, &store).with_sink(events.clone());
        play.policy.backoff = Backoff { first: pause, longest: pause };
        let error = play.run(plan(vec![set("a"), set("b")])).await.expect_err("it was refused");
        assert_eq!(error.kind(), RunErrorKind::Dirty, "{error}");
        let events = events.events();
        let first = time_of(&events, |event| matches!(event, EventKind::UndoRetried { .. }));
        let stuck = time_of(&events, |event| matches!(event, EventKind::UndoStuck { .. }));
        assert_eq!(stuck.since(first).as_secs(), gives_up, "every {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_last_look_that_finds_everything_as_before_is_the_last() {
    let (flags, store, events) = (Flags::default(), MemoryStore::new(), EventLog::new());
    flags.script([Fault::None, Fault::Refuse]);
    let play = even(&flags, &store).with_sink(events.clone());
    let _error = play.run(plan(vec![set("a"), set("b")])).await.expect_err("it was refused");
    let events = events.events();
    let looks = time_of(&events, |event| matches!(event, EventKind::Verifying { .. }));
    let ends = time_of(&events, |event| matches!(event, EventKind::Ended { .. }));
    assert_eq!(ends, looks);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_lands_later_than_any_may_is_taken_back_as_soon_as_it_is_seen() {
    let stages = [(None, Some(1)), (Some(1), Some(2))]
        .map(|(old, new)| GatedStage::changes("set", vec![FlagChange::new("a", old, new)]));
    let plan = plan(stages.into());
    let late = Fault::LandLate(Duration::from_secs(50));
    // While the first change is taken back, in vain at first; or after that, before the last look.
    for on_the_way in [vec![Fault::Throttle; 7], vec![Fault::LoseReply]] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([vec![Fault::None, late], on_the_way.clone()].concat());
        let error = Play::new(&flags, &store).run(plan.clone()).await.expect_err("it is not made");
        assert_eq!(error.kind(), RunErrorKind::RolledBack, "{on_the_way:?}: {error}");
        let back: Vec<(&str, u32)> = written(&store)
            .iter()
            .filter_map(|record| match record {
                Record::Resurfaced { step: StepId(step) } => Some(("resurfaced", *step)),
                Record::Undone { step: StepId(step), .. } => Some(("undone", *step)),
                _ => None,
            })
            .collect();
        let resurfaced = back.iter().position(|one| *one == ("resurfaced", 2));
        let resurfaced = resurfaced.unwrap_or_else(|| panic!("{on_the_way:?}: {back:?}"));
        assert!(back[..resurfaced].contains(&("undone", 2)), "{back:?}");
        assert!(back[resurfaced..].contains(&("undone", 2)), "{back:?}");
        calm().await;
        assert_eq!(flags.values(), Values::new(), "{on_the_way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_seems_to_be_somebody_elses_is_looked_at_for_as_long_as_reads_may_lag() {
    // The second change was refused, and seems to be gone for as long as reads may lag; only then
    // is the first one looked at.
    for (lags, kind) in [(15, RunErrorKind::RolledBack), (25, RunErrorKind::Dirty)] {
        let (flags, store) = (Flags::default(), MemoryStore::new());
        flags.script([Fault::None, Fault::Refuse]);
        flags.meddle_after(1, "a", 7);
        let after = flags.clone();
        let shown = tokio::spawn(async move {
            tokio::time::sleep(REREAD + Duration::from_secs(lags)).await;
            after.set("a", Some(1));
        });
        let end = even(&flags, &store).run(plan(vec![set("a"), set("b")])).await;
        assert_eq!(end.expect_err("it was refused").kind(), kind, "for {lags} s");
        shown.await.expect("it does not panic");
    }
}
