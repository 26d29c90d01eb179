//! Which lists of stages are plans.

use bluegreen_core::transaction::PlanError;
use bluegreen_testkit::flags::{FlagChange, GatedPlan};

use crate::gated::{GatedStage, plan, set, sets, wait};

fn change(flag: &str, before: i64, after: i64) -> FlagChange {
    FlagChange::new(flag, Some(before), Some(after))
}

fn stage(changes: &[FlagChange]) -> GatedStage {
    GatedStage::changes("some", changes.to_vec())
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    for stages in [
        vec![stage(&[change("a", 1, 1)])],
        vec![set("b"), wait("b"), stage(&[change("c", 1, 2), change("a", 1, 1)])],
    ] {
        assert_eq!(GatedPlan::new(stages), Err(PlanError::NoOp("a".to_owned())));
    }
}

#[test]
fn two_changes_of_one_thing_in_one_stage_are_refused() {
    let again = stage(&[change("b", 0, 1), change("a", 0, 1), change("a", 1, 2)]);
    for stages in [
        vec![again.clone()],
        vec![stage(&[FlagChange::new("a", None, Some(0))]), again],
        vec![stage(&[change("a", 0, 1), change("b", 0, 1), change("a", 0, 1)])],
    ] {
        assert_eq!(GatedPlan::new(stages), Err(PlanError::Twice("a".to_owned())));
    }
}

#[test]
fn a_change_starts_where_the_last_one_of_the_same_thing_ends() {
    let steps = |ends: &[(i64, i64)]| -> Vec<GatedStage> {
        let stages = ends.iter().map(|(from, to)| stage(&[change("a", *from, *to)]));
        // Other things and gates come in between.
        stages.enumerate().flat_map(|(at, one)| [one, set(&format!("b{at}")), wait("b")]).collect()
    };
    for ends in [vec![(0, 1)], vec![(0, 1), (1, 2)], vec![(0, 1), (1, 0), (0, 1), (1, 3)]] {
        let plan = GatedPlan::new(steps(&ends)).expect("they are chained");
        assert_eq!(plan.stages().len(), 3 * ends.len());
    }
    for ends in [
        vec![(0, 1), (0, 2)],
        vec![(0, 1), (2, 3)],
        // It starts where an earlier one ends, and not the last.
        vec![(0, 1), (1, 2), (1, 3)],
        vec![(0, 1), (1, 2), (0, 3)],
    ] {
        let error = GatedPlan::new(steps(&ends)).expect_err("they are not chained");
        assert_eq!(error, PlanError::BrokenChain("a".to_owned()), "{ends:?}");
    }
}

#[test]
fn a_refusal_names_the_thing() {
    let name = || "a".to_owned();
    for error in [PlanError::NoOp(name()), PlanError::Twice(name()), PlanError::BrokenChain(name())]
    {
        assert!(error.to_string().contains("`a`"), "{error}");
    }
}

#[test]
fn a_plan_is_empty_if_it_changes_nothing_whatever_it_waits_for() {
    let none = || GatedStage::changes("none", Vec::new());
    for stages in [vec![], vec![none(), none()], vec![wait("a"), none(), wait("b")]] {
        assert!(plan(stages).is_empty());
    }
    for stages in [vec![set("a")], vec![wait("a"), none(), sets(&["b", "c"])]] {
        assert!(!plan(stages).is_empty());
    }
}
