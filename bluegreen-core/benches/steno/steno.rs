//! The engine beside steno, Oxide's saga engine, with journals of the same durability.
//!
//! `cargo bench --manifest-path bluegreen-core/benches/steno/Cargo.toml`
//!
//! Both run N changes as a chain (one after the other) and side by side (in one stage), with a
//! journal in memory and with one in a file of which every append is on the disk before it returns.
//! Rounds of the two alternate, and the ratio is the median of the rounds' ratios: the machine may
//! be busy with other things. What a change costs them is not the same work:
//!
//! - **bluegreen** looks at the world before and after, takes the change from its plan, and writes
//!   its intent with the inverse, and its outcome. Stages are what it writes for: one append for the
//!   intents of a stage, one for its outcomes, and one each for the plan and the end. The change
//!   sets a flag in memory.
//! - **steno** runs an action that does nothing, with an undo that does nothing, and never looks at
//!   a world. It writes `started` and `succeeded` for every node, one append each and one at a time
//!   within a saga; what it starts and ends with are nodes too, and so is the output that a saga
//!   must have after nodes side by side. Its own store in memory keeps nothing; the one used here
//!   keeps the same JSON that the file gets. Whether its end is noted is up to the store, since it
//!   can be told from the events: it is written, and not waited for.
//!
//! A round is a whole run: a new journal, a new engine or coordinator, the plan or graph made before.

mod ours;
mod theirs;

use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// What is run.
#[derive(Clone, Copy)]
struct Case {
    shape: Shape,
    changes: usize,
    keeping: Keeping,
}

/// How the changes depend on each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Chain,
    SideBySide,
}

/// Where the journal is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Memory,
    Disk,
}

/// How one run went.
struct Sample {
    time: Duration,
    appends: usize,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for keeping in [Keeping::Memory, Keeping::Disk] {
            for shape in [Shape::Chain, Shape::SideBySide] {
                for changes in [20, 200] {
                    all.push(Self { shape, changes, keeping });
                }
            }
        }
        all
    }

    fn name(self) -> String {
        let shape = match self.shape {
            Shape::Chain => "a chain",
            Shape::SideBySide => "one stage",
        };
        let keeping = match self.keeping {
            Keeping::Memory => "memory",
            Keeping::Disk => "disk",
        };
        format!("{:>3} changes, {shape}, {keeping}", self.changes)
    }

    fn rounds(self) -> usize {
        match (self.keeping, self.changes) {
            (Keeping::Memory, _) => 51,
            (Keeping::Disk, 20) => 21,
            (Keeping::Disk, _) => 7,
        }
    }
}

fn main() {
    let runtime = Runtime::new().expect("a runtime needs nothing");
    println!("{:<32} {:>12} {:>12} {:>7} {:>16}", "", "bluegreen", "steno", "ratio", "appends");
    println!("{:<32} {:>12} {:>12}", "", "changes/s", "changes/s");
    for case in Case::all() {
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (mut our_appends, mut their_appends) = (0, 0);
        let (our_plan, their_graph) = (ours::plan(case), theirs::graph(case));
        // The first round warms up.
        for round in 0..=case.rounds() {
            let run_ours = || runtime.block_on(ours::run(&our_plan, case));
            let run_theirs = || runtime.block_on(theirs::run(&their_graph, case));
            let (one, other) = if round % 2 == 0 {
                let one = run_ours();
                (one, run_theirs())
            } else {
                let other = run_theirs();
                (run_ours(), other)
            };
            (our_appends, their_appends) = (one.appends, other.appends);
            if round > 0 {
                ratios.push(other.time.as_secs_f64() / one.time.as_secs_f64());
                ours.push(rate(case, &one));
                theirs.push(rate(case, &other));
            }
        }
        println!(
            "{:<32} {:>12.0} {:>12.0} {:>7.2} {:>9} / {:>4}",
            case.name(),
            median(ours),
            median(theirs),
            median(ratios),
            our_appends,
            their_appends
        );
    }
}

/// Makes a folder for one run's journal: not where temporary files go, which may be memory.
fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder that can be written to")
}

/// Runs something and measures it.
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    let result = work.await;
    (result, began.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn rate(case: Case, sample: &Sample) -> f64 {
    case.changes as f64 / sample.time.as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
