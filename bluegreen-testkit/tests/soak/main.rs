//! A long life: operation after operation on one account and one store, with whatever goes wrong.
//!
//! Faults, crashes, requests to stop, lost locks, somebody else's hand, recoveries that go wrong
//! too, and people who put things right. After every operation the world is what the run says that
//! it is; over the whole life nothing becomes more and more, neither in the account nor here.
//!
//! `SOAK=10000` does so many operations, `SOAK_SEED=7` others than usual; `SOAK_LOG=1` tells each.

#![expect(clippy::print_stdout, reason = "a soak is read by people")]

mod dice;
mod footprint;
mod life;
mod trouble;

use bluegreen_testkit::MemoryStore;
use footprint::Footprint;
use life::{Keeping, Life};

/// How much more memory the end may take than the tenth part of the way, in KiB.
const MORE_MEMORY: u64 = 16 * 1024;

fn wanted(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).unwrap_or_default();
    if text.is_empty() { otherwise } else { text.parse().expect("it is a number") }
}

/// Lives through so many operations.
fn live(keeping: Keeping, operations: u64, seed: u64) {
    println!("{operations} operations, kept in {keeping:?}, SOAK_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime needs nothing");
    let (early, late, tally) = runtime.block_on(async {
        let mut life = Life::new(seed, keeping);
        let mut early = None;
        for operation in 0..operations {
            life.live().await;
            if operation == operations / 10 {
                early = Footprint::take();
            }
        }
        (early, Footprint::take(), life.tally)
    });
    println!("{tally}");
    let ends = [tally.committed, tally.rolled_back, tally.recovered, tally.circles];
    assert!(!ends.contains(&0), "something never happened: {tally}");
    let (Some(early), Some(late)) = (early, late) else { return };
    println!("at a tenth {early}, at the end {late}");
    assert!(late.resident_kib <= early.resident_kib + MORE_MEMORY, "memory grows");
    assert!(late.files <= early.files, "files stay open");
}

#[test]
fn a_long_life_leaves_the_world_as_its_runs_say_and_nothing_else() {
    let (operations, seed) = (wanted("SOAK", 300), wanted("SOAK_SEED", 1));
    live(Keeping::Memory(MemoryStore::new()), operations, seed);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    live(Keeping::Folder(folder.path().to_owned()), (operations / 6).max(50), seed);
}
