//! What goes wrong when it is planned to.

use std::time::Duration;

use bluegreen_core::cloud::{
    CloudErrorKind, ReadScalingGroups, WriteScalingGroups, WriteTargetGroups,
};
use bluegreen_core::model::{Capacity, ScalingGroupName, TargetGroupName, TargetGroupSettings};
use bluegreen_testkit::{FakeCloud, Fault, Meddle, World};
use tokio::time::{sleep, timeout};

const WANTED: Capacity = Capacity::new(1, 4, 8);
const BEFORE: Capacity = Capacity::new(2, 3, 6);

fn live() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live")
}

async fn set(cloud: &FakeCloud) -> Option<CloudErrorKind> {
    cloud.set_capacity(&live(), WANTED).await.err().map(|error| error.kind())
}

fn is(cloud: &FakeCloud) -> Capacity {
    cloud.world().scaling_groups[&live()].capacity
}

async fn seen(cloud: &FakeCloud) -> Capacity {
    cloud.scaling_groups(&[live()]).await.expect("groups can be read")[0].capacity
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_has_no_effect() {
    let cloud = FakeCloud::example();
    for (fault, kind) in [
        (Fault::Refuse, CloudErrorKind::Rejected),
        (Fault::Deny, CloudErrorKind::Denied),
        (Fault::Credentials, CloudErrorKind::Credentials),
        (Fault::Throttle, CloudErrorKind::Busy),
    ] {
        cloud.script([fault]);
        assert_eq!(set(&cloud).await, Some(kind));
        assert_eq!(cloud.world(), World::example());
    }
    assert_eq!(set(&cloud).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_has_its_effect_at_once() {
    let cloud = FakeCloud::example();
    cloud.script([Fault::LoseReply]);
    assert_eq!(set(&cloud).await, Some(CloudErrorKind::OutcomeUnknown));
    assert_eq!(is(&cloud), WANTED);
}

#[tokio::test(start_paused = true)]
async fn a_late_call_lands_whoever_looks_and_in_the_order_of_time() {
    let cloud = FakeCloud::example();
    cloud.script([
        Fault::LandLate(Duration::from_secs(20)),
        Fault::LandLate(Duration::from_secs(10)),
    ]);
    assert_eq!(set(&cloud).await, Some(CloudErrorKind::OutcomeUnknown));
    let last = cloud.set_capacity(&live(), Capacity::new(0, 1, 1)).await;
    assert_eq!(last.unwrap_err().kind(), CloudErrorKind::OutcomeUnknown);
    assert_eq!(seen(&cloud).await, BEFORE);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(seen(&cloud).await, Capacity::new(0, 1, 1));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(is(&cloud), WANTED);
}

#[tokio::test(start_paused = true)]
async fn a_stale_read_shows_what_was_before_for_a_while() {
    let cloud = FakeCloud::example();
    cloud.script([Fault::StaleRead(Duration::from_secs(5))]);
    assert_eq!(set(&cloud).await, None);
    assert_eq!((is(&cloud), seen(&cloud).await), (WANTED, BEFORE));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(seen(&cloud).await, WANTED);
}

#[tokio::test(start_paused = true)]
async fn a_meddler_comes_just_before_the_call() {
    let cloud = FakeCloud::example();
    cloud.script([Fault::Meddle(Meddle::Delete)]);
    assert_eq!(set(&cloud).await, Some(CloudErrorKind::NotFound));
    let cloud = FakeCloud::example();
    cloud.script([Fault::Meddle(Meddle::Tag)]);
    assert_eq!(set(&cloud).await, None);
    assert_eq!(is(&cloud), WANTED);
    assert!(cloud.world().scaling_groups[&live()].tags.contains_key("meddled"));
}

#[tokio::test(start_paused = true)]
async fn a_half_made_target_group_is_finished_by_a_repeat() {
    let cloud = FakeCloud::example();
    let name = TargetGroupName::new("green");
    let settings = cloud.world().target_groups[&TargetGroupName::new("nginx-http")].clone();
    cloud.script([Fault::HalfLand]);
    let made = cloud.create_target_group(&name, &settings).await;
    assert_eq!(made.unwrap_err().kind(), CloudErrorKind::OutcomeUnknown);
    let half = cloud.world().target_groups[&name].clone();
    assert_ne!(half, settings);
    assert_eq!((half.port, half.tags), (settings.port, settings.tags.clone()));

    let tags = [("owner".to_owned(), "somebody else".to_owned())].into();
    let others = TargetGroupSettings { tags, ..settings.clone() };
    assert!(cloud.create_target_group(&name, &others).await.is_err());
    cloud.create_target_group(&name, &settings).await.unwrap();
    assert_eq!(cloud.world().target_groups[&name], settings);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_never_ends() {
    let cloud = FakeCloud::example();
    cloud.fault_on("set_capacity", 0, Fault::Hang);
    assert!(timeout(Duration::from_hours(1), set(&cloud)).await.is_err());
    assert_eq!(cloud.world(), World::example());
}

#[tokio::test(start_paused = true)]
async fn faults_can_be_planned_by_number_and_by_name() {
    let cloud = FakeCloud::example();
    cloud.fault_on("set_capacity", 1, Fault::Refuse);
    cloud.fault_on("scaling_groups", 0, Fault::Throttle);
    assert!(cloud.scaling_groups(&[]).await.is_err());
    assert!(cloud.scaling_groups(&[]).await.is_ok());
    let answers = [set(&cloud).await, set(&cloud).await, set(&cloud).await];
    assert_eq!(answers, [None, Some(CloudErrorKind::Rejected), None]);

    cloud.fault_at_call(1, Fault::Deny);
    cloud.fault_at_write(1, Fault::Throttle);
    assert_eq!(set(&cloud).await, None);
    assert!(cloud.scaling_groups(&[]).await.is_err());
    assert_eq!(set(&cloud).await, Some(CloudErrorKind::Busy));

    cloud.fault_from_write(1, Fault::Credentials);
    assert_eq!(set(&cloud).await, None);
    assert!(set(&cloud).await.is_some() && set(&cloud).await.is_some());
    cloud.script([]);
    assert_eq!(set(&cloud).await, None);
}

#[tokio::test(start_paused = true)]
async fn every_call_is_on_record_and_takes_its_time() {
    let cloud = FakeCloud::example().with_latency(Duration::from_millis(200));
    assert_eq!(set(&cloud).await, None);
    assert_eq!(seen(&cloud).await, WANTED);
    let calls = cloud.calls();
    let methods: Vec<_> = calls.iter().map(|call| (call.method, call.mutating)).collect();
    assert_eq!(methods, [("set_capacity", true), ("scaling_groups", false)]);
    assert_eq!(calls[1].at, Duration::from_millis(200));
    assert_eq!(calls[0].resource, "nginx-live");
    assert_eq!(cloud.elapsed(), Duration::from_millis(400));
}
