use bluegreen_core::cloud::{ReadScalingGroups, ReadTargetGroups};
use bluegreen_core::model::{HealthState, Lifecycle, ScalingGroupName, TargetGroupName};
use bluegreen_testkit::{FakeCloud, World};

#[tokio::test(start_paused = true)]
async fn the_example_is_healthy_at_time_zero() {
    let cloud = FakeCloud::example();
    for name in ["nginx-http", "nginx-https"] {
        let health = cloud.target_health(&TargetGroupName::new(name)).await.unwrap();
        assert_eq!(health.len(), 3);
        assert!(health.iter().all(|target| target.state == HealthState::Healthy), "{health:?}");
    }
    let groups = cloud.scaling_groups(&[ScalingGroupName::new("nginx-live")]).await.unwrap();
    assert_eq!(groups[0].in_service(), 3);
    assert!(groups[0].instances.iter().all(|one| one.lifecycle == Lifecycle::InService));
    assert_eq!(cloud.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_world_left_alone_stays_as_it_is() {
    let cloud = FakeCloud::example();
    assert_eq!(cloud.world(), World::example());
    let moments = cloud.history().len();
    tokio::time::advance(std::time::Duration::from_hours(24)).await;
    assert_eq!(cloud.world(), World::example());
    assert_eq!(cloud.history().len(), moments);
}

#[tokio::test(start_paused = true)]
async fn a_world_can_be_written_down() {
    let text = serde_json::to_string(&FakeCloud::example().world()).unwrap();
    assert!(text.contains("nginx-https"));
}
