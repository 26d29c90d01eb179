//! The whole sweep: every operation, at every time of its life, on every world.

use bluegreen_testkit::sweep::{Sweep, lives, worlds};

#[test]
fn whatever_goes_wrong_it_is_as_before_or_as_planned() {
    let only = std::env::var("SWEEP").unwrap_or_default();
    let all: Vec<_> = worlds().iter().flat_map(lives).collect();
    let subjects: Vec<_> = all
        .into_iter()
        .filter(|one| bluegreen_testkit::sweep::Subject::name(one).contains(&only))
        .collect();
    let sweep = if std::env::var_os("SINGLES").is_some() {
        Sweep::new().without_pairs()
    } else {
        Sweep::new()
    };
    let report = sweep.run(&subjects);
    println!("{report}");
    report.assert_clean(1);
}
