//! Writes one journal of every kind, to be frozen as a test when the format changes:
//! `cargo run -p bluegreen-testkit --example freeze_journals -- FOLDER`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bluegreen_core::model::{
    AccountId, EnvironmentName, ImageId, RunId, ScalingGroupName, UserData,
};
use bluegreen_core::operation::{
    Actor, Bluegreen, EnvironmentSpec, Operation, RecoverOptions, RunSummary,
};
use bluegreen_core::plan::{
    DeployOptions, DeploySource, ScaledownOptions, SwitchOptions, UndoOptions, UpgradeOptions,
};
use bluegreen_core::transaction::{LocalStore, Store as _};
use bluegreen_testkit::FakeCloud;
use bluegreen_testkit::fault::{Fault, Meddle};
use bluegreen_testkit::journal::{MemoryStore, RecordFault};

type Failure = Box<dyn std::error::Error>;

/// A life of which every run is kept under a name.
struct Life {
    cloud: FakeCloud,
    store: MemoryStore,
    spec: EnvironmentSpec,
    folder: PathBuf,
}

impl Life {
    fn bluegreen(&self) -> Bluegreen {
        let actor = Actor { owner: "ann".to_owned(), host: "laptop".to_owned(), process: 7 };
        Bluegreen::new(self.cloud.clone(), self.store.clone())
            .with_clock(Arc::new(self.cloud.clone()))
            .with_actor(actor)
    }

    async fn run(&self, operation: Operation) -> RunId {
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        // Whatever comes of it: the journal tells.
        let _ended = self.bluegreen().run(&self.spec, &operation).await;
        self.last().await
    }

    async fn last(&self) -> RunId {
        let runs = self.store.runs().await.expect("memory can be read");
        runs.last().expect("there is a run").clone()
    }

    async fn recover(&self, options: &RecoverOptions) {
        let runs = self.bluegreen().log().await.expect("memory can be read");
        for run in runs.iter().filter(|run| RunSummary::is_open(run)) {
            let spec = self.spec.clone();
            let _ended = self.bluegreen().recover(&run.run, options, |_| Some(spec)).await;
        }
    }

    /// Keeps the journal of a run as it is now.
    async fn keep(&self, run: &RunId, name: &str) -> Result<(), Failure> {
        let file = self.folder.join(format!("runs/{name}.journal"));
        if file.exists() {
            std::fs::remove_file(&file)?;
        }
        let store = LocalStore::new(&self.folder);
        let mut journal = store.create(&RunId::new(name)).await?;
        journal.append(&self.store.read(run).await?).await?;
        Ok(())
    }
}

fn deploy(image: &str) -> Operation {
    let user_data = Some(UserData::new(b"#!/bin/sh\necho frozen\n".to_vec()));
    let image = Some(ImageId::new(image));
    Operation::Deploy(DeployOptions::new(DeploySource::Edit { image, user_data }))
}

async fn freeze(folder: &Path) -> Result<(), Failure> {
    let spec = EnvironmentSpec::new(
        EnvironmentName::new("IE-L-NGINX"),
        AccountId::new("123456789012"),
        ScalingGroupName::new("nginx-live"),
        "18080-18099".parse()?,
    );
    let cloud = FakeCloud::example().with_account("123456789012");
    let folder = folder.to_owned();
    let mut life = Life { cloud, store: MemoryStore::new(), spec, folder };
    let run = life.run(Operation::Upgrade(UpgradeOptions::default())).await;
    life.keep(&run, "upgrade-committed").await?;
    life.cloud.fault_on("set_capacity", 0, Fault::Refuse);
    let run = life.run(deploy("ami-0b")).await;
    life.keep(&run, "deploy-rolled-back").await?;
    let run = life.run(deploy("ami-0b")).await;
    life.keep(&run, "deploy-committed").await?;
    let run = life.run(Operation::Undo(UndoOptions::new(run))).await;
    life.keep(&run, "undo-committed").await?;

    // Somebody meets a deploy; a person lets them.
    life.cloud.fault_on("set_capacity", 0, Fault::MeddleAfter(Meddle::Change));
    let run = life.run(deploy("ami-0b")).await;
    life.keep(&run, "deploy-dirty").await?;
    let details = life.bluegreen().show(&run).await?;
    let stuck = details.steps.iter().filter(|step| step.state == "stuck").map(|step| step.step);
    life.recover(&RecoverOptions::default().with_skip(stuck)).await;
    life.keep(&run, "deploy-abandoned").await?;

    let run = life.run(deploy("ami-0b")).await;
    life.keep(&run, "deploy-again-committed").await?;
    // The process dies when the routes are about to be changed, and another one goes on.
    life.store.fail_after(4, RecordFault::CrashAfter);
    let run = life.run(Operation::Switch(SwitchOptions::default())).await;
    life.store = life.store.survive();
    life.keep(&run, "switch-open").await?;
    life.recover(&RecoverOptions::default().with_forward(true)).await;
    life.keep(&run, "switch-recovered-forward").await?;
    life.store.fail_after(3, RecordFault::CrashAfter);
    let run = life.run(Operation::Scaledown(ScaledownOptions::default())).await;
    life.store = life.store.survive();
    life.recover(&RecoverOptions::default()).await;
    life.keep(&run, "scaledown-recovered-back").await?;
    Ok(())
}

fn main() -> Result<(), Failure> {
    let folder = std::env::args_os().nth(1).ok_or("say into which folder")?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(freeze(Path::new(&folder)))
}
