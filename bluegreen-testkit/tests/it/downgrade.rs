//! Back to one colour: only what the tool made goes, and the account is as it was.

mod ours;
mod restore;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluegreen_core::model::{
    Color, HealthStrategy, LaunchSource, LaunchTemplateName, Quiet, ScalingGroupName,
    TargetGroupName, TemplateVersion,
};
use bluegreen_core::operation::{Done, OperationErrorKind};
use bluegreen_core::plan::{DowngradeFacts, DowngradeOptions, ScaledownFacts};
use bluegreen_core::transaction::Ending;
use bluegreen_testkit::journal::MemoryStore;
use bluegreen_testkit::strategy::{STACK, any_world};
use bluegreen_testkit::{FakeCloud, World};
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::stage::{Scene, Verb, live, on_virtual_time};

async fn downgraded(scene: &Scene) {
    match scene.bluegreen().downgrade(&scene.spec, DowngradeOptions::default()).await {
        Ok(Done::Ran(outcome)) => assert_eq!(outcome.ending, Ending::Committed),
        other => panic!("it is not downgraded: {other:?}"),
    }
}

/// Facts of a downgrade of a green group that is gone already.
fn facts(world: &World, deregistration_delay: Duration) -> DowngradeFacts {
    let (idle_for, quiet) = (Duration::ZERO, Quiet::default());
    DowngradeFacts {
        green: None,
        target_groups: world.target_groups.clone(),
        listeners: BTreeMap::new(),
        rules: BTreeMap::new(),
        ruled: BTreeSet::new(),
        load_balancers: vec![],
        upgrade: None,
        floats: None,
        drain: ScaledownFacts { deregistration_delay, idle_for, quiet },
    }
}

/// A scene whose blue group follows the newest version of its template.
fn floating() -> Scene {
    let mut world = World::example();
    let group = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live"));
    let launch = &mut group.expect("it is there").launch;
    let template = LaunchTemplateName::new("nginx");
    *launch = LaunchSource::Template { template, version: TemplateVersion::Latest };
    Scene::new(FakeCloud::new(world))
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_and_a_downgrade_leave_the_account_as_it_was() {
    let scene = floating();
    let before = scene.world();
    scene.must(Verb::Upgrade).await;
    assert_ne!(scene.world(), before);
    downgraded(&scene).await;
    assert_eq!(scene.world(), before);
    let done = scene.bluegreen().downgrade(&scene.spec, DowngradeOptions::default()).await;
    assert!(matches!(done, Ok(Done::Nothing(_))), "{done:?}");
    // It can be had again.
    scene.must(Verb::Upgrade).await;
}

#[tokio::test(start_paused = true)]
async fn after_releases_on_both_colours_only_what_serves_is_left() {
    let scene = Scene::example();
    let before = scene.world();
    for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Deploy, Verb::Switch] {
        scene.must(verb).await;
    }
    let serving = scene.cloud.instances(&ScalingGroupName::new("nginx-live"));
    downgraded(&scene).await;
    let after = scene.world();
    assert_eq!(scene.cloud.instances(&ScalingGroupName::new("nginx-live")), serving);
    assert!(after.scaling_groups.keys().eq(before.scaling_groups.keys()));
    assert!(after.target_groups.keys().eq(before.target_groups.keys()));
    assert_eq!(after.target_groups, before.target_groups);
    assert_eq!(after.alarms, before.alarms);
    let routes = |world: &World| -> Vec<_> {
        world.routes().map(|(key, actions)| (key, actions.clone())).collect()
    };
    assert_eq!(routes(&after), routes(&before));
    let text = serde_json::to_string(&after).expect("a world is plain data");
    assert!(!text.contains("bluegreen:environment"), "a tag of ours is left");
}

#[tokio::test(start_paused = true)]
async fn while_green_is_live_nothing_is_removed() {
    let scene = Scene::before(Verb::Scaledown).await;
    let before = scene.world();
    let error = scene.bluegreen().downgrade(&scene.spec, DowngradeOptions::default()).await;
    let error = error.expect_err("blue is not ours to delete");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("switch IE-L-NGINX --to blue")));
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn what_carries_no_tag_of_a_run_is_not_deleted() {
    let scene = Scene::before(Verb::Deploy).await;
    let name = TargetGroupName::new("nginx-http-green");
    scene.cloud.edit(|world| {
        let settings = world.target_groups.get_mut(&name).expect("it is there");
        settings.tags.remove("bluegreen:run");
    });
    let before = scene.world();
    let error = scene.bluegreen().downgrade(&scene.spec, DowngradeOptions::default()).await;
    let error = error.expect_err("it is not ours");
    assert!(error.to_string().contains("target group nginx-http-green"), "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn without_the_journal_what_was_pinned_and_protected_stays_so() {
    let scene = floating();
    scene.must(Verb::Upgrade).await;
    let upgraded = scene.world();
    downgraded(&scene.with_store(MemoryStore::new())).await;
    let (scene, blue) = (upgraded, ScalingGroupName::new("nginx-live"));
    let LaunchSource::Template { version, .. } = &scene.scaling_groups[&blue].launch else {
        panic!("it launches from a template")
    };
    assert_eq!(*version, TemplateVersion::Number(1));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_means_another_by_now_is_not_followed_again() {
    let scene = floating();
    for verb in [Verb::Upgrade, Verb::Deploy] {
        scene.must(verb).await;
    }
    let pinned = scene.world().scaling_groups[&ScalingGroupName::new("nginx-live")].launch.clone();
    downgraded(&scene).await;
    let left = scene.world().scaling_groups[&ScalingGroupName::new("nginx-live")].launch.clone();
    assert_eq!(left, pinned, "the next machine would be of the version that was only deployed");
    assert_eq!(scene.live().await, live(Color::Blue));
}

fn any_health() -> impl Strategy<Value = HealthStrategy> {
    let test_rule = HealthStrategy::TestRule { sources: vec![] };
    let weight_zero = HealthStrategy::WeightZero { cuts_connections: false };
    prop::sample::select(vec![HealthStrategy::IdleListener, weight_zero, test_rule])
}

proptest! {
    #![proptest_config(Config::with_cases(64))]

    #[test]
    fn any_stack_is_as_it_was_after_an_upgrade_and_a_downgrade(world in any_world(), health in any_health()) {
        on_virtual_time(async {
            let mut scene = Scene::new(FakeCloud::new(world));
            scene.spec = scene.spec.with_health(health);
            scene.spec.scaling_group = ScalingGroupName::new(STACK);
            let before = scene.world();
            match scene.operate(Verb::Upgrade).await {
                // Sticky clients cannot be kept away by a weight of 0.
                Err(error) if error.kind() == OperationErrorKind::NotStarted => {
                    prop_assert!(scene.spec.health != HealthStrategy::IdleListener, "{}", error);
                }
                upgraded => {
                    prop_assert!(upgraded.is_ok(), "{:?}", upgraded);
                    downgraded(&scene).await;
                }
            }
            prop_assert_eq!(scene.world(), before);
            Ok(())
        })?;
    }
}
