//! What the fake does with scaling groups and what they launch: items 9, 22 to 32 of the list.

use std::time::Duration;

use bluegreen_core::cloud::{
    CloudError, CloudErrorKind, ReadAlarms, ReadLaunch, ReadScalingGroups, ReadScalingPolicies,
    WriteAlarms, WriteLaunch, WriteScalingGroups, WriteScalingPolicies, WriteTags,
    WriteTargetGroups,
};
use bluegreen_core::model::{
    Capacity, ImageId, LaunchEdit, LaunchSource, LaunchTemplateName, LoadBalancerName, Mark,
    PolicyKey, PolicyName, Process, ResourceKey, RunId, ScalingGroupName, ScalingGroupSettings,
    TargetGroupName, TemplateVersion, UserData,
};
use bluegreen_testkit::fake::template;
use bluegreen_testkit::{FakeCloud, World};
use tokio::time::sleep;

const REJECTED: Option<CloudErrorKind> = Some(CloudErrorKind::Rejected);
const NOT_FOUND: Option<CloudErrorKind> = Some(CloudErrorKind::NotFound);
const BUSY: Option<CloudErrorKind> = Some(CloudErrorKind::Busy);
const DENIED: Option<CloudErrorKind> = Some(CloudErrorKind::Denied);

fn kind(result: Result<(), CloudError>) -> Option<CloudErrorKind> {
    result.err().map(|error| error.kind())
}

fn live() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live")
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

fn nginx() -> LaunchTemplateName {
    LaunchTemplateName::new("nginx")
}

fn mark(step: &str) -> Mark {
    Mark::new(&RunId::new("01"), step)
}

fn image(image: &str) -> LaunchEdit {
    LaunchEdit { source: template("nginx", 1), image: Some(ImageId::new(image)), user_data: None }
}

async fn settings(cloud: &FakeCloud) -> ScalingGroupSettings {
    let found = cloud.scaling_group_settings(&live()).await.expect("groups can be read");
    let found = found.expect("the example has the group");
    ScalingGroupSettings { capacity: Capacity::ZERO, ..found }
}

#[tokio::test(start_paused = true)]
async fn sizes_must_be_in_order() {
    let cloud = FakeCloud::example();
    for wrong in [Capacity::new(3, 3, 2), Capacity::new(1, 0, 2), Capacity::new(0, 3, 2)] {
        assert_eq!(kind(cloud.set_capacity(&live(), wrong).await), REJECTED);
    }
    assert_eq!(cloud.world(), World::example());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_not_there_cannot_be_changed() {
    let cloud = FakeCloud::example();
    assert_eq!(kind(cloud.set_capacity(&green(), Capacity::ZERO).await), NOT_FOUND);
    assert_eq!(kind(cloud.set_launch(&green(), &template("nginx", 1)).await), NOT_FOUND);
    let tags = [("a".to_owned(), None)].into();
    let resource = ResourceKey::ScalingGroup(green());
    assert_eq!(kind(cloud.set_tags(&resource, &tags).await), NOT_FOUND);
    assert_eq!(kind(cloud.delete_scaling_group(&green()).await), None);
}

#[tokio::test(start_paused = true)]
async fn a_group_with_machines_cannot_be_deleted_and_a_deleted_one_stays_a_while() {
    let cloud = FakeCloud::example();
    let made = settings(&cloud).await;
    let sized = ScalingGroupSettings { capacity: Capacity::new(0, 1, 1), ..made.clone() };
    cloud.create_scaling_group(&green(), &sized).await.unwrap();
    assert_eq!(kind(cloud.delete_scaling_group(&green()).await), BUSY);
    cloud.set_capacity(&green(), Capacity::ZERO).await.unwrap();
    assert_eq!(kind(cloud.delete_scaling_group(&green()).await), BUSY, "it still terminates");
    sleep(Duration::from_mins(2)).await;

    cloud.delete_scaling_group(&green()).await.unwrap();
    assert_eq!(cloud.world(), World::example(), "a dying group is no configuration");
    assert!(cloud.scaling_groups(&[green()]).await.unwrap()[0].deleting);
    assert_eq!(kind(cloud.create_scaling_group(&green(), &made).await), BUSY);
    assert_eq!(kind(cloud.set_capacity(&green(), Capacity::ZERO).await), BUSY);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(cloud.scaling_groups(&[green()]).await.unwrap(), []);
    assert_eq!(kind(cloud.create_scaling_group(&green(), &made).await), None);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_exists_is_not_made_again() {
    let cloud = FakeCloud::example();
    let made = settings(&cloud).await;
    assert_eq!(kind(cloud.create_scaling_group(&live(), &made).await), REJECTED);
    let uncarried =
        ScalingGroupSettings { uncarried: vec!["warm pool".to_owned()], ..made.clone() };
    assert_eq!(kind(cloud.create_scaling_group(&green(), &uncarried).await), REJECTED);
    let lost = ScalingGroupSettings { launch: template("nginx", 9), ..made };
    assert_eq!(kind(cloud.create_scaling_group(&green(), &lost).await), REJECTED);
    assert_eq!(cloud.world(), World::example());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_service_manages_refuses_everybody_else() {
    let cloud = FakeCloud::example();
    cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&live()).unwrap();
        group.operator = Some("eks.amazonaws.com".to_owned());
    });
    assert_eq!(kind(cloud.set_capacity(&live(), Capacity::new(0, 0, 1)).await), DENIED);
    assert_eq!(kind(cloud.delete_scaling_group(&live()).await), DENIED);
    let processes = [(Process::ScheduledActions, true)].into();
    assert_eq!(kind(cloud.set_suspended(&live(), &processes).await), DENIED);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_not_there_is_found_out_only_at_the_launch() {
    let cloud = FakeCloud::example();
    assert!(!cloud.image_exists(&ImageId::new("ami-no")).await.unwrap());
    cloud.create_template_version(&nginx(), &mark("a"), &image("ami-no")).await.unwrap();
    cloud.set_launch(&live(), &template("nginx", 2)).await.unwrap();
    cloud.set_capacity(&live(), Capacity::new(2, 4, 6)).await.unwrap();
    sleep(Duration::from_hours(1)).await;
    assert_eq!(cloud.instances(&live()).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_target_group_blocks_the_launches_of_its_groups() {
    let cloud = FakeCloud::new(World::example().with_target_group("spare", 80));
    cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&live()).unwrap();
        group.target_groups.insert(TargetGroupName::new("spare"));
    });
    cloud.delete_target_group(&TargetGroupName::new("spare")).await.unwrap();
    cloud.set_capacity(&live(), Capacity::new(2, 4, 6)).await.unwrap();
    sleep(Duration::from_hours(1)).await;
    assert_eq!(cloud.instances(&live()).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_group_on_latest_follows_its_template_and_running_machines_stay() {
    let cloud = FakeCloud::example();
    let latest = LaunchSource::Template { template: nginx(), version: TemplateVersion::Latest };
    cloud.set_launch(&live(), &latest).await.unwrap();
    cloud.create_template_version(&nginx(), &mark("a"), &image("ami-0b")).await.unwrap();
    let before = cloud.instances(&live());
    cloud.set_capacity(&live(), Capacity::new(2, 4, 6)).await.unwrap();
    let after = cloud.instances(&live());
    assert_eq!(after[..3], before);
    assert_eq!(cloud.image_of(&after[0].id), Some(ImageId::new("ami-0a")));
    assert_eq!(cloud.image_of(&after[3].id), Some(ImageId::new("ami-0b")));
}

#[tokio::test(start_paused = true)]
async fn a_version_is_made_once_per_mark_and_its_number_never_again() {
    let cloud = FakeCloud::example();
    let number = async |step: &str| {
        let version = TemplateVersion::Marked(mark(step));
        cloud.template_version(&nginx(), &version).await.unwrap()
    };
    for _ in 0..2 {
        cloud.create_template_version(&nginx(), &mark("a"), &image("ami-0b")).await.unwrap();
        assert_eq!(number("a").await, Some(2));
    }
    let other = cloud.create_template_version(&nginx(), &mark("a"), &image("ami-0a")).await;
    assert_eq!(kind(other), REJECTED);
    cloud.delete_template_version(&nginx(), &mark("a")).await.unwrap();
    assert_eq!(number("a").await, None);
    assert_eq!(cloud.world(), World::example());
    cloud.create_template_version(&nginx(), &mark("b"), &image("ami-0b")).await.unwrap();
    assert_eq!(number("b").await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn user_data_of_which_only_the_digest_is_left_makes_nothing() {
    let cloud = FakeCloud::example();
    let redacted = UserData::new(b"#!/bin/sh".to_vec()).redacted();
    let edit = LaunchEdit { user_data: Some(redacted), ..image("ami-0b") };
    assert_eq!(kind(cloud.create_template_version(&nginx(), &mark("a"), &edit).await), REJECTED);
}

#[tokio::test(start_paused = true)]
async fn a_policy_counts_the_requests_of_an_attached_target_group_only() {
    let cloud = FakeCloud::new(World::example().with_target_group("green", 80));
    let mut policy = cloud.policies(&live()).await.unwrap().pop().unwrap();
    assert_eq!(policy.name, PolicyName::new("requests"));
    let target_group = TargetGroupName::new("green");
    policy.counts_requests_of = Some((LoadBalancerName::new("nginx-live"), target_group));
    assert_eq!(kind(cloud.put_policy(&live(), &policy).await), REJECTED);
}

#[tokio::test(start_paused = true)]
async fn alarms_name_policies_that_exist() {
    let cloud = FakeCloud::example();
    let policies = cloud.policies(&live()).await.unwrap();
    let names = policies.iter().find(|one| one.name.as_str() == "busy").unwrap().alarms.clone();
    let mut alarm = cloud.alarms(&names).await.unwrap().pop().unwrap();
    alarm.sets_off = vec![PolicyKey { group: green(), policy: PolicyName::new("busy") }];
    assert_eq!(kind(cloud.put_alarm(&alarm).await), NOT_FOUND);

    let policy = PolicyKey { group: live(), policy: PolicyName::new("busy") };
    cloud.delete_policy(&policy).await.unwrap();
    let left = cloud.alarms(&names).await.unwrap().pop().unwrap();
    assert_eq!(left.sets_off, [], "the alarm stays and does nothing");
}

#[tokio::test(start_paused = true)]
async fn the_policies_of_a_deleted_group_go_with_it_and_so_do_their_alarms() {
    let cloud = FakeCloud::example();
    cloud.set_capacity(&live(), Capacity::ZERO).await.unwrap();
    sleep(Duration::from_mins(5)).await;
    cloud.delete_scaling_group(&live()).await.unwrap();
    assert!(cloud.world().alarms.is_empty());
    assert_eq!(cloud.policies(&live()).await.unwrap(), []);
}
