use std::time::Duration;

use bluegreen_core::model::{
    AccountId, AlarmName, ImageId, LaunchConfigurationName, LaunchTemplateName, ListenerKey,
    LoadBalancerName, PolicyName, RouteKey, ScalingGroupName, ScheduleName, TargetGroupName,
};
use bluegreen_testkit::conformance::{self, Fixture};
use bluegreen_testkit::{FakeCloud, World};

fn fixture() -> Fixture {
    let load_balancer = LoadBalancerName::new("nginx-live");
    let listener = ListenerKey::new(load_balancer.clone(), 80);
    Fixture {
        account: AccountId::new("111122223333"),
        load_balancer,
        route: RouteKey::default_of(listener.clone()),
        rule: RouteKey::rule(listener.clone(), 10),
        opaque_rule: RouteKey::rule(listener, 20),
        target_group: TargetGroupName::new("nginx-http"),
        scaling_group: ScalingGroupName::new("nginx-live"),
        template: LaunchTemplateName::new("nginx"),
        configuration: Some(LaunchConfigurationName::new("nginx")),
        policy: Some(PolicyName::new("busy")),
        counting_policy: Some(PolicyName::new("requests")),
        schedule: Some(ScheduleName::new("morning")),
        alarm: Some(AlarmName::new("nginx-live-busy")),
        image: ImageId::new("ami-0b"),
        free_port: 18080,
        open_port: Some(80),
        prefix: "conforms".to_owned(),
        settle: Duration::from_mins(5),
        poll: Duration::from_secs(1),
        strict: true,
        knows_unused: true,
        knows_instance_refreshes: true,
    }
}

#[tokio::test(start_paused = true)]
async fn the_fake_keeps_every_clause_of_the_contract() {
    let world = World::example().with_launch_configuration("nginx", "ami-0a");
    let cloud = FakeCloud::new(world.clone());
    let names = conformance::all(&cloud, &fixture()).await;
    assert!(names.len() > 50, "{names:?}");
    assert_eq!(cloud.world(), world);
}
