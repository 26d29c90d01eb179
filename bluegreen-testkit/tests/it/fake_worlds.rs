//! The worlds that property tests are made from, and what is said of them.

use std::collections::BTreeSet;
use std::time::Duration;

use bluegreen_core::cloud::{Cloud, ReadCloud, ReadIdentity, WriteLoadBalancers};
use bluegreen_core::model::{
    AccountId, Actions, Forward, ImageId, ListenerKey, LoadBalancerName, RouteKey, TargetGroupName,
};
use bluegreen_testkit::fake::Timing;
use bluegreen_testkit::mock::MockCloud;
use bluegreen_testkit::strategy::{STACK, any_fault, any_world};
use bluegreen_testkit::{FakeCloud, Fault, World, invariant};
use proptest::prelude::*;
use tokio::time::sleep;

/// Runs a future on paused time.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without a driver can always be made")
        .block_on(future)
}

fn route() -> RouteKey {
    RouteKey::default_of(ListenerKey::new(LoadBalancerName::new("nginx-live"), 80))
}

fn to(name: &str) -> Actions {
    Actions::forward_to(TargetGroupName::new(name))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_world_that_is_made_is_sound_and_serves(world in any_world()) {
        run(async {
            prop_assert_eq!(invariant::is_sound(&world), Ok(()));
            let cloud = FakeCloud::new(world.clone());
            let names: BTreeSet<_> = world.target_groups.keys().cloned().collect();
            sleep(Duration::from_hours(2)).await;
            prop_assert_eq!(&cloud.world(), &world);
            let history = cloud.history();
            prop_assert_eq!(history.len(), 1);
            prop_assert!(history[0].routes.values().all(|reach| reach.open && reach.is_served()));
            prop_assert_eq!(invariant::every_route_has_a_healthy_target(&history), Ok(()));
            prop_assert_eq!(invariant::both_colors_stay_checked(&history, &names), Ok(()));
            Ok(())
        })?;
    }

    /// Every way to change a world leaves it sound, whatever goes wrong with the calls.
    #[test]
    fn no_fault_makes_a_world_unsound(
        world in any_world(),
        faults in prop::collection::vec(any_fault(), 12),
    ) {
        run(async {
            let cloud = FakeCloud::new(world.clone());
            cloud.script(faults);
            stir(&cloud, &world).await;
            sleep(Duration::from_mins(1)).await;
            prop_assert_eq!(invariant::is_sound(&cloud.world()), Ok(()));
            prop_assert_eq!(invariant::nothing_of_others_is_deleted(&world, &cloud.world()), Ok(()));
            Ok(())
        })?;
    }
}

/// Makes some calls that may or may not succeed.
async fn stir(cloud: &dyn Cloud, world: &World) {
    let group = world.scaling_groups.keys().next().expect("a stack has a group");
    let first = world.target_groups.keys().next().expect("a stack has a target group");
    let spare = TargetGroupName::new("spare");
    let listener = ListenerKey::new(LoadBalancerName::new(STACK), 18080);
    let settings = cloud.scaling_group_settings(group).await.expect("groups can be read");
    let mut settings = settings.expect("a stack has a group");
    settings.target_groups.insert(spare.clone());
    let idle = bluegreen_core::model::ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(spare.clone()),
        tags: [].into(),
        tls: bluegreen_core::model::Opaque::default(),
    };
    let green = bluegreen_core::model::ScalingGroupName::new("green");
    let mut answers = vec![];
    answers.push(cloud.create_target_group(&spare, &world.target_groups[first]).await);
    answers.push(cloud.create_listener(&listener, &idle).await);
    answers.push(cloud.create_scaling_group(&green, &settings).await);
    for (key, actions) in world.routes() {
        if actions.forward().is_some() {
            let forward = Forward::to(spare.clone());
            answers.push(cloud.set_route(&key, &actions.with_forward(&forward)).await);
        }
    }
    answers.push(cloud.delete_listener(&listener).await);
    answers.push(cloud.delete_target_group(&spare).await);
    assert_eq!(answers.len(), cloud_writes(world));
}

fn cloud_writes(world: &World) -> usize {
    5 + world.routes().filter(|(_, actions)| actions.forward().is_some()).count()
}

#[tokio::test(start_paused = true)]
async fn a_route_that_loses_its_healthy_targets_is_a_violation() {
    let cloud = FakeCloud::new(World::example().with_target_group("empty", 80));
    sleep(Duration::from_secs(7)).await;
    cloud.set_route(&route(), &to("empty")).await.unwrap();
    let found = invariant::every_route_has_a_healthy_target(&cloud.history()).unwrap_err();
    assert_eq!(
        found.to_string(),
        "`nginx-live:80` reaches 0 healthy of `empty` (after 7s, by set_route nginx-live:80)"
    );

    let cloud = FakeCloud::example();
    cloud.break_image(&ImageId::new("ami-0a"));
    sleep(Duration::from_mins(1)).await;
    assert!(invariant::every_route_has_a_healthy_target(&cloud.history()).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_target_group_that_loses_its_last_route_is_a_violation() {
    let cloud = FakeCloud::new(World::example().with_target_group("empty", 80));
    let names = [TargetGroupName::new("nginx-https")].into();
    assert_eq!(invariant::both_colors_stay_checked(&cloud.history(), &names), Ok(()));
    let key = RouteKey::default_of(ListenerKey::new(LoadBalancerName::new("nginx-live"), 443));
    cloud.set_route(&key, &to("empty")).await.unwrap();
    assert!(invariant::both_colors_stay_checked(&cloud.history(), &names).is_err());
}

#[tokio::test(start_paused = true)]
async fn requests_may_follow_an_old_route_for_a_while() {
    let mut timing = Timing::default();
    timing.propagation = Duration::from_secs(5);
    let cloud = FakeCloud::new(World::example().with_target_group("empty", 80)).with_timing(timing);
    cloud.set_route(&route(), &to("empty")).await.unwrap();
    let reached = async || {
        let moment = cloud.history().pop().unwrap();
        moment.routes[&route()].healthy.clone()
    };
    let (http, empty) = (TargetGroupName::new("nginx-http"), TargetGroupName::new("empty"));
    assert_eq!(reached().await, [(http, 3), (empty.clone(), 0)].into());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(reached().await, [(empty, 0)].into());
}

#[tokio::test(start_paused = true)]
async fn something_of_others_that_is_gone_is_a_violation() {
    let cloud = FakeCloud::example();
    cloud.fault_on("set_route", 0, Fault::Meddle(bluegreen_testkit::Meddle::Delete));
    assert!(cloud.set_route(&route(), &to("nginx-http")).await.is_err());
    let found = invariant::nothing_of_others_is_deleted(&World::example(), &cloud.world());
    assert!(found.unwrap_err().to_string().starts_with("the listener on port `80` is gone"));
}

#[tokio::test]
async fn a_mock_answers_as_planned() {
    let mut cloud = MockCloud::new();
    cloud.expect_account().returning(|| Ok(AccountId::new("444455556666")));
    let cloud: &dyn ReadCloud = &cloud;
    assert_eq!(ReadIdentity::account(cloud).await.unwrap(), AccountId::new("444455556666"));
}
