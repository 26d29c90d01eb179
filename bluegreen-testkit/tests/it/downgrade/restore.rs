//! What a downgrade gives back, and what it leaves because somebody else may count on it.

use std::time::Duration;

use bluegreen_core::change::{CloudChange, Edit};
use bluegreen_core::model::{
    Actions, GroupTag, LaunchSource, LaunchTemplateName, LoadBalancerName, ScalingGroupName,
    TargetGroupName, TemplateVersion,
};
use bluegreen_core::operation::Operation;
use bluegreen_core::plan::{CloudPlan, Decision, DowngradeFacts, DowngradeOptions, downgrade};
use bluegreen_core::transaction::Stage;
use bluegreen_testkit::fake::template;
use bluegreen_testkit::{FakeCloud, World};

use super::{downgraded, facts};
use crate::stage::{Scene, Verb};

const NAME: &str = "nginx-live";

#[tokio::test(start_paused = true)]
async fn tags_of_ours_that_were_there_before_an_upgrade_are_as_they_were() {
    let mut world = World::example();
    let tag = |value: &str| GroupTag { value: value.to_owned(), propagate: false };
    let group = world.scaling_groups.get_mut(&ScalingGroupName::new(NAME)).expect("blue");
    group.tags.insert("bluegreen:environment".to_owned(), tag("of the group"));
    for (name, key) in [("nginx-http", "bluegreen:pair"), ("nginx-https", "bluegreen:environment")]
    {
        let settings = world.target_groups.get_mut(&TargetGroupName::new(name)).expect("there");
        settings.tags.insert(key.to_owned(), format!("of {name}"));
    }
    let scene = Scene::new(FakeCloud::new(world));
    let before = scene.world();
    scene.must(Verb::Upgrade).await;
    let upgraded = serde_json::to_string(&scene.world()).expect("a world is plain data");
    assert!(!upgraded.contains("of nginx-http"), "ours take their place");
    downgraded(&scene).await;
    assert_eq!(scene.world(), before);
}

/// Returns which load balancers a downgrade would lay bare.
async fn laid_bare(scene: &Scene) -> Vec<(LoadBalancerName, bool, bool)> {
    let operation = Operation::Downgrade(DowngradeOptions::default());
    let (_, decision) = scene.bluegreen().plan(&scene.spec, &operation).await.expect("a plan");
    let Decision::Run(plan) = decision else { panic!("there is something to do") };
    let protections = plan.changes().filter_map(|(_, change)| match change {
        CloudChange::DeletionProtection(edit) => Some((edit.of.clone(), edit.before, edit.after)),
        _ => None,
    });
    protections.collect()
}

#[tokio::test(start_paused = true)]
async fn a_protection_is_taken_off_only_where_an_upgrade_put_it_and_nobody_else_counts_on_it() {
    let balancer = LoadBalancerName::new(NAME);
    let ours = vec![(balancer.clone(), true, false)];
    let none: Vec<(LoadBalancerName, bool, bool)> = vec![];
    let is_on = |scene: &Scene| scene.world().load_balancers[&balancer].deletion_protection;
    let upgraded = |world: World| async {
        let scene = Scene::new(FakeCloud::new(world));
        scene.must(Verb::Upgrade).await;
        assert!(is_on(&scene));
        scene
    };

    let scene = upgraded(World::example()).await;
    assert_eq!(laid_bare(&scene).await, ours);
    downgraded(&scene).await;
    assert!(!is_on(&scene));

    let scene = upgraded(World::example()).await;
    scene.cloud.edit(|world| {
        world.load_balancers.get_mut(&balancer).expect("there").deletion_protection = false;
    });
    assert_eq!(laid_bare(&scene).await, none, "somebody took it off already");
    downgraded(&scene).await;
    assert!(!is_on(&scene));

    let other = Actions::forward_to(TargetGroupName::new("other"));
    let shared = World::example().with_target_group("other", 80);
    let scene = upgraded(shared.with_listener(NAME, 8443, "HTTP", other)).await;
    assert_eq!(laid_bare(&scene).await, none, "another service is behind it");
    downgraded(&scene).await;
    assert!(is_on(&scene));

    let mut world = World::example();
    world.load_balancers.get_mut(&balancer).expect("there").deletion_protection = true;
    let scene = upgraded(world).await;
    assert_eq!(laid_bare(&scene).await, none, "it was on before");
    downgraded(&scene).await;
    assert!(is_on(&scene));
}

/// Plans a downgrade of a green group that is gone already, after an upgrade that pinned these.
fn launches(
    environment: &bluegreen_core::model::Environment,
    world: &World,
    pinned: Vec<CloudChange>,
    floats: Option<u64>,
) -> Vec<CloudChange> {
    let stages = pinned.into_iter().map(|pin| Stage::changes("pin", vec![pin]));
    let upgrade = Some(CloudPlan::new(stages.collect()).expect("a plan"));
    let facts = DowngradeFacts { upgrade, floats, ..facts(world, Duration::ZERO) };
    let decision = downgrade(environment, &DowngradeOptions::default(), &facts);
    let Ok(Decision::Run(plan)) = decision else { panic!("it is planned: {decision:?}") };
    let launches = plan.changes().map(|(_, change)| change.clone());
    launches.filter(|change| matches!(change, CloudChange::Launch(_))).collect()
}

#[tokio::test(start_paused = true)]
async fn blue_follows_the_version_again_that_it_followed_and_no_other_groups() {
    let scene = Scene::before(Verb::Deploy).await;
    let (environment, world) = (scene.environment().await, scene.world());
    let blue = ScalingGroupName::new(NAME);
    let floating =
        |version| LaunchSource::Template { template: LaunchTemplateName::new("nginx"), version };
    let pin = |group: &str, version| {
        let group = ScalingGroupName::new(group);
        CloudChange::Launch(Edit::new(group, floating(version), template("nginx", 1)))
    };
    let pins = || vec![pin("other", TemplateVersion::Default), pin(NAME, TemplateVersion::Latest)];
    let back = Edit::new(blue, template("nginx", 1), floating(TemplateVersion::Latest));
    let back = vec![CloudChange::Launch(back)];
    assert_eq!(launches(&environment, &world, pins(), Some(1)), back);
    for floats in [Some(2), None] {
        assert_eq!(launches(&environment, &world, pins(), floats), [], "{floats:?}");
    }
    let others = vec![pin("other", TemplateVersion::Default)];
    assert_eq!(launches(&environment, &world, others, Some(1)), []);
}
