//! The sweep itself: that it finds what is wrong, and is clean where nothing is.

use std::collections::BTreeMap;
use std::sync::Arc;

use bluegreen_core::transaction::Stage;
use bluegreen_testkit::fake::World;
use bluegreen_testkit::flags::{FlagChange, FlagPlan, Flags};
use bluegreen_testkit::sweep::{Life, Planned, Step, Sweep};

fn plan() -> FlagPlan {
    let change = |flag: &str, before, after| FlagChange {
        flag: flag.to_owned(),
        before,
        after: Some(after),
    };
    FlagPlan::new(vec![
        Stage::changes("first", vec![change("a", Some(0), 1), change("b", None, 2)]),
        Stage::changes("then", vec![change("c", None, 3)]),
        Stage::changes("last", vec![change("a", Some(1), 4)]),
    ])
    .expect("the stages are chained")
}

fn flags() -> Arc<Flags> {
    Arc::new(Flags::new(BTreeMap::from([("a".to_owned(), 0)])))
}

#[test]
fn a_plan_of_changes_of_ones_own_can_be_swept_with_all_its_pairs() {
    let text = |flags: &Flags| format!("{:?}", flags.values());
    let report = Sweep::new().run(&[Planned::new("flags", &plan(), flags, text)]);
    report.assert_clean(1_000);
}

#[test]
fn the_same_sweep_finds_the_same() {
    let text = |flags: &Flags| format!("{:?}", flags.values());
    let subject = || [Planned::new("flags", &plan(), flags, text)];
    let once = Sweep::new().without_pairs().run(&subject());
    assert_eq!(once, Sweep::new().without_pairs().with_threads(1).run(&subject()));
}

#[test]
fn a_world_that_forgets_to_take_something_back_is_found() {
    // Whoever looks at this world sees a trace of every write, which no inverse takes away.
    let text = |flags: &Flags| format!("{:?} {}", flags.values(), flags.writes().len());
    let report = Sweep::new().without_pairs().run(&[Planned::new("flags", &plan(), flags, text)]);
    let total = report.total();
    assert!(total.violations > 0 && total.violations < total.cases, "{report}");
    let finding = report.findings().next().expect("there are violations");
    assert!(finding.what.contains("the world is not so"), "{}", finding.what);
}

#[test]
fn a_switch_on_the_example_is_clean() {
    let life = Life::of("the example", World::example()).after(&[Step::Upgrade, Step::Deploy]);
    Sweep::new().without_pairs().run(&[life.then(Step::Switch)]).assert_clean(400);
}
