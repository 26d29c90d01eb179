//! Network load balancers: every protocol, flows that live on, the time that they take.

use std::time::Duration;

use bluegreen_core::cloud::ReadLoadBalancers as _;
use bluegreen_core::model::{
    Action, Actions, Color, Forward, HealthStrategy, Limits, ListenerKey, LoadBalancerKind,
    LoadBalancerName, Opaque, Quiet, TargetGroupName,
};
use bluegreen_core::operation::OperationErrorKind;
use bluegreen_core::plan::NETWORK_SETTLE;
use bluegreen_testkit::fake::target_group;
use bluegreen_testkit::invariant::{
    every_route_has_a_healthy_target, what_serves_keeps_its_machines,
};
use bluegreen_testkit::{FakeCloud, World};
use serde_json::json;

use super::{NAME, back, to};
use crate::refusals::told;
use crate::stage::{Scene, Verb, live};

/// The protocol of a listener, that of its target group, that of an idle listener.
const PAIRS: [(u16, &str, &str, &str); 6] = [
    (80, "TCP", "TCP", "TCP"),
    (443, "TLS", "TLS", "TLS"),
    (8443, "TLS", "TCP", "TCP"),
    (53, "UDP", "UDP", "UDP"),
    (5353, "TCP_UDP", "TCP_UDP", "TCP_UDP"),
    (514, "UDP", "TCP_UDP", "TCP_UDP"),
];

fn name(port: u16) -> String {
    format!("nginx-{port}")
}

/// A service that takes connections and datagrams of every sort.
fn network() -> World {
    let names = PAIRS.map(|(port, ..)| name(port));
    let world = back(&names.each_ref().map(String::as_str))
        .with_load_balancer(NAME, LoadBalancerKind::Network);
    PAIRS.into_iter().fold(world, |world, (port, listener, protocol, _)| {
        world
            .with_opening(NAME, port, "0.0.0.0/0")
            .with_target_group_settings(&name(port), target_group(port, protocol))
            .with_listener(NAME, port, listener, to(&name(port)))
    })
}

fn scene() -> Scene {
    scene_of(network())
}

/// Flows are counted for each load balancer only: no target group of it has a measure.
fn scene_of(world: World) -> Scene {
    let mut scene = Scene::new(FakeCloud::new(world));
    scene.spec.quiet.unmeasured = true;
    scene
}

#[tokio::test(start_paused = true)]
async fn nothing_is_stopped_there_unless_somebody_does_without_a_measure() {
    let mut scene = scene();
    for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch] {
        scene.must(verb).await;
    }
    scene.spec = scene.spec.with_quiet(Quiet::default());
    let before = scene.world();
    for verb in [Verb::Scaledown, Verb::Deploy] {
        let error = scene.operate(verb).await.expect_err("nobody counts its flows");
        assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("unmeasured")), "{error}");
    }
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn every_protocol_has_an_idle_listener_that_takes_it() {
    let scene = scene();
    scene.must(Verb::Upgrade).await;
    let environment = scene.environment().await;
    for (side, (port, .., wanted)) in Color::BOTH
        .into_iter()
        .flat_map(|color| PAIRS.map(|pair| (environment.side(color).expect("it is there"), pair)))
    {
        let of = |member: &&bluegreen_core::model::Member| member.target_group.port == port;
        let member = side.members.iter().find(of).expect("every port has a target group");
        let idle = member.idle_listener.as_ref().expect("it is kept checked");
        let settings = scene.cloud.listener_settings(idle).await.expect("it can be read");
        let settings = settings.expect("it is there");
        assert_eq!(settings.protocol, wanted, "for port {port}");
        // TLS needs a certificate, and there is none but that of the live listener.
        assert_eq!(settings.tls.is_empty(), wanted != "TLS");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_on_a_network_load_balancer_goes_through_its_whole_life() {
    let scene = scene();
    for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Scaledown] {
        scene.must(verb).await;
    }
    assert_eq!(scene.live().await, live(Color::Green));
    scene.must(Verb::Deploy).await;
    scene.must(Verb::Switch).await;
    assert_eq!(scene.live().await, live(Color::Blue));
    // Behind it the old target group gets new flows for 75 seconds after a switch.
    let history = scene.cloud.history();
    assert_eq!(every_route_has_a_healthy_target(&history), Ok(()));
    assert_eq!(what_serves_keeps_its_machines(&history), Ok(()));
}

/// Row 1 of what users suffer: idle targets read `unused`, and failing open hides it.
#[tokio::test(start_paused = true)]
async fn a_switch_is_refused_while_idle_targets_are_unused() {
    let scene = scene();
    scene.must(Verb::Upgrade).await;
    scene.must(Verb::Deploy).await;
    let idle = ListenerKey::new(LoadBalancerName::new(NAME), 18081);
    // Somebody points the idle listener of one green target group elsewhere.
    scene.cloud.edit(|world| {
        let listener = world.listener_mut(&idle).expect("an idle listener of green");
        assert_eq!(listener.actions, to("nginx-443-green"), "the example has changed");
        listener.actions = to("nginx-443");
    });
    let before = scene.world();
    let error = scene.operate(Verb::Switch).await.expect_err("one target group is not checked");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.to_string().contains("no idle listener"), "{error}");
    assert_eq!(scene.world(), before);
}

/// Row 4: a network load balancer keeps to the old target group, and nobody waits for it.
#[tokio::test(start_paused = true)]
async fn nothing_is_stopped_before_a_network_load_balancer_has_let_go() {
    for verb in [Verb::Scaledown, Verb::Deploy] {
        let scene = scene();
        for earlier in [Verb::Upgrade, Verb::Deploy, Verb::Switch] {
            scene.must(earlier).await;
        }
        let (switched, from) = (scene.cloud.elapsed(), scene.cloud.history().len());
        scene.must(verb).await;
        let history = scene.cloud.history().split_off(from);
        let blue = bluegreen_core::model::ScalingGroupName::new(NAME);
        let stopped = history.iter().find(|moment| moment.groups[&blue].desired == 0);
        let waited = stopped.expect("blue was stopped").at.saturating_sub(switched);
        let delay = Duration::from_mins(1);
        assert!(waited + Duration::from_secs(30) > NETWORK_SETTLE + delay, "{verb:?}: {waited:?}");
        assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn flows_live_on_since_the_target_group_is_replaced_and_never_weighed_down() {
    let scene = scene();
    for earlier in [Verb::Upgrade, Verb::Deploy, Verb::Switch] {
        scene.must(earlier).await;
    }
    for (route, actions) in scene.world().routes() {
        let forward = actions.forward().expect("every route here forwards");
        assert_eq!(forward.weights().len(), 1, "{route} names more than it sends to");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_load_balancer_without_security_groups_is_refused_with_the_reason() {
    let scene = Scene::new(FakeCloud::new(network().without_security_group(NAME)));
    let before = scene.world();
    let error = scene.operate(Verb::Upgrade).await.expect_err("its ports cannot be closed");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    let text = told(&error);
    assert!(text.contains(NAME) && text.contains("without security groups"), "{text}");
    assert!(error.hint().is_some());
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn target_groups_that_no_scaling_group_can_fill_are_refused_by_name() {
    for (kind, word) in [("ip", "addresses"), ("alb", "load balancers"), ("lambda", "functions")] {
        let mut world = network();
        let settings = world.target_groups.get_mut(&TargetGroupName::new("nginx-80"));
        let settings = settings.expect("it is there");
        settings.details = Opaque::new(json!({"target_type": kind}));
        let scene = Scene::new(FakeCloud::new(world));
        let error = scene.operate(Verb::Upgrade).await.expect_err("it cannot be registered in");
        let text = told(&error);
        assert!(text.contains("nginx-80") && text.contains(word), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_network_load_balancer_takes_in_one_action_is_known_without_being_told() {
    let shared = network().with_target_group_settings("canary", target_group(80, "TCP"));
    let weights = [(name(80), 9), ("canary".to_owned(), 1)];
    let weights = weights.map(|(name, weight)| (TargetGroupName::new(name), weight));
    let forward = Forward::new(weights.into(), None).expect("there are weights");
    let both = Actions::new(vec![Action::Forward(forward)]);
    let cloud = FakeCloud::new(shared.with_listener(NAME, 80, "TCP", both));
    let mut scene = Scene::new(cloud.with_limits(Limits::default()));
    scene.spec.quiet.unmeasured = true;
    scene.spec.health = HealthStrategy::WeightZero { cuts_connections: true };
    let before = scene.world();
    let refused = scene.operate(Verb::Upgrade).await.expect_err("a third one does not fit");
    let words = told(&refused);
    for word in ["nginx-live:80", "2 target groups", "1 more", "allows 2"] {
        assert!(words.contains(word), "{word} is not in: {words}");
    }
    assert_eq!(scene.world(), before);
}
