//! Which records may follow which, and what a ledger makes of them.

use std::collections::BTreeSet;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{
    Change as _, DecodeError, Ending, Entry, Header, Next, Record, StepId, decode, encode,
};
use bluegreen_testkit::flags::{FlagChange, FlagGate, GatedPlan};

use crate::gated::{GatedLedger, GatedRecord, environment, plan, run_id, set, sets, wait};

/// A change, a gate, and two changes of one stage: the steps 1 to 4.
fn two_ways() -> GatedPlan {
    plan(vec![set("a"), wait("ready"), sets(&["b", "c"])])
}

/// A change that cannot be undone, a gate, and another change: the steps 1 to 3.
fn one_way() -> GatedPlan {
    plan(vec![set("gone!"), wait("ready"), set("b")])
}

fn header(plan: &GatedPlan) -> Header<FlagChange, FlagGate> {
    Header::new(run_id(), "test", environment(), "somebody", plan.clone())
}

/// Reads a record such as `applied 3`; `failed` was refused, and what was `lost` may still land.
fn record(plan: &GatedPlan, text: &str) -> GatedRecord {
    let (name, about) = text.split_once(' ').unwrap_or((text, ""));
    let step = StepId(about.parse().unwrap_or_default());
    let error = "it failed".to_owned();
    match name {
        "begun" => Record::Begun(Box::new(header(plan))),
        "intended" => {
            let planned = plan.changes().find_map(|(id, change)| (id == step).then_some(change));
            let change = planned.or(plan.changes().next().map(|(_, change)| change));
            let change = change.expect("there is one").clone();
            Record::Intended { step, inverse: change.inverse(), change }
        }
        "applied" => Record::Applied { step },
        "failed" => Record::Failed { step, error, in_doubt: false },
        "lost" => Record::Failed { step, error, in_doubt: true },
        "passed" => Record::Passed { step },
        "unwinding" => Record::Unwinding { cause: "a whim".to_owned(), asked: true },
        "undone" => Record::Undone { step, remade: false },
        "resurfaced" => Record::Resurfaced { step },
        "stuck" => Record::Stuck { step, reason: error, differences: Vec::new() },
        "skipped" => Record::Skipped { step, actor: "somebody".to_owned() },
        "resumed" => Record::Resumed { actor: "second".to_owned(), forward: about == "forward" },
        "committed" => Record::Committed,
        "rolled_back" => Record::RolledBack,
        "abandoned" => Record::Abandoned,
        other => panic!("{other} is no record"),
    }
}

fn words(texts: &str) -> impl Iterator<Item = &str> {
    texts.split(", ").filter(|text| !text.is_empty())
}

/// Folds records such as `intended 1, applied 1`.
fn ledger(plan: &GatedPlan, history: &str) -> GatedLedger {
    let first = [record(plan, "begun")];
    let records = first.into_iter().chain(words(history).map(|text| record(plan, text)));
    GatedLedger::replay(records).unwrap_or_else(|error| panic!("{history}: {error}"))
}

fn every_record(plan: &GatedPlan) -> Vec<String> {
    let of_steps =
        ["intended", "applied", "failed", "lost", "passed", "undone", "resurfaced", "stuck"];
    let steps = u32::try_from(plan.steps().count()).expect("there are few") + 1;
    let of_steps = of_steps.into_iter().chain(["skipped"]);
    let others = "begun, unwinding, resumed, resumed forward, committed, rolled_back, abandoned";
    of_steps
        .flat_map(|name| (0..=steps).map(move |step| format!("{name} {step}")))
        .chain(words(others).map(ToOwned::to_owned))
        .collect()
}

/// Checks that `followers` may follow `history`, and nothing else.
fn assert_followers(plan: &GatedPlan, history: &str, followers: &str) {
    let ledger = ledger(plan, history);
    let mut found = BTreeSet::new();
    for text in every_record(plan) {
        let is_back = ledger.cause().is_some();
        if is_back && (text == "undone 2" || text == "stuck 2") {
            // The engine never writes these of a gate, and nothing is said of them.
            continue;
        }
        match ledger.clone().fold(&record(plan, &text)) {
            Ok(()) => drop(found.insert(text)),
            Err(error) => {
                let name = text.replace("lost", "failed").replace(" forward", "");
                let said = format!("the record `{name}` cannot follow the ones before it");
                assert_eq!(error.to_string(), said);
            }
        }
    }
    let expected: BTreeSet<String> = words(followers).map(ToOwned::to_owned).collect();
    assert_eq!(found, expected, "after {history}");
}

#[test]
fn nothing_but_what_is_next_follows_on_the_way_forward() {
    let end = "intended 1, applied 1, passed 2, intended 3, applied 3, intended 4, applied 4";
    for (history, followers) in [
        ("", "intended 1"),
        ("intended 1", "applied 1, failed 1, lost 1"),
        ("intended 1, failed 1", "applied 1, failed 1, lost 1"),
        ("intended 1, applied 1", "passed 2"),
        ("intended 1, applied 1, passed 2", "intended 3, intended 4"),
        ("intended 1, applied 1, passed 2, resumed forward", "passed 2"),
        ("intended 1, applied 1, passed 2, intended 3", "intended 4, applied 3, failed 3, lost 3"),
        ("intended 1, applied 1, passed 2, intended 3, applied 3", "intended 4"),
        (end, "committed"),
    ] {
        let followers = format!("{followers}, unwinding, resumed, resumed forward");
        assert_followers(&two_ways(), history, &followers);
    }
}

#[test]
fn on_the_way_back_a_change_is_undone_or_stuck_and_only_what_is_stuck_is_skipped() {
    let turned = "intended 1, applied 1, passed 2, intended 3, intended 4, applied 4, unwinding";
    for (history, followers) in [
        ("", "undone 1, undone 3, undone 4, stuck 1, stuck 3, stuck 4"),
        ("undone 3, undone 4", "undone 1, stuck 1, stuck 3, stuck 4, resurfaced 3, resurfaced 4"),
        ("undone 3, resurfaced 3", "undone 1, undone 3, undone 4, stuck 1, stuck 3, stuck 4"),
        (
            "undone 4, undone 3, undone 1",
            "rolled_back, stuck 1, stuck 3, stuck 4, resurfaced 1, resurfaced 3, resurfaced 4",
        ),
        ("stuck 3", "undone 1, undone 3, undone 4, stuck 1, stuck 4, skipped 3"),
        ("stuck 3, resumed", "undone 1, undone 3, undone 4, stuck 1, stuck 3, stuck 4, skipped 3"),
        ("stuck 3, skipped 3", "undone 1, undone 4, stuck 1, stuck 4"),
        (
            "stuck 3, skipped 3, undone 4, undone 1",
            "abandoned, stuck 1, stuck 4, resurfaced 1, resurfaced 4",
        ),
    ] {
        let history = format!("{turned}, {history}");
        assert_followers(&two_ways(), &history, &format!("{followers}, resumed"));
    }
    assert_followers(&two_ways(), "unwinding", "rolled_back, resumed");
}

#[test]
fn nothing_follows_an_ending() {
    for history in [
        "intended 1, applied 1, passed 2, intended 3, intended 4, applied 3, applied 4, committed",
        "unwinding, rolled_back",
        "intended 1, unwinding, stuck 1, skipped 1, abandoned",
    ] {
        assert_followers(&two_ways(), history, "");
    }
}

#[test]
fn past_the_point_of_no_return_a_step_is_stuck_and_nothing_turns_round_or_is_skipped() {
    let forth = "resumed, resumed forward";
    assert_followers(&one_way(), "", &format!("intended 1, unwinding, {forth}"));
    let begun = "applied 1, failed 1, lost 1, stuck 1, stuck 2, stuck 3";
    for (history, followers) in [
        ("", begun),
        ("stuck 1", "stuck 2, stuck 3"),
        ("stuck 1, resumed", begun),
        ("applied 1, stuck 2", "stuck 3"),
        ("applied 1, stuck 2, resumed", "passed 2, stuck 2, stuck 3"),
        ("applied 1, passed 2, stuck 3", ""),
        ("applied 1, passed 2, stuck 3, resumed", "passed 2, stuck 2, stuck 3"),
        ("applied 1, passed 2, stuck 3, resumed, passed 2", "intended 3, stuck 3"),
        (
            "applied 1, passed 2, intended 3, stuck 3, resumed, passed 2",
            "applied 3, failed 3, lost 3, stuck 3",
        ),
        ("applied 1, passed 2, intended 3, applied 3", "committed"),
    ] {
        let history = format!("intended 1, {history}");
        assert_followers(&one_way(), &history, &format!("{followers}, {forth}"));
    }
}

#[test]
fn a_change_is_begun_as_it_was_planned_or_not_at_all() {
    let plan = two_ways();
    let planned = FlagChange::new("a", None, Some(1));
    let other = FlagChange::new("a", None, Some(2));
    for (change, inverse, is_legal) in [
        (&planned, planned.inverse(), true),
        (&other, other.inverse(), false),
        (&planned, other.inverse(), false),
        (&planned, planned.clone(), false),
    ] {
        let record = Record::Intended { step: StepId(1), change: change.clone(), inverse };
        assert_eq!(ledger(&plan, "").fold(&record).is_ok(), is_legal, "{record:?}");
    }
}

#[test]
fn a_gate_is_never_skipped() {
    let mut ledger = ledger(&two_ways(), "intended 1, applied 1, passed 2, unwinding");
    let _whatever = ledger.fold(&record(&two_ways(), "stuck 2"));
    assert!(!ledger.may_skip(StepId(2)));
    assert!(ledger.fold(&record(&two_ways(), "skipped 2")).is_err());
}

#[test]
fn a_call_is_in_doubt_from_its_intent_until_it_is_seen_or_refused() {
    let in_doubt = |plan: &GatedPlan, history| ledger(plan, history).is_in_doubt(StepId(1));
    for (history, is_in_doubt) in [
        ("", false),
        ("intended 1", true),
        ("intended 1, applied 1", false),
        ("intended 1, failed 1", false),
        ("intended 1, lost 1", true),
        ("intended 1, failed 1, lost 1", true),
        ("intended 1, lost 1, failed 1", false),
        ("intended 1, failed 1, resumed", false),
        ("intended 1, failed 1, resumed forward", true),
        ("intended 1, unwinding", true),
        ("intended 1, failed 1, unwinding", false),
        ("intended 1, unwinding, stuck 1", false),
        ("intended 1, unwinding, undone 1", false),
        ("intended 1, unwinding, undone 1, resurfaced 1", true),
    ] {
        assert_eq!(in_doubt(&two_ways(), history), is_in_doubt, "{history}");
    }
    assert!(!in_doubt(&one_way(), "intended 1, failed 1"));
    assert!(in_doubt(&one_way(), "intended 1, failed 1, stuck 1, resumed"), "it is made again");
}

#[test]
fn what_is_next_follows_from_the_records_alone() {
    let steps = |steps: &[u32]| steps.iter().copied().map(StepId).collect::<Vec<_>>();
    let turned = "intended 1, applied 1, passed 2, intended 3, intended 4, unwinding";
    for (history, next) in [
        ("", Next::Apply(steps(&[1]))),
        ("intended 1, applied 1", Next::Await(StepId(2))),
        ("intended 1, applied 1, passed 2", Next::Apply(steps(&[3, 4]))),
        (
            "intended 1, applied 1, passed 2, intended 3, intended 4, applied 3",
            Next::Apply(steps(&[4])),
        ),
        (turned, Next::Undo(steps(&[3, 4]))),
        (&format!("{turned}, stuck 3"), Next::Undo(steps(&[4]))),
        (&format!("{turned}, stuck 3, undone 4"), Next::Stuck(steps(&[3]))),
        (&format!("{turned}, stuck 4, stuck 3"), Next::Stuck(steps(&[3, 4]))),
        (&format!("{turned}, stuck 3, undone 4, resumed"), Next::Undo(steps(&[3]))),
        (&format!("{turned}, undone 3, undone 4"), Next::Undo(steps(&[1]))),
        (&format!("{turned}, undone 3, undone 4, undone 1"), Next::RollBack),
        (&format!("{turned}, stuck 3, skipped 3, undone 4, undone 1"), Next::Abandon),
        ("unwinding, rolled_back", Next::Done(Ending::RolledBack)),
    ] {
        assert_eq!(ledger(&two_ways(), history).next(), next, "{history}");
    }
}

#[test]
fn only_a_way_back_is_ever_resumed() {
    for (history, is_resumed) in [
        ("", false),
        ("intended 1, resumed forward, resumed forward", false),
        ("intended 1, resumed, unwinding", false),
        ("intended 1, unwinding", false),
        ("intended 1, unwinding, resumed", true),
        ("intended 1, unwinding, resumed, resumed", true),
    ] {
        assert_eq!(ledger(&two_ways(), history).was_resumed(), is_resumed, "{history}");
    }
}

#[test]
fn a_record_that_does_not_read_as_one_is_counted_from_the_first() {
    let entry = |text| Entry { at: Timestamp::from_millis(0), record: record(&two_ways(), text) };
    let lines: Vec<String> =
        ["begun", "intended 1", "applied 1", "passed 2"].map(entry).iter().map(encode).collect();
    for broken in 0..lines.len() {
        let mut lines = lines.clone();
        lines[broken].pop();
        let error = decode::<FlagChange, FlagGate>(&lines).expect_err("one lacks its end");
        assert!(matches!(error, DecodeError::Malformed { .. }));
        let said = format!("record {} of the journal does not read as one", broken + 1);
        assert_eq!(error.to_string(), said);
    }
}
