//! The whole sweep: every operation, at every time of its life, on every world.
//!
//! `SWEEP=TEXT` sweeps only what has that text in its name, `TRACE=TEXT` tells everything about the
//! first finding that has that text in it.

use bluegreen_testkit::sweep::{Subject as _, Sweep, lives, worlds};

#[test]
fn whatever_goes_wrong_it_is_as_before_or_as_planned() {
    let wanted = |name: &str| std::env::var(name).unwrap_or_default();
    let all: Vec<_> = worlds().iter().flat_map(lives).collect();
    let subjects: Vec<_> =
        all.into_iter().filter(|subject| subject.name().contains(&wanted("SWEEP"))).collect();
    let sweep = Sweep::new();
    let sweep = if wanted("SINGLES").is_empty() { sweep } else { sweep.without_pairs() };
    let report = sweep.run(&subjects);
    println!("{report}");
    let told = wanted("TRACE");
    let finding = report.findings().find(|one| one.case.to_string().contains(&told));
    if let Some(finding) = finding.filter(|_| !told.is_empty()) {
        let subject = subjects.iter().find(|one| one.name() == finding.subject);
        println!("{}", Sweep::trace(subject.expect("it was swept"), &finding.case));
    }
    report.assert_clean(1);
}
