//! Every fault at every call and every record of a run, and every pair of them that can meet.
//!
//! A [`Subject`] is something that can be done from the same beginning again and again: an
//! [operation](Operating) on a fake cloud, or a [plan](Planned) of a program's own changes. A
//! [`Sweep`] does it once undisturbed, to count its calls and records, and then once for
//!
//! - each call and each thing that can go wrong with it: it is refused, put off, answered with an
//!   error although it took effect, not answered, late, hidden from reads, cut off by a time limit,
//!   or met by somebody else who changes the same thing;
//! - each record of the journal and each way to lose it: a crash before or after, half a record, a
//!   full disk, a disk that does not say whether it will keep it;
//! - each call at which somebody asks to stop, once or twice, or the process is gone, or its lock;
//! - each of those faults that turn the run round, together with each fault at each call of the
//!   rollback, and each crash together with each crash in its recovery.
//!
//! Then the world is healthy again and another process recovers what is open. Whatever happened,
//! the world must be as before or as planned, and at no moment in between may traffic have been
//! lost, or anything touched that was not the run's to touch.
//!
//! ```
//! use bluegreen_testkit::fake::World;
//! use bluegreen_testkit::sweep::{Life, Step, Sweep};
//!
//! let life = Life::of("the example", World::example()).after(&[Step::Upgrade, Step::Deploy]);
//! let switch = life.then(Step::Switch);
//! let report = Sweep::new().without_pairs().run(&[switch]);
//! println!("{report}");
//! report.assert_clean(100);
//! ```
//!
//! It runs on virtual time, on every core, and the same cases every time.

mod case;
mod judge;
mod operating;
mod planned;
mod report;
mod secrets;
mod subject;
mod worlds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use case::{Case, Strike};
pub use operating::{Life, Operating, Scene, Step};
pub use planned::{Faulty, FaultyError, FaultyGate, FaultyWorld, Planned, PlannedStage};
pub use report::{Finding, Report, Row, Verdict};
pub use subject::{Act, End, EndKind, How, Stage, Subject};
pub use worlds::{all as worlds, lives};

use judge::Reference;

/// How to sweep.
#[derive(Clone, Debug)]
pub struct Sweep {
    threads: usize,
    pairs: bool,
}

impl Default for Sweep {
    fn default() -> Self {
        Self::new()
    }
}

impl Sweep {
    /// Sweeps everything, on every core.
    pub fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, pairs: true }
    }

    /// Leaves out the pairs of faults, which are most of the work.
    #[must_use]
    pub fn without_pairs(mut self) -> Self {
        self.pairs = false;
        self
    }

    /// Uses so many threads.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sweeps each of `subjects`.
    pub fn run<S: Subject>(&self, subjects: &[S]) -> Report {
        let references: Vec<Reference> = subjects.iter().map(Reference::of).collect();
        let jobs: Vec<(usize, Case)> = references
            .iter()
            .enumerate()
            .flat_map(|(at, reference)| {
                case::singles(reference).into_iter().map(move |case| (at, case))
            })
            .collect();
        let (next, rows) = (AtomicUsize::new(0), Mutex::new(report::rows(subjects)));
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    while let Some((at, case)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (subject, reference) = (&subjects[*at], &references[*at]);
                        let found = self.with_pairs_of(subject, reference, case);
                        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                        rows[*at].take(found);
                    }
                });
            }
        });
        Report::new(rows.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Plays one case of one subject, and tells everything that was called and written.
    pub fn trace<S: Subject>(subject: &S, case: &Case) -> String {
        let reference = Reference::of(subject);
        judge::on_virtual_time(judge::trace(subject, &reference, case))
    }

    /// Plays a case, and every case that begins like it and goes wrong once more on the way back.
    fn with_pairs_of<S: Subject>(
        &self,
        subject: &S,
        reference: &Reference,
        case: &Case,
    ) -> Vec<(Case, Result<Verdict, String>)> {
        let (played, judged) = play(subject, reference, case);
        let mut found = vec![(case.clone(), judged)];
        if self.pairs
            && subject.has_pairs()
            && let Some(played) = played
        {
            for pair in case::pairs(case, &played) {
                let judged = play(subject, reference, &pair).1;
                found.push((pair, judged));
            }
        }
        found
    }
}

/// Plays one case on virtual time; a panic is a finding.
fn play<S: Subject>(
    subject: &S,
    reference: &Reference,
    case: &Case,
) -> (Option<judge::Played>, Result<Verdict, String>) {
    let played = catch_unwind(AssertUnwindSafe(|| {
        secrets::watched(|| judge::on_virtual_time(judge::play(subject, reference, case)))
    }));
    match played {
        Ok(((played, judged), None)) => (Some(played), judged),
        Ok(((played, _), Some(line))) => {
            (Some(played), Err(format!("a secret is in a log line: {line}")))
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            (None, Err(format!("it panicked: {}", text.unwrap_or("without a text"))))
        }
    }
}
