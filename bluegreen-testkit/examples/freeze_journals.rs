//! Writes journals of the current format, to be frozen beside those of earlier ones.
//!
//! `cargo run -p bluegreen-testkit --example freeze_journals -- bluegreen-core/tests/journals/format-N`

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use bluegreen_core::model::{AccountId, EnvironmentName, ImageId, RunId, ScalingGroupName};
use bluegreen_core::operation::{Bluegreen, EnvironmentSpec};
use bluegreen_core::plan::{DeployOptions, DeploySource, SwitchOptions, UpgradeOptions};
use bluegreen_core::transaction::{LocalStore, Store};
use bluegreen_testkit::{FakeCloud, Fault, MemoryStore};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("say where to")?);
    let cloud = FakeCloud::example().with_account("444455556666");
    let environment = EnvironmentSpec::new(
        EnvironmentName::new("IE-L-NGINX"),
        AccountId::new("444455556666"),
        ScalingGroupName::new("nginx-live"),
        "18080-18099".parse()?,
    );
    let image = |id: &str| DeploySource::Edit { image: Some(ImageId::new(id)), user_data: None };
    let run = |store: MemoryStore| {
        Bluegreen::new(cloud.clone(), store).with_clock(Arc::new(cloud.clone()))
    };

    let upgraded = MemoryStore::new();
    let _done = run(upgraded.clone()).upgrade(&environment, UpgradeOptions::default()).await?;
    freeze(&folder, "upgrade-committed", &upgraded).await?;

    let deployed = MemoryStore::new();
    let _done =
        run(deployed.clone()).deploy(&environment, DeployOptions::new(image("ami-0b"))).await?;
    freeze(&folder, "deploy-committed", &deployed).await?;

    let refused = MemoryStore::new();
    cloud.fault_at_write(1, Fault::Refuse);
    let end = run(refused.clone()).switch(&environment, SwitchOptions::default()).await;
    assert!(end.is_err(), "a route was refused");
    freeze(&folder, "switch-rolled-back", &refused).await?;

    let died = MemoryStore::dying_after(6);
    let end = run(died.clone()).switch(&environment, SwitchOptions::default()).await;
    assert!(end.is_err(), "the journal was full");
    freeze(&folder, "switch-open", &died).await?;
    Ok(())
}

/// Copies the one journal of `from` into a local store's file.
async fn freeze(
    folder: &std::path::Path,
    name: &str,
    from: &MemoryStore,
) -> Result<(), Box<dyn Error>> {
    let lines = from.lines().into_values().next().ok_or("there is no journal")?;
    let mut journal = LocalStore::new(folder).create(&RunId::new(name)).await?;
    journal.append(&lines).await?;
    Ok(())
}
