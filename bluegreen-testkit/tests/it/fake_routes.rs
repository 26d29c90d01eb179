//! What the fake refuses of load balancers and target groups: items 6 to 12 of the list.

use std::time::Duration;

use bluegreen_core::cloud::{
    CloudError, CloudErrorKind, ReadLoadBalancers, ReadTargetGroups, WriteLoadBalancers,
    WriteTargetGroups,
};
use bluegreen_core::model::{
    Action, Actions, Forward, ListenerKey, ListenerSettings, LoadBalancerKind, LoadBalancerName,
    Opaque, RouteKey, Stickiness, TargetGroupName, TargetGroupSettings,
};
use bluegreen_testkit::fake::{Timing, target_group};
use bluegreen_testkit::{FakeCloud, World};
use serde_json::json;
use tokio::time::sleep;

fn name(name: &str) -> TargetGroupName {
    TargetGroupName::new(name)
}

fn port(port: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new("nginx-live"), port)
}

fn listener(to: &str) -> ListenerSettings {
    ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(name(to)),
        tags: [].into(),
        tls: bluegreen_core::model::Opaque::default(),
    }
}

fn weighted(weights: &[(&str, u32)]) -> Actions {
    let weights = weights.iter().map(|(one, weight)| (name(one), *weight)).collect();
    let forward = Forward::new(weights, None).expect("some weight is above zero");
    Actions::new(vec![Action::Forward(forward)])
}

fn kind(result: Result<(), CloudError>) -> Option<CloudErrorKind> {
    result.err().map(|error| error.kind())
}

const REJECTED: Option<CloudErrorKind> = Some(CloudErrorKind::Rejected);
const NOT_FOUND: Option<CloudErrorKind> = Some(CloudErrorKind::NotFound);
const BUSY: Option<CloudErrorKind> = Some(CloudErrorKind::Busy);

#[tokio::test(start_paused = true)]
async fn a_target_group_belongs_to_one_load_balancer() {
    let world = World::example().with_load_balancer("second", LoadBalancerKind::Application);
    let cloud = FakeCloud::new(world.clone());
    let key = ListenerKey::new(LoadBalancerName::new("second"), 80);
    assert_eq!(kind(cloud.create_listener(&key, &listener("nginx-http")).await), REJECTED);
    assert_eq!(cloud.world(), world);
}

#[tokio::test(start_paused = true)]
async fn a_taken_port_is_refused_unless_the_listener_is_the_same() {
    let cloud = FakeCloud::new(World::example().with_target_group("other", 80));
    cloud.create_listener(&port(18080), &listener("nginx-http")).await.unwrap();
    let before = cloud.world();
    assert_eq!(kind(cloud.create_listener(&port(18080), &listener("nginx-http")).await), None);
    assert_eq!(kind(cloud.create_listener(&port(18080), &listener("other")).await), REJECTED);
    assert_eq!(cloud.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_listener_needs_what_its_protocol_needs() {
    let cloud = FakeCloud::example();
    for protocol in ["HTTPS", "TCP"] {
        let settings = ListenerSettings { protocol: protocol.to_owned(), ..listener("nginx-http") };
        assert_eq!(kind(cloud.create_listener(&port(18080), &settings).await), REJECTED);
    }
}

#[tokio::test(start_paused = true)]
async fn weights_and_numbers_of_target_groups_have_limits() {
    let groups = ["a", "b", "c", "d", "e", "f"];
    let world = groups.iter().fold(World::example(), |world, one| world.with_target_group(one, 80));
    let cloud = FakeCloud::new(world.clone());
    let route = RouteKey::default_of(port(80));
    let six: Vec<_> = groups.iter().map(|one| (*one, 1)).collect();
    assert_eq!(kind(cloud.set_route(&route, &weighted(&six)).await), REJECTED);
    assert_eq!(kind(cloud.set_route(&route, &weighted(&[("a", 1000), ("b", 1)])).await), REJECTED);
    assert_eq!(cloud.world(), world);
    assert_eq!(kind(cloud.set_route(&route, &weighted(&six[..5])).await), None);
    assert_eq!(kind(cloud.set_route(&route, &weighted(&[("a", 999), ("b", 0)])).await), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_cannot_be_changed() {
    let cloud = FakeCloud::example();
    let to = Actions::forward_to(name("nginx-http"));
    for route in [RouteKey::default_of(port(81)), RouteKey::rule(port(80), 11)] {
        assert_eq!(kind(cloud.set_route(&route, &to).await), NOT_FOUND);
    }
    let route = RouteKey::default_of(port(80));
    assert_eq!(kind(cloud.set_route(&route, &Actions::forward_to(name("no"))).await), NOT_FOUND);
    assert_eq!(cloud.world(), World::example());
}

#[tokio::test(start_paused = true)]
async fn actions_are_replaced_whole_and_must_end_a_request() {
    let cloud = FakeCloud::example();
    let route = RouteKey::default_of(port(443));
    let login = Action::Other(Opaque::new(json!({"type": "authenticate-oidc", "client": "x"})));
    let forward = Action::Forward(Forward::to(name("nginx-https")));
    let both = Actions::new(vec![login.clone(), forward.clone()]);
    cloud.set_route(&route, &both).await.unwrap();
    assert_eq!(cloud.routes(std::slice::from_ref(&route)).await.unwrap()[&route], both);
    for wrong in [
        vec![],
        vec![login.clone()],
        vec![forward.clone(), forward.clone()],
        vec![forward.clone(), login.clone()],
    ] {
        assert_eq!(kind(cloud.set_route(&route, &Actions::new(wrong)).await), REJECTED);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sticky_target_group_makes_a_weighted_forward_sticky() {
    let sticky = TargetGroupSettings {
        details: Opaque::new(json!({"stickiness": true})),
        ..target_group(80, "HTTP")
    };
    let cloud = FakeCloud::new(World::example().with_target_group_settings("sticky", sticky));
    let route = RouteKey::default_of(port(80));
    let weights = [(name("nginx-http"), 1), (name("sticky"), 1)];
    let forward = |stickiness| Forward::new(weights.clone().into(), stickiness).unwrap();
    let actions = |forward| Actions::new(vec![Action::Forward(forward)]);
    assert_eq!(kind(cloud.set_route(&route, &actions(forward(None))).await), REJECTED);
    let stickiness = Some(Stickiness { seconds: Some(60) });
    assert_eq!(kind(cloud.set_route(&route, &actions(forward(stickiness))).await), None);
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_target_group_is_checked() {
    let cloud = FakeCloud::example();
    let long = "x".repeat(33);
    for wrong in ["-a", "a-", "a--b", "a_b", "", long.as_str()] {
        let made = cloud.create_target_group(&name(wrong), &target_group(80, "HTTP")).await;
        assert_eq!(kind(made), REJECTED, "{wrong}");
    }
    let right = "x".repeat(32);
    let made = cloud.create_target_group(&name(&right), &target_group(80, "HTTP")).await;
    assert_eq!(kind(made), None);
}

#[tokio::test(start_paused = true)]
async fn a_target_group_in_use_cannot_be_deleted_nor_shortly_after() {
    let mut timing = Timing::default();
    timing.lingering_use = Duration::from_secs(5);
    let cloud = FakeCloud::new(World::example().with_target_group("green", 80)).with_timing(timing);
    cloud.create_listener(&port(18080), &listener("green")).await.unwrap();
    assert_eq!(kind(cloud.delete_target_group(&name("green")).await), BUSY);
    cloud.delete_listener(&port(18080)).await.unwrap();
    assert_eq!(kind(cloud.delete_target_group(&name("green")).await), BUSY);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(kind(cloud.delete_target_group(&name("green")).await), None);
    assert_eq!(kind(cloud.delete_target_group(&name("green")).await), None);
    assert_eq!(cloud.target_groups(&[name("green")]).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn protocols_must_fit_together() {
    let world = World::default()
        .with_load_balancer("flows", LoadBalancerKind::Network)
        .with_target_group_settings("tcp", target_group(22, "TCP"))
        .with_target_group_settings("http", target_group(80, "HTTP"));
    let cloud = FakeCloud::new(world);
    let key = ListenerKey::new(LoadBalancerName::new("flows"), 22);
    let tcp = |to| ListenerSettings { protocol: "TCP".to_owned(), ..listener(to) };
    assert_eq!(kind(cloud.create_listener(&key, &tcp("http")).await), REJECTED);
    assert_eq!(kind(cloud.create_listener(&key, &tcp("tcp")).await), None);
}
