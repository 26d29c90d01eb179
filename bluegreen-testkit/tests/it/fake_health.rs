//! How the fake checks targets: items 1 to 4 of the list in the fact sheet, and its traffic.

use std::time::Duration;

use bluegreen_core::cloud::{
    ReadScalingGroups, ReadTargetGroups, WriteLoadBalancers, WriteScalingGroups, WriteTargetGroups,
};
use bluegreen_core::model::{
    Actions, Capacity, Forward, HealthState, ImageId, ListenerKey, ListenerSettings,
    LoadBalancerName, RouteKey, ScalingGroupName, TargetGroupName,
};
use bluegreen_testkit::FakeCloud;
use tokio::time::sleep;

fn http() -> TargetGroupName {
    TargetGroupName::new("nginx-http")
}

fn green() -> TargetGroupName {
    TargetGroupName::new("nginx-http-green")
}

fn group() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live")
}

fn port(port: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new("nginx-live"), port)
}

/// Makes the example with a second target group that has the same machines and no route.
async fn with_green() -> FakeCloud {
    let cloud = FakeCloud::example();
    let settings = cloud.world().target_groups[&http()].clone();
    let made = cloud.create_target_group(&green(), &settings).await;
    made.expect("the name is free");
    cloud.edit(|world| {
        for group in world.scaling_groups.values_mut() {
            group.target_groups.insert(green());
        }
    });
    cloud
}

async fn states(cloud: &FakeCloud, name: &TargetGroupName) -> Vec<HealthState> {
    let health = cloud.target_health(name).await.expect("the target group exists");
    health.into_iter().map(|target| target.state).collect()
}

async fn name_in_route(cloud: &FakeCloud, weight: u32) {
    let weights = [(http(), 100), (green(), weight)];
    let forward = Forward::new(weights.into(), None).expect("some weight is above zero");
    let route = RouteKey::default_of(port(80));
    let actions = Actions::forward_to(http()).with_forward(&forward);
    cloud.set_route(&route, &actions).await.expect("the route accepts the weights");
}

#[tokio::test(start_paused = true)]
async fn a_target_group_that_no_route_names_is_not_checked() {
    let cloud = with_green().await;
    sleep(Duration::from_hours(1)).await;
    let health = cloud.target_health(&green()).await.unwrap();
    assert_eq!(health.len(), 3);
    for target in health {
        assert_eq!(target.state, HealthState::Unused);
        assert_eq!(target.reason.as_deref(), Some("Target.NotInUse"));
    }
}

#[tokio::test(start_paused = true)]
async fn weight_zero_is_enough_to_be_checked() {
    let cloud = with_green().await;
    name_in_route(&cloud, 0).await;
    assert_eq!(states(&cloud, &green()).await, [HealthState::Initial; 3]);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(states(&cloud, &green()).await, [HealthState::Healthy; 3]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_listener_is_enough_to_be_checked() {
    let cloud = with_green().await;
    let settings = ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(green()),
        tags: [].into(),
        tls: bluegreen_core::model::Opaque::default(),
    };
    cloud.create_listener(&port(18080), &settings).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(states(&cloud, &green()).await, [HealthState::Healthy; 3]);
}

#[tokio::test(start_paused = true)]
async fn health_is_forgotten_with_the_last_route() {
    let cloud = with_green().await;
    name_in_route(&cloud, 0).await;
    sleep(Duration::from_mins(1)).await;
    let route = RouteKey::default_of(port(80));
    cloud.set_route(&route, &Actions::forward_to(http())).await.unwrap();
    assert_eq!(states(&cloud, &green()).await, [HealthState::Unused; 3]);
    name_in_route(&cloud, 0).await;
    assert_eq!(states(&cloud, &green()).await, [HealthState::Initial; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_in_service_long_before_it_is_healthy() {
    let cloud = FakeCloud::example();
    cloud.set_capacity(&group(), Capacity::new(2, 4, 6)).await.unwrap();
    let seen = cloud.scaling_groups(&[group()]).await.unwrap();
    assert_eq!((seen[0].in_service(), seen[0].instances.len()), (3, 4));
    assert_eq!(states(&cloud, &http()).await.len(), 3);

    sleep(Duration::from_secs(15)).await;
    assert_eq!(cloud.scaling_groups(&[group()]).await.unwrap()[0].in_service(), 4);
    assert!(states(&cloud, &http()).await.contains(&HealthState::Initial));

    // 40 s to boot and one check that passes.
    sleep(Duration::from_secs(34)).await;
    assert!(states(&cloud, &http()).await.contains(&HealthState::Initial));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Healthy; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_leaving_machine_drains_for_the_whole_delay() {
    let cloud = FakeCloud::example();
    let oldest = cloud.instances(&group())[0].id.clone();
    cloud.set_capacity(&group(), Capacity::new(2, 2, 6)).await.unwrap();
    for waited in [0, 59] {
        sleep(Duration::from_secs(waited)).await;
        let health = cloud.target_health(&http()).await.unwrap();
        let leaving = health.iter().find(|target| target.target == oldest).unwrap();
        assert_eq!(leaving.state, HealthState::Draining);
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Healthy; 2]);
    assert_eq!(cloud.instances(&group()).len(), 3, "it still takes time to terminate");
    sleep(Duration::from_secs(10)).await;
    assert!(cloud.instances(&group()).iter().all(|one| one.id != oldest));
}

#[tokio::test(start_paused = true)]
async fn terminated_machines_never_return() {
    let cloud = FakeCloud::example();
    let before = cloud.instances(&group());
    cloud.set_capacity(&group(), Capacity::new(0, 0, 6)).await.unwrap();
    sleep(Duration::from_mins(5)).await;
    assert_eq!(cloud.instances(&group()), []);
    cloud.set_capacity(&group(), Capacity::new(2, 3, 6)).await.unwrap();
    sleep(Duration::from_mins(5)).await;
    let after = cloud.instances(&group());
    assert_eq!(after.len(), 3);
    assert!(after.iter().all(|one| before.iter().all(|old| old.id != one.id)));
}

#[tokio::test(start_paused = true)]
async fn machines_of_a_broken_image_never_become_healthy() {
    let cloud = FakeCloud::example();
    cloud.break_image(&ImageId::new("ami-0b"));
    cloud.edit(|world| {
        let template = world.templates.values_mut().next().unwrap();
        template.versions.get_mut(&1).unwrap().data.image = ImageId::new("ami-0b");
    });
    cloud.set_capacity(&group(), Capacity::new(2, 4, 6)).await.unwrap();
    sleep(Duration::from_secs(55)).await;
    assert!(states(&cloud, &http()).await.contains(&HealthState::Initial));
    sleep(Duration::from_hours(1)).await;
    let states = states(&cloud, &http()).await;
    assert_eq!(states.iter().filter(|state| **state == HealthState::Unhealthy).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_takes_several_failed_checks_to_be_unhealthy_and_several_passed_ones_to_recover() {
    let cloud = FakeCloud::example();
    let image = ImageId::new("ami-0a");
    cloud.break_image(&image);
    sleep(Duration::from_secs(19)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Healthy; 3]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Unhealthy; 3]);
    cloud.mend_image(&image);
    sleep(Duration::from_secs(29)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Unhealthy; 3]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Healthy; 3]);
}

#[tokio::test(start_paused = true)]
async fn an_image_can_break_late() {
    let cloud = FakeCloud::example();
    cloud.break_after(&ImageId::new("ami-0a"), Duration::from_mins(10));
    sleep(Duration::from_mins(10)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Healthy; 3]);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Unhealthy; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_machine_is_unused() {
    let cloud = FakeCloud::example();
    let first = cloud.instances(&group())[0].id.clone();
    cloud.stop_instance(&first);
    let health = cloud.target_health(&http()).await.unwrap();
    let stopped = health.iter().find(|target| target.target == first).unwrap();
    assert_eq!(stopped.state, HealthState::Unused);
    assert_eq!(stopped.reason.as_deref(), Some("Target.InvalidState"));
}

#[tokio::test(start_paused = true)]
async fn a_machine_of_no_group_can_be_a_target() {
    let cloud = FakeCloud::example();
    cloud.register_stray(&http(), &bluegreen_core::model::InstanceId::new("i-stray"));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(states(&cloud, &http()).await, [HealthState::Healthy; 4]);
    assert_eq!(cloud.instances(&group()).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_group_without_requests_is_shrunk_by_its_policy_unless_that_is_held() {
    use bluegreen_core::model::Process;
    for held in [true, false] {
        let cloud = FakeCloud::example();
        // Nobody outside reaches the listeners any more.
        cloud.edit(|world| {
            for balancer in world.load_balancers.values_mut() {
                balancer.openings.clear();
            }
        });
        let processes = [(Process::AlarmNotification, held)].into();
        cloud.set_suspended(&group(), &processes).await.unwrap();
        sleep(Duration::from_mins(20)).await;
        let capacity = cloud.scaling_groups(&[group()]).await.unwrap()[0].capacity;
        assert_eq!(capacity, Capacity::new(2, if held { 3 } else { 2 }, 6));
    }
}
