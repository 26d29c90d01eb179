//! The ways to keep both colours checked: idle listeners, weights of 0, test rules.

use std::collections::BTreeSet;
use std::time::Duration;

use bluegreen_core::model::{
    Action, Actions, BalancerLimits, Color, Forward, HealthStrategy, Limits, ListenerKey,
    LoadBalancerKind, LoadBalancerName, Opaque, RouteKey, Stickiness, TEST_HEADER, TargetGroupName,
};
use bluegreen_core::operation::OperationErrorKind;
use bluegreen_core::plan::DowngradeOptions;
use bluegreen_testkit::invariant::{
    both_colors_stay_checked, every_route_has_a_healthy_target, is_sound,
    what_serves_keeps_its_machines,
};
use bluegreen_testkit::{FakeCloud, World};
use serde_json::json;

use crate::refusals::told;
use crate::stage::{Scene, Verb, live};

const NAME: &str = "nginx-live";
const LIFE: [Verb; 6] =
    [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Scaledown, Verb::Deploy, Verb::Switch];

const WEIGHT_ZERO: HealthStrategy = HealthStrategy::WeightZero { cuts_connections: false };
const CUTS: HealthStrategy = HealthStrategy::WeightZero { cuts_connections: true };

fn test_rule() -> HealthStrategy {
    HealthStrategy::TestRule { sources: vec!["10.0.0.0/8".to_owned()] }
}

fn name(text: &str) -> TargetGroupName {
    TargetGroupName::new(text)
}

fn key(port: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new(NAME), port)
}

fn scene(world: World, health: HealthStrategy) -> Scene {
    let mut scene = Scene::new(FakeCloud::new(world));
    scene.spec.health = health;
    // Flows are counted for each load balancer only.
    scene.spec.quiet.unmeasured = true;
    scene
}

fn weighted(weights: &[(&str, u32)], sticky: bool) -> Actions {
    let weights = weights.iter().map(|(text, weight)| (name(text), *weight)).collect();
    let stickiness = sticky.then_some(Stickiness { seconds: Some(60) });
    let forward = Forward::new(weights, stickiness).expect("there are weights");
    Actions::new(vec![Action::Forward(forward)])
}

fn weights(world: &World, route: &RouteKey) -> Vec<(String, u32)> {
    let forward = world.actions(route).and_then(Actions::forward).expect("it forwards");
    forward.weights().iter().map(|(name, weight)| (name.to_string(), *weight)).collect()
}

/// The example on a network load balancer.
fn network() -> World {
    let mut world = World::example();
    for balancer in world.load_balancers.values_mut() {
        balancer.kind = LoadBalancerKind::Network;
        for listener in balancer.listeners.values_mut() {
            (listener.protocol, listener.rules) = ("TCP".to_owned(), [].into());
            listener.tls = Opaque::default();
        }
    }
    for settings in world.target_groups.values_mut() {
        "TCP".clone_into(&mut settings.protocol);
        settings.details = Opaque::new(json!({"target_type": "instance"}));
    }
    world
}

async fn refused(scene: &Scene, words: &[&str]) {
    let before = scene.world();
    let error = scene.operate(Verb::Upgrade).await.expect_err("it should be refused");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.hint().is_some(), "no way out: {error}");
    let text = told(&error);
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert_eq!(scene.world(), before);
}

/// Row 1 of what users suffer, in every way to keep the idle colour checked.
#[tokio::test(start_paused = true)]
async fn both_colours_are_checked_before_during_and_after_in_every_way() {
    let worlds = [
        (World::example(), HealthStrategy::IdleListener),
        (World::example(), WEIGHT_ZERO),
        (World::example(), test_rule()),
        (network(), HealthStrategy::IdleListener),
        (network(), CUTS),
        (network().without_security_group(NAME), CUTS),
    ];
    for (world, health) in worlds {
        let scene = scene(world, health.clone());
        scene.must(Verb::Upgrade).await;
        let from = scene.cloud.history().len() - 1;
        for verb in &LIFE[1..] {
            scene.must(*verb).await;
            let environment = scene.environment().await;
            for member in Color::BOTH
                .iter()
                .flat_map(|color| &environment.side(*color).expect("both are there").members)
            {
                let name = &member.target_group.name;
                assert!(environment.kept_checked_by(member).is_some(), "{health}: {name}");
            }
        }
        let environment = scene.environment().await;
        let pairs = environment.pairs.iter();
        let names: BTreeSet<_> =
            pairs.flat_map(|pair| [pair.blue.clone(), pair.green.clone()]).collect();
        let history = scene.cloud.history();
        assert_eq!(both_colors_stay_checked(&history[from..], &names), Ok(()), "{health}");
        assert_eq!(every_route_has_a_healthy_target(&history), Ok(()), "{health}");
        assert_eq!(what_serves_keeps_its_machines(&history), Ok(()), "{health}");
        assert_eq!(is_sound(&scene.world()), Ok(()), "{health}");
        assert_eq!(scene.live().await, live(Color::Blue));
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_is_taken_back_to_the_letter_in_every_way() {
    for (world, health) in [
        (World::example(), HealthStrategy::IdleListener),
        (World::example(), WEIGHT_ZERO),
        (World::example(), test_rule()),
        (network(), HealthStrategy::IdleListener),
        (network(), CUTS),
    ] {
        let scene = scene(world, health);
        let before = scene.world();
        scene.must(Verb::Upgrade).await;
        assert_ne!(scene.world(), before);
        let _done = scene.undo_last().await.expect("it can be undone");
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(scene.world(), before);
        scene.must(Verb::Upgrade).await;
        let options = DowngradeOptions::default();
        let _done = scene.bluegreen().downgrade(&scene.spec, options).await.expect("it goes back");
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(scene.world(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn both_stay_in_the_route_and_the_idle_one_has_weight_0() {
    let scene = scene(World::example(), WEIGHT_ZERO);
    scene.must(Verb::Upgrade).await;
    let route = RouteKey::default_of(key(80));
    let of =
        |blue, green| vec![("nginx-http".to_owned(), blue), ("nginx-http-green".to_owned(), green)];
    assert_eq!(weights(&scene.world(), &route), of(1, 0));
    assert!(!scene.world().load_balancers.values().any(|one| one.listeners.contains_key(&18080)));
    scene.must(Verb::Deploy).await;
    scene.must(Verb::Switch).await;
    assert_eq!(weights(&scene.world(), &route), of(0, 1));
    assert_eq!(scene.live().await, live(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn the_weights_of_others_in_a_route_stay_in_every_way() {
    for health in [HealthStrategy::IdleListener, WEIGHT_ZERO, test_rule()] {
        let mut world = World::example().with_target_group("canary", 80);
        let route = RouteKey::default_of(key(80));
        *world.actions_mut(&route).expect("it is there") =
            weighted(&[("nginx-http", 90), ("canary", 10)], false);
        let scene = scene(world, health.clone());
        for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch] {
            scene.must(verb).await;
        }
        let mut found = weights(&scene.world(), &route);
        found.retain(|(_, weight)| *weight > 0);
        let wanted = [("canary".to_owned(), 10), ("nginx-http-green".to_owned(), 90)];
        assert_eq!(found, wanted, "{health}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_weight_would_move_is_refused() {
    let mut sticky = World::example();
    let route = RouteKey::default_of(key(80));
    *sticky.actions_mut(&route).expect("it is there") = weighted(&[("nginx-http", 1)], true);
    refused(&scene(sticky.clone(), WEIGHT_ZERO), &["nginx-live:80", "no weight moves them"]).await;
    let mut targets = World::example();
    let settings = targets.target_groups.get_mut(&name("nginx-http")).expect("it is there");
    settings.details = Opaque::new(json!({"target_type": "instance", "stickiness": true}));
    refused(&scene(targets.clone(), WEIGHT_ZERO), &["nginx-live:80", "`nginx-http`"]).await;
    // Replaced, they are moved: both are no obstacle where the colours do not share a route.
    for world in [sticky, targets] {
        let scene = scene(world, HealthStrategy::IdleListener);
        for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch] {
            scene.must(verb).await;
        }
        let found = weights(&scene.world(), &route);
        assert_eq!(found, [("nginx-http-green".to_owned(), 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_weight_of_0_on_a_network_load_balancer_needs_consent() {
    refused(&scene(network(), WEIGHT_ZERO), &[NAME, "closes the connections"]).await;
    refused(&scene(network(), test_rule()), &[NAME, "no rules"]).await;
}

#[tokio::test(start_paused = true)]
async fn consent_that_was_taken_back_stops_a_switch() {
    let mut scene = scene(network(), CUTS);
    scene.must(Verb::Upgrade).await;
    scene.must(Verb::Deploy).await;
    scene.spec.health = WEIGHT_ZERO;
    let before = scene.world();
    let error = scene.operate(Verb::Switch).await.expect_err("nobody agrees any more");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_test_rule_takes_nobodys_requests_and_the_first_free_priority() {
    let world = World::example().with_rule(NAME, 80, 1, weighted(&[("nginx-http", 1)], false));
    let scene = scene(world, test_rule());
    scene.must(Verb::Upgrade).await;
    let world = scene.world();
    let rules = &world.listener(&key(80)).expect("it is there").rules;
    let tests: Vec<_> = rules.iter().filter(|(_, rule)| rule.is_test()).collect();
    assert_eq!(tests.iter().map(|(at, _)| **at).collect::<Vec<_>>(), [2, 3]);
    let values: BTreeSet<_> = tests
        .iter()
        .filter_map(|(_, rule)| rule.takes())
        .map(|takes| {
            assert_eq!(takes.header, TEST_HEADER);
            assert_eq!(takes.sources, ["10.0.0.0/8"]);
            assert_eq!(takes.value.len(), 32, "{}", takes.value);
            takes.value
        })
        .collect();
    assert_eq!(values.len(), 2, "each colour has its own");
    // The rules are no routes of the environment: nothing is moved in them by a switch.
    let environment = scene.environment().await;
    assert!(environment.routes.iter().all(|route| !route.is_test()));
    scene.must(Verb::Deploy).await;
    scene.must(Verb::Switch).await;
    let now = scene.world();
    let kept = &now.listener(&key(80)).expect("it is there").rules;
    assert_eq!((&kept[&2], &kept[&3]), (&rules[&2], &rules[&3]));
}

fn limits(of: BalancerLimits) -> Limits {
    Limits { application: of, network: of }
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_would_be_exceeded_is_told_with_the_numbers() {
    let with = |of: BalancerLimits, health: HealthStrategy| {
        let mut scene = Scene::new(FakeCloud::new(World::example()).with_limits(limits(of)));
        scene.spec.health = health;
        scene
    };
    let listeners = |limit| BalancerLimits { listeners: Some(limit), ..BalancerLimits::default() };
    let words = [NAME, "2 listeners", "4 more", "allows 5"];
    refused(&with(listeners(5), HealthStrategy::IdleListener), &words).await;
    with(listeners(6), HealthStrategy::IdleListener).must(Verb::Upgrade).await;
    with(listeners(2), WEIGHT_ZERO).must(Verb::Upgrade).await;

    let rules = |limit| BalancerLimits { rules: Some(limit), ..BalancerLimits::default() };
    refused(&with(rules(5), test_rule()), &[NAME, "2 rules", "4 more", "allows 5"]).await;
    with(rules(6), test_rule()).must(Verb::Upgrade).await;

    let groups = |limit| BalancerLimits { target_groups: Some(limit), ..BalancerLimits::default() };
    for health in [HealthStrategy::IdleListener, WEIGHT_ZERO, test_rule()] {
        let words = [NAME, "2 target groups", "2 more", "allows 3"];
        refused(&with(groups(3), health.clone()), &words).await;
        with(groups(4), health).must(Verb::Upgrade).await;
    }

    let action =
        |limit| BalancerLimits { target_groups_per_action: Some(limit), ..Default::default() };
    refused(&with(action(1), WEIGHT_ZERO), &["nginx-live:80", "1 target groups", "allows 1"]).await;
    with(action(1), HealthStrategy::IdleListener).must(Verb::Upgrade).await;
}

#[tokio::test(start_paused = true)]
async fn only_what_comes_counts_against_a_quota_with_what_is_there() {
    let of = |world: World, of: BalancerLimits, health: HealthStrategy| {
        let mut scene = Scene::new(FakeCloud::new(world).with_limits(limits(of)));
        scene.spec.health = health;
        scene
    };
    // Too many are there already, but none of them comes.
    let full = BalancerLimits { listeners: Some(1), rules: Some(1), ..BalancerLimits::default() };
    of(World::example(), full, WEIGHT_ZERO).must(Verb::Upgrade).await;
    let action =
        |limit| BalancerLimits { target_groups_per_action: Some(limit), ..Default::default() };
    of(World::example(), action(2), WEIGHT_ZERO).must(Verb::Upgrade).await;
    // What is of others counts as well.
    let shared = || {
        let world = World::example().with_target_group("canary", 80);
        world.with_rule(NAME, 443, 7, weighted(&[("canary", 1)], false))
    };
    let groups = |limit| BalancerLimits { target_groups: Some(limit), ..BalancerLimits::default() };
    for health in [HealthStrategy::IdleListener, WEIGHT_ZERO, test_rule()] {
        let words = [NAME, "3 target groups", "2 more", "allows 4"];
        refused(&of(shared(), groups(4), health.clone()), &words).await;
        of(shared(), groups(5), health).must(Verb::Upgrade).await;
    }
}

/// Somebody put both colours into a route by hand, where no switch would leave them.
#[tokio::test(start_paused = true)]
async fn a_switch_leaves_no_weight_of_0_where_it_moves_nobody_or_cuts_connections() {
    let both = [("nginx-http", 9), ("nginx-http-green", 0)];
    let alone = vec![("nginx-http-green".to_owned(), 9)];
    let kept = vec![("nginx-http".to_owned(), 0), ("nginx-http-green".to_owned(), 9)];
    for (world, sticky, left) in [
        (World::example(), false, &kept),
        (World::example(), true, &alone),
        (network(), false, &alone),
    ] {
        let scene = scene(world, HealthStrategy::IdleListener);
        scene.must(Verb::Upgrade).await;
        scene.must(Verb::Deploy).await;
        let route = RouteKey::default_of(key(80));
        scene.cloud.edit(|world| {
            *world.actions_mut(&route).expect("it is there") = weighted(&both, sticky);
        });
        scene.must(Verb::Switch).await;
        assert_eq!(weights(&scene.world(), &route), *left, "sticky: {sticky}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_load_balancer_has_the_quotas_of_its_kind() {
    let tight = BalancerLimits { listeners: Some(5), ..BalancerLimits::default() };
    let none = BalancerLimits::default();
    let of = |world: World, application, network| {
        let cloud = FakeCloud::new(world).with_limits(Limits { application, network });
        let mut scene = Scene::new(cloud);
        scene.spec.quiet.unmeasured = true;
        scene
    };
    of(network(), tight, none).must(Verb::Upgrade).await;
    refused(&of(network(), none, tight), &[NAME, "listeners", "allows 5"]).await;
    of(World::example(), none, tight).must(Verb::Upgrade).await;
    refused(&of(World::example(), tight, none), &[NAME, "listeners", "allows 5"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_lone_weight_of_0_counts_and_one_among_others_does_not() {
    let route = RouteKey::default_of(key(80));
    for (before, blue) in [
        (&[("nginx-http", 0)][..], 1),
        (&[("nginx-http", 7)], 7),
        (&[("nginx-http", 0), ("canary", 9)], 0),
    ] {
        let mut world = World::example().with_target_group("canary", 80);
        *world.actions_mut(&route).expect("it is there") = weighted(before, false);
        let scene = scene(world, WEIGHT_ZERO);
        scene.must(Verb::Upgrade).await;
        let found = weights(&scene.world(), &route);
        let of = |name: &str| found.iter().find(|(one, _)| one == name).map(|(_, weight)| *weight);
        assert_eq!((of("nginx-http"), of("nginx-http-green")), (Some(blue), Some(0)), "{before:?}");
    }
}
