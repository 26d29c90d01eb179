use std::time::Duration;

use bluegreen_core::model::{
    Actions, Capacity, InstanceId, LoadBalancerKind, Opaque, ScalingGroupName,
    ScalingGroupSettings, TargetGroupName,
};
use serde_json::json;

use super::super::{Call, Params, WireError, Xml};
use crate::fake::{FakeCloud, Thresholds, Timing, World, target_group, template};
use crate::playground::autoscaler::replace_sick;
use crate::playground::site::Site;

const SECOND: Duration = Duration::from_secs(1);
const ONCE: Thresholds = Thresholds { healthy: 1, unhealthy: 1 };

/// Makes a site with a group `web` of two machines that follows the checks of a load balancer.
fn site() -> Site {
    let timing = Timing { pending: SECOND, boot: SECOND, ..Timing::default() };
    let settings = ScalingGroupSettings {
        launch: template("web", 1),
        capacity: Capacity::new(0, 2, 4),
        target_groups: [served()].into(),
        tags: [].into(),
        details: Opaque::new(json!({
            "vpc_zone_identifier": "subnet-0000000a", "health_check_type": "ELB",
            "health_check_grace_period": 30,
        })),
        uncarried: vec![],
        unknown: vec![],
    };
    let world = World::default()
        .with_template("web", &["ami-0a"])
        .with_load_balancer("web", LoadBalancerKind::Application)
        .with_target_group_settings("served", target_group(80, "HTTP"))
        .with_target_group_settings("late", target_group(80, "HTTP"))
        .with_listener("web", 80, "HTTP", Actions::forward_to(served()))
        .with_listener("web", 81, "HTTP", Actions::forward_to(late()))
        .with_scaling_group("web", settings);
    let cloud = FakeCloud::default().with_timing(timing);
    let site = Site::new("123456789012", "us-east-1", 10, 0, cloud);
    site.cloud().edit(|all| *all = world);
    site
}

fn web() -> ScalingGroupName {
    ScalingGroupName::new("web")
}

fn served() -> TargetGroupName {
    TargetGroupName::new("served")
}

fn late() -> TargetGroupName {
    TargetGroupName::new("late")
}

fn call(site: &Site, action: &str, form: &str) -> Result<String, WireError> {
    let params = Params::read(form.as_bytes());
    let answer = super::answer(&Call { site, action, params: &params });
    answer.map(|xml: Xml| xml.document("R", "n"))
}

fn ids(site: &Site) -> Vec<InstanceId> {
    site.cloud().instances(&web()).into_iter().map(|one| one.id).collect()
}

#[tokio::test(start_paused = true)]
async fn an_attached_target_group_is_in_service_with_the_first_target_that_passes() {
    let site = site();
    let arn = super::super::names::target_group_arn(&site, &late());
    let form = format!("AutoScalingGroupName=web&TargetGroupARNs.member.1={arn}");
    call(&site, "AttachLoadBalancerTargetGroups", &form).expect("it is attached");
    let states = || {
        call(&site, "DescribeLoadBalancerTargetGroups", "AutoScalingGroupName=web").expect("a list")
    };
    tokio::time::advance(2 * SECOND).await;
    let shown = states();
    assert!(shown.contains("<State>InService</State>") && shown.contains("<State>Added</State>"));
    site.cloud().report_check(&late(), &ids(&site)[0], true, ONCE);
    assert!(!states().contains("<State>Added</State>"), "{}", states());
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_fails_its_checks_is_replaced_when_its_grace_is_over() {
    let site = site();
    tokio::time::advance(2 * SECOND).await;
    let sick = ids(&site)[0].clone();
    site.cloud().report_check(&served(), &sick, false, ONCE);
    replace_sick(&site);
    assert_eq!(ids(&site).len(), 2, "it is in its grace period");
    tokio::time::advance(30 * SECOND).await;
    call(
        &site,
        "SuspendProcesses",
        "AutoScalingGroupName=web&ScalingProcesses.member.1=ReplaceUnhealthy",
    )
    .expect("it is suspended");
    replace_sick(&site);
    assert_eq!(ids(&site).len(), 2, "replacing is suspended");
    call(&site, "ResumeProcesses", "AutoScalingGroupName=web").expect("it is resumed");
    replace_sick(&site);
    assert_eq!(ids(&site).len(), 3, "one drains, one is new");
    let happened =
        call(&site, "DescribeScalingActivities", "AutoScalingGroupName=web").expect("a list");
    assert!(happened.contains("ELB system health check failure"), "{happened}");
    assert!(happened.contains(&format!("Terminating EC2 instance: {sick}")));
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_fails_is_told_once() {
    let site = site();
    site.cloud().edit(|world| world.images.clear());
    let form = "AutoScalingGroupName=web&DesiredCapacity=3";
    call(&site, "SetDesiredCapacity", form).expect("it is set");
    let happened =
        || call(&site, "DescribeScalingActivities", "AutoScalingGroupName=web").expect("a list");
    assert_eq!(happened().matches("<StatusCode>Failed</StatusCode>").count(), 1);
    assert!(happened().contains("[ami-0a]"), "{}", happened());
}

#[tokio::test(start_paused = true)]
async fn what_is_suspended_does_not_happen() {
    let site = site();
    call(&site, "SuspendProcesses", "AutoScalingGroupName=web").expect("all are suspended");
    let group = site.cloud().world().scaling_groups[&web()].clone();
    assert_eq!(group.suspended.len(), 9);
    call(&site, "SetDesiredCapacity", "AutoScalingGroupName=web&DesiredCapacity=4").expect("set");
    assert_eq!(ids(&site).len(), 2, "nothing is launched");
    call(&site, "SetDesiredCapacity", "AutoScalingGroupName=web&DesiredCapacity=0").expect("set");
    tokio::time::advance(SECOND).await;
    assert_eq!(ids(&site).len(), 2, "nothing is terminated");
    call(&site, "ResumeProcesses", "AutoScalingGroupName=web").expect("all are resumed");
    assert!(site.cloud().world().scaling_groups[&web()].suspended.is_empty());
    let unknown = "AutoScalingGroupName=web&ScalingProcesses.member.1=Nonsense";
    let error = call(&site, "SuspendProcesses", unknown).expect_err("there is no such process");
    assert_eq!(error.code, "ValidationError");
}

#[tokio::test(start_paused = true)]
async fn a_forced_deletion_takes_the_machines_along() {
    let site = site();
    tokio::time::advance(2 * SECOND).await;
    let form = "AutoScalingGroupName=web&ForceDelete=true";
    call(&site, "DeleteAutoScalingGroup", form).expect("it is deleted");
    let shown = call(&site, "DescribeAutoScalingGroups", "").expect("a list");
    assert!(shown.contains("<Status>Delete in progress</Status>"), "{shown}");
    assert!(shown.contains("<LifecycleState>Terminating</LifecycleState>"));
    tokio::time::advance(60 * SECOND).await;
    assert!(ids(&site).is_empty() && !site.cloud().is_dying(&web()));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_reasons_about_is_handed_through() {
    let site = site();
    let form = "AutoScalingGroupName=other&LaunchTemplate.LaunchTemplateName=web&MinSize=0&MaxSize=1\
                &AvailabilityZones.member.1=us-east-1a&PlacementGroup=close\
                &NewInstancesProtectedFromScaleIn=true&Operator.Principal=eks.amazonaws.com";
    call(&site, "CreateAutoScalingGroup", form).expect("it is made");
    let group = site.cloud().world().scaling_groups[&ScalingGroupName::new("other")].clone();
    assert_eq!(group.uncarried, ["operator"]);
    assert_eq!(group.details.value()["members"]["PlacementGroup"], "close");
    assert_eq!(group.details.value()["default_cooldown"], 300);
    let shown = call(&site, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=other");
    assert!(shown.expect("a list").contains("<PlacementGroup>close</PlacementGroup>"));
    let error = call(&site, "DeleteAutoScalingGroup", "AutoScalingGroupName=other");
    assert_eq!(error.expect_err("it is managed").status, 403);
}
