//! What the engine costs per change, with and without a durable journal, beside a bare fsync.
//!
//! `cargo bench -p bluegreen-core`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{Engine, Header, LocalStore, NoGate, Stage, Store};
use bluegreen_testkit::flags::{FlagChange, FlagPlan, Flags};
use bluegreen_testkit::journal::MemoryStore;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

/// Stages of one change each: the most expensive shape, one record pair and two looks a change.
const CHANGES: u32 = 20;

fn plan() -> FlagPlan {
    let stage = |flag: u32| {
        let change = FlagChange { flag: format!("flag {flag}"), before: None, after: Some(1) };
        Stage::changes("one", vec![change])
    };
    FlagPlan::new((0..CHANGES).map(stage).collect()).expect("every flag is changed once")
}

fn header(plan: FlagPlan, run: RunId) -> Header<FlagChange, NoGate<Flags>> {
    Header::new(run, "bench", EnvironmentName::new("bench"), "bench", plan)
}

async fn run(store: &dyn Store, plan: FlagPlan) {
    let run = RunId::generate(Timestamp::from_millis(1));
    let journal = store.create(&run).await.expect("the run is new");
    let flags = Flags::new(BTreeMap::new());
    let engine = Engine::<FlagChange, NoGate<Flags>>::new(Arc::new(flags));
    let outcome = engine.run(header(plan, run), journal).await.expect("nothing goes wrong");
    assert_eq!(outcome.changes, CHANGES as usize);
}

fn benches(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime needs nothing");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = plan();
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(u64::from(CHANGES)));
    group.sample_size(10);
    group.bench_function("20 changes, journal in memory", |bench| {
        let store = MemoryStore::new();
        bench.iter(|| runtime.block_on(run(&store, plan.clone())));
    });
    group.bench_function("20 changes, durable journal", |bench| {
        let store = LocalStore::new(folder.path());
        bench.iter(|| runtime.block_on(run(&store, plan.clone())));
    });
    group.bench_function("41 bare appends of 400 bytes with fsync", |bench| {
        let mut file = File::create(folder.path().join("bare")).expect("a file");
        bench.iter(|| {
            for _ in 0..=2 * CHANGES {
                file.write_all(&[0; 400]).expect("room on the disk");
                file.sync_data().expect("a disk");
            }
        });
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
