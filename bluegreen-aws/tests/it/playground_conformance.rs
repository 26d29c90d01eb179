//! The contract of the cloud traits, kept by the adapter at a playground: every clause of it.
//!
//! It takes its time because the adapter keeps its own budget of calls, as on AWS.

use std::time::Duration;

use bluegreen_core::model::{
    AccountId, AlarmName, ImageId, LaunchConfigurationName, LaunchTemplateName, ListenerKey,
    LoadBalancerName, PolicyName, RouteKey, ScalingGroupName, ScheduleName, TargetGroupName,
};
use bluegreen_testkit::conformance::{self, Fixture};

use crate::playground_world::PlaygroundWorld;

/// What the playground has: nothing is left out, and nothing may be missing.
fn fixture(world: &PlaygroundWorld) -> Fixture {
    let stack = &world.stack;
    let load_balancer = LoadBalancerName::new(&stack.load_balancer);
    let listener = ListenerKey::new(load_balancer.clone(), 80);
    Fixture {
        account: AccountId::new(&stack.account),
        load_balancer,
        route: RouteKey::default_of(listener.clone()),
        rule: RouteKey::rule(listener.clone(), 10),
        opaque_rule: RouteKey::rule(listener, 20),
        target_group: TargetGroupName::new("web-http"),
        scaling_group: ScalingGroupName::new(&stack.scaling_group),
        template: LaunchTemplateName::new("web"),
        configuration: Some(LaunchConfigurationName::new("web")),
        policy: Some(PolicyName::new("busy")),
        counting_policy: Some(PolicyName::new("requests")),
        schedule: Some(ScheduleName::new("evening")),
        alarm: Some(AlarmName::new("web-busy")),
        image: ImageId::new(&stack.images[0]),
        free_port: 18_080,
        open_port: Some(80),
        prefix: "conforms".to_owned(),
        settle: Duration::from_secs(30),
        poll: Duration::from_millis(100),
        strict: true,
        knows_unused: true,
        knows_instance_refreshes: true,
    }
}

#[tokio::test]
async fn the_adapter_keeps_every_clause_at_a_playground() {
    let world = PlaygroundWorld::new().await;
    let before = world.fake().world();
    let names = conformance::all(&world.cloud, &fixture(&world)).await;
    assert!(names.len() > 50, "{names:?}");
    assert_eq!(world.fake().world(), before, "the clauses leave nothing behind");
}
