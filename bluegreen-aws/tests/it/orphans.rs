//! What runs left, through the adapter: what looking for it costs, and how it goes and comes back.

use bluegreen_core::cloud::{ReadLoadBalancers, ReadTags};
use bluegreen_core::model::{
    AccountId, EnvironmentName, LoadBalancerName, ScalingGroupName, tag_key,
};
use bluegreen_core::operation::{Bluegreen, Done, EnvironmentSpec, OperationError, Orphans};
use bluegreen_core::plan::{Orphan, UndoOptions, UpgradeOptions};
use bluegreen_testkit::MemoryStore;

use crate::world::World;

fn spec(world: &World) -> EnvironmentSpec {
    EnvironmentSpec::new(
        EnvironmentName::new("D-WEB"),
        AccountId::new(&world.stack.account),
        ScalingGroupName::new(&world.stack.scaling_group),
        "18080-18099".parse().expect("a range"),
    )
}

#[track_caller]
fn ran(end: &Result<Done, OperationError>) {
    assert!(matches!(end, Ok(Done::Ran(_))), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_account_is_looked_at_in_few_calls() {
    let world = World::new().await;
    let (spec, bluegreen) = (spec(&world), Bluegreen::new(world.cloud.clone(), MemoryStore::new()));
    ran(&bluegreen.upgrade(&spec, UpgradeOptions::default()).await);
    let specs = [spec.clone()];
    world.calls();

    bluegreen.observe(&spec).await.expect("it can be read");
    let one = world.calls().len();
    assert_eq!(bluegreen.orphans(&specs, &[]).await.unwrap(), Orphans::default());
    // Who asks, five calls for the tags, and the environment.
    let calls = world.calls();
    assert_eq!(calls.len(), 1 + 5 + one, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_colour_goes_and_is_made_again() {
    let world = World::new().await;
    let (spec, bluegreen) = (spec(&world), Bluegreen::new(world.cloud.clone(), MemoryStore::new()));
    ran(&bluegreen.upgrade(&spec, UpgradeOptions::default()).await);
    let before = world.cloud.tagged(tag_key::RUN).await.unwrap();
    assert_eq!(before.len(), 7);

    // With other names for green, nobody claims what is there.
    let specs = [spec.with_green_suffix("-other")];
    let orphans = bluegreen.orphans(&specs, &[]).await.unwrap();
    assert!(orphans.found.iter().all(Orphan::is_deletable), "{orphans:#?}");
    let prepared = bluegreen.prepare_orphans(&specs, &specs[0].name).await.unwrap();
    let run = prepared.run().clone();
    world.calls();
    ran(&bluegreen.delete_orphans(prepared).await);
    let deleted: Vec<String> =
        world.calls().into_iter().filter(|call| call.starts_with("Delete")).collect();
    let groups = deleted.iter().position(|call| call == "DeleteAutoScalingGroup").unwrap();
    let policies = deleted.iter().rposition(|call| call == "DeletePolicy").unwrap();
    let target_groups = deleted.iter().position(|call| call == "DeleteTargetGroup").unwrap();
    assert!(policies < groups && groups < target_groups, "{deleted:?}");
    assert_eq!(world.cloud.tagged(tag_key::RUN).await.unwrap(), []);
    let balancer = LoadBalancerName::new(&world.stack.load_balancer);
    let listeners = world.cloud.listeners(&balancer).await.unwrap();
    assert_eq!(listeners.iter().map(|one| one.key.port).collect::<Vec<_>>(), [80, 443]);

    ran(&bluegreen.undo(&specs[0], UndoOptions::new(run)).await);
    assert_eq!(world.cloud.tagged(tag_key::RUN).await.unwrap(), before);
}
