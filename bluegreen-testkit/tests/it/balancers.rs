//! Load balancers of every sort: several of them, shared ones, network ones.

mod network;
mod secure;
mod several;

use bluegreen_core::model::{
    Actions, Capacity, GroupTag, LoadBalancerKind, Opaque, ScalingGroupSettings, TargetGroupName,
};
use bluegreen_testkit::World;
use bluegreen_testkit::fake::template;
use serde_json::json;

const NAME: &str = "nginx-live";
const INSIDE: &str = "nginx-inside";

/// A world with a group of two machines in these target groups, and nothing before it yet.
fn back(target_groups: &[&str]) -> World {
    let tag = GroupTag { value: NAME.to_owned(), propagate: true };
    let settings = ScalingGroupSettings {
        launch: template("nginx", 1),
        capacity: Capacity::new(1, 2, 3),
        target_groups: target_groups.iter().map(|name| TargetGroupName::new(*name)).collect(),
        tags: [("Name".to_owned(), tag)].into(),
        details: Opaque::new(json!({"health_check": "ELB", "subnets": ["subnet-0a"]})),
        uncarried: vec![],
        unknown: vec![],
    };
    World::default()
        .with_template("nginx", &["ami-0a"])
        .with_image("ami-0b")
        .with_load_balancer(NAME, LoadBalancerKind::Application)
        .with_opening(NAME, 80, "0.0.0.0/0")
        .with_scaling_group(NAME, settings)
}

/// A service behind two load balancers: requests from outside, and those of the administrators.
fn on_two() -> World {
    back(&["nginx-http", "nginx-inside"])
        .with_target_group("nginx-http", 80)
        .with_listener(NAME, 80, "HTTP", to("nginx-http"))
        .with_rule(NAME, 80, 10, to("nginx-http"))
        .with_load_balancer(INSIDE, LoadBalancerKind::Application)
        .with_opening(INSIDE, 8081, "10.0.0.0/8")
        .with_target_group("nginx-inside", 8081)
        .with_listener(INSIDE, 8081, "HTTP", to("nginx-inside"))
}

fn to(name: &str) -> Actions {
    Actions::forward_to(TargetGroupName::new(name))
}
