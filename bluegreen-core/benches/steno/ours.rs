//! The engine on flags in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{
    Engine, Header, Journal, LocalStore, NoGate, Stage, Store, StoreError,
};
use bluegreen_testkit::MemoryStore;
use bluegreen_testkit::flags::{FlagChange, FlagPlan, Flags};

use crate::{Case, Keeping, Sample, Shape, folder, timed};

pub(crate) fn plan(case: Case) -> FlagPlan {
    let change =
        |flag: usize| FlagChange { flag: format!("flag {flag}"), before: None, after: Some(1) };
    let changes = (0..case.changes).map(change);
    let stages = match case.shape {
        Shape::Chain => changes.map(|change| Stage::changes("one", vec![change])).collect(),
        Shape::SideBySide => vec![Stage::changes("all", changes.collect())],
    };
    FlagPlan::new(stages).expect("every flag is changed once")
}

pub(crate) async fn run(plan: &FlagPlan, case: Case) -> Sample {
    match case.keeping {
        Keeping::Memory => run_in(&MemoryStore::new(), plan, case).await,
        Keeping::Disk => {
            let folder = folder();
            run_in(&LocalStore::new(folder.path()), plan, case).await
        }
    }
}

async fn run_in(store: &dyn Store, plan: &FlagPlan, case: Case) -> Sample {
    let appends = Arc::new(AtomicUsize::new(0));
    let work = async {
        let run = RunId::generate(Timestamp::from_millis(1));
        let journal = store.create(&run).await.expect("the run is new");
        let journal = Box::new(Counting { journal, appends: Arc::clone(&appends) });
        let environment = EnvironmentName::new("bench");
        let header = Header::new(run, "bench", environment, "bench", plan.clone());
        let flags = Arc::new(Flags::new(BTreeMap::new()));
        let engine = Engine::<FlagChange, NoGate<Flags>>::new(flags);
        let outcome = engine.run(header, journal).await.expect("nothing goes wrong");
        assert_eq!(outcome.changes, case.changes);
    };
    let ((), time) = timed(work).await;
    Sample { time, appends: appends.load(Ordering::Relaxed) }
}

/// A journal of which the appends are counted.
#[derive(Debug)]
struct Counting {
    journal: Box<dyn Journal>,
    appends: Arc<AtomicUsize>,
}

#[async_trait]
impl Journal for Counting {
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError> {
        self.appends.fetch_add(1, Ordering::Relaxed);
        self.journal.append(lines).await
    }

    async fn close(&mut self) -> Result<(), StoreError> {
        self.journal.close().await
    }
}
