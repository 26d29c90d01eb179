//! What a downgrade waits for before it takes green's machines.

use std::time::Duration;

use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::Environment;
use bluegreen_core::plan::{Decision, DowngradeOptions, Waits, downgrade};
use bluegreen_core::transaction::Work;
use bluegreen_testkit::World;

use super::facts;
use crate::stage::{Scene, Verb};

/// Returns how long the downgrade waits until green is drained, if it does.
fn drained(environment: &Environment, world: &World) -> Option<Duration> {
    let facts = facts(world, Duration::from_secs(30));
    let waits = Waits { timeout: Duration::from_secs(100), poll: Duration::from_secs(1) };
    let options = DowngradeOptions::default().with_waits(waits);
    let decision = downgrade(environment, &options, &facts);
    let Ok(Decision::Run(plan)) = decision else { panic!("it is planned: {decision:?}") };
    match &plan.stages()[0].work {
        Work::Gate(CloudGate::Drained { patience, .. }) => Some(patience.timeout),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn green_is_drained_first_if_it_has_machines() {
    let scene = Scene::before(Verb::Switch).await;
    let running = drained(&scene.environment().await, &scene.world());
    assert_eq!(running, Some(Duration::from_secs(130)));
    let scene = Scene::before(Verb::Deploy).await;
    assert_eq!(drained(&scene.environment().await, &scene.world()), None);
}
