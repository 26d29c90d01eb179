//! The contract of the cloud traits, as far as the emulator keeps it itself.
//!
//! Left out, because moto cannot: policies, scheduled actions and alarms of two groups, since a
//! name of these is unique in the account there; what AWS refuses and moto does not.

use std::time::Duration;

use bluegreen_core::model::{
    AccountId, ImageId, LaunchTemplateName, ListenerKey, LoadBalancerName, RouteKey,
    ScalingGroupName, TargetGroupName,
};
use bluegreen_testkit::conformance::{self, Fixture};

use crate::world::World;

/// What moto has, and in what it differs.
fn fixture(world: &World) -> Fixture {
    let stack = &world.stack;
    let load_balancer = LoadBalancerName::new(&stack.load_balancer);
    let listener = ListenerKey::new(load_balancer.clone(), 80);
    Fixture {
        account: AccountId::new(&stack.account),
        load_balancer,
        route: RouteKey::default_of(listener.clone()),
        rule: RouteKey::rule(listener.clone(), 10),
        opaque_rule: RouteKey::rule(listener, 20),
        target_group: TargetGroupName::new(&stack.http),
        scaling_group: ScalingGroupName::new(&stack.scaling_group),
        template: LaunchTemplateName::new(&stack.launch_template),
        configuration: None,
        policy: None,
        counting_policy: None,
        schedule: None,
        alarm: None,
        image: ImageId::new(&stack.other_image),
        free_port: 18_080,
        open_port: Some(80),
        prefix: "conforms".to_owned(),
        settle: Duration::from_secs(10),
        poll: Duration::from_millis(200),
        strict: false,
        knows_unused: false,
        knows_instance_refreshes: true,
    }
}

#[tokio::test]
async fn the_adapter_keeps_every_clause_that_the_emulator_can_show() {
    let world = World::new().await;
    let names = conformance::all(&world.cloud, &fixture(&world)).await;
    assert!(names.len() > 50, "{names:?}");
}
