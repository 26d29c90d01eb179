use std::time::Duration;

use bluegreen_core::model::LoadBalancerKind;

use super::client::Client;
use super::stage::{Plan, Stage, moment, shared, to};

async fn network(actions: bluegreen_core::model::Actions, used: &[&str]) -> Stage {
    let plan = Plan::of_kind(LoadBalancerKind::Network);
    let plan = plan.with_group("blue", 1, "TCP", &[]).with_group("green", 1, "TCP", &[]);
    plan.routed("TCP", actions).healthy(used).await
}

#[tokio::test]
async fn flows_stay_when_their_target_group_is_replaced() {
    let stage = network(to("blue"), &["blue"]).await;
    let mut old = Client::connect(stage.address(), false).await.unwrap();
    assert_eq!(old.get("/").await.unwrap().version(), "ami-blue");
    stage.route(&to("green"));
    moment().await;
    let mut new = Client::connect(stage.address(), false).await.unwrap();
    assert_eq!(new.get("/").await.unwrap().version(), "ami-green");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(old.get("/").await.unwrap().version(), "ami-blue");
    let active: u64 = stage.playground.meters().iter().map(|meter| meter.active).sum();
    assert_eq!(active, 2);
}

#[tokio::test]
async fn flows_of_a_target_group_of_weight_0_are_closed_after_a_while() {
    let routed = shared(&[("blue", 1), ("green", 0)], None);
    let stage = network(routed, &["blue", "green"]).await;
    let mut old = Client::connect(stage.address(), false).await.unwrap();
    assert_eq!(old.get("/").await.unwrap().version(), "ami-blue");
    stage.route(&shared(&[("blue", 0), ("green", 1)], None));
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().version(), "ami-green");
    assert_eq!(old.get("/").await.unwrap().version(), "ami-blue", "not at once");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(old.get("/").await.is_err());
}

#[tokio::test]
async fn a_flow_without_a_target_is_reset() {
    let plan = Plan::of_kind(LoadBalancerKind::Network).with_group("blue", 0, "TCP", &[]);
    let stage = plan.routed("TCP", to("blue")).start().await;
    moment().await;
    assert!(stage.get("/").await.is_err());
}

#[tokio::test]
async fn a_tls_listener_speaks_tls_and_its_targets_need_not() {
    let plan = Plan::of_kind(LoadBalancerKind::Network).with_group("blue", 1, "TCP", &[]);
    let stage = plan.routed("TLS", to("blue")).healthy(&["blue"]).await;
    let mut client = Client::connect(stage.address(), true).await.unwrap();
    assert_eq!(client.get("/").await.unwrap().version(), "ami-blue");
}
