//! The whole sweep: every operation, at every time of its life, on every world.
//!
//! Made for `cargo test -p bluegreen-testkit --profile sweep --test sweep -- --nocapture`: an
//! ordinary build, which is ten times slower, sweeps only what can go wrong once, and on the first
//! world. `SWEEP=TEXT` sweeps only what has that text in its name, `TRACE=TEXT` tells everything
//! about the first finding that has that text in it.

use std::io::Write as _;

use bluegreen_testkit::sweep::{Operating, Report, Subject as _, Sweep, lives, worlds};
use mimalloc::MiMalloc;

// A third of the time would go into allocations.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").expect("somebody listens");
}

/// Tells everything about one finding.
fn tell(report: &Report, subjects: &[Operating], wanted: &str) {
    let finding = report.findings().find(|one| one.case.to_string().contains(wanted));
    let Some(finding) = finding else { return say("there is no such finding") };
    let subject = subjects.iter().find(|one| one.name() == finding.subject);
    say(&Sweep::trace(subject.expect("it was swept"), &finding.case));
}

#[test]
fn whatever_goes_wrong_it_is_as_before_or_as_planned() {
    let only = variable("SWEEP");
    let is_whole = !cfg!(debug_assertions);
    let worlds = worlds();
    let swept = if is_whole || only.is_some() { worlds.len() } else { 1 };
    let all: Vec<Operating> = worlds[..swept].iter().flat_map(lives).collect();
    let is_wanted = |one: &Operating| only.as_ref().is_none_or(|text| one.name().contains(text));
    let subjects: Vec<_> = all.into_iter().filter(is_wanted).collect();
    let sweep = if is_whole { Sweep::new() } else { Sweep::new().without_pairs() };
    let report = sweep.run(&subjects);
    say(&report.to_string());
    if let Some(wanted) = variable("TRACE") {
        tell(&report, &subjects, &wanted);
    }
    let floor = match (only, is_whole) {
        (Some(_), _) => 1,
        (None, true) => 375_000,
        (None, false) => 6_000,
    };
    report.assert_clean(floor);
}
