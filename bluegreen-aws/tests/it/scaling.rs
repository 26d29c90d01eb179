//! Scaling groups, policies, schedules, alarms.

use std::collections::BTreeMap;

use bluegreen_core::cloud::{
    CloudErrorKind, ReadAlarms, ReadScalingGroups, ReadScalingPolicies, ReadTags, WriteAlarms,
    WriteScalingGroups, WriteScalingPolicies, WriteTags,
};
use bluegreen_core::model::{
    AlarmName, Capacity, DimensionValue, Fitting, LaunchSource, LaunchTemplateName,
    LoadBalancerName, PolicyKey, PolicyName, Process, ResourceKey, ScalingGroupName,
    TargetGroupName, TemplateVersion,
};
use bluegreen_testkit::emulator::{Fault, query};

use crate::world::World;

fn web() -> ScalingGroupName {
    ScalingGroupName::new("web")
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("web-green")
}

#[tokio::test]
async fn a_scaling_group_is_read() {
    let world = World::new().await;
    let names = [web(), ScalingGroupName::new("nobody")];
    let found = world.cloud.scaling_groups(&names).await.unwrap();
    let [group] = found.as_slice() else { panic!("one group: {found:?}") };
    assert_eq!(group.capacity, Capacity::new(1, 2, 4));
    assert_eq!(group.account.as_str(), world.stack.account);
    assert_eq!(group.in_service(), 2);
    assert_eq!(
        group.target_groups,
        [TargetGroupName::new("web-http"), TargetGroupName::new("web-https")].into()
    );
    let template = LaunchTemplateName::new("web");
    let version = TemplateVersion::Latest;
    assert_eq!(group.launch, LaunchSource::Template { template, version });
    assert!(group.tags["Name"].propagate && !group.tags["team"].propagate);
    assert!(!group.deleting && group.operator.is_none());
    assert!(world.cloud.scaling_groups(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_settings_of_a_group_make_it_again() {
    let world = World::new().await;
    let cloud = &world.cloud;
    let mut settings = cloud.scaling_group_settings(&web()).await.unwrap().unwrap();
    assert_eq!(settings.uncarried, Vec::<String>::new());
    settings.capacity = Capacity::ZERO;
    settings.target_groups = [TargetGroupName::new("web-http")].into();
    world.proxy.clear();
    cloud.create_scaling_group(&green(), &settings).await.unwrap();
    let calls = world.proxy.calls();
    let creation = calls.iter().find(|call| call.action == "CreateAutoScalingGroup").unwrap();
    let hook = "LifecycleHookSpecificationList.member.1";
    assert_eq!(creation.params[&format!("{hook}.LifecycleHookName")], world.stack.hook);
    assert_eq!(creation.params[&format!("{hook}.HeartbeatTimeout")], "300");
    assert_eq!(cloud.scaling_group_settings(&green()).await.unwrap().as_ref(), Some(&settings));

    let error = cloud.create_scaling_group(&green(), &settings).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);
    settings.uncarried.push("warm pool".to_owned());
    let name = ScalingGroupName::new("web-other");
    let error = cloud.create_scaling_group(&name, &settings).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("warm pool"));

    cloud.delete_scaling_group(&green()).await.unwrap();
    cloud.delete_scaling_group(&green()).await.unwrap();
    assert_eq!(cloud.scaling_group_settings(&green()).await.unwrap(), None);
}

#[tokio::test]
async fn who_hears_of_a_group_is_read() {
    let world = World::new().await;
    let topic = "arn:aws:sns:us-east-1:123456789012:ops";
    world.proxy.add_notification("web", topic, "autoscaling:EC2_INSTANCE_LAUNCH");
    let settings = world.cloud.scaling_group_settings(&web()).await.unwrap().unwrap();
    assert_eq!((settings.uncarried, settings.unknown), (vec![], vec![]));
    let fittings = world.cloud.fittings(&web()).await.unwrap();
    let topic = Fitting::Notifications(topic.to_owned());
    let kinds = fittings.get(&topic).map(|kinds| kinds.value().to_string());
    assert_eq!(kinds.as_deref(), Some(r#"["autoscaling:EC2_INSTANCE_LAUNCH"]"#));
}

#[tokio::test]
async fn the_settings_of_a_group_of_mixed_instances_make_it_again() {
    let world = World::new().await;
    let (cloud, url) = (&world.cloud, world.proxy.url());
    let mixed = "MixedInstancesPolicy";
    let specification = format!("{mixed}.LaunchTemplate.LaunchTemplateSpecification");
    let overrides = format!("{mixed}.LaunchTemplate.Overrides.member");
    let params = [
        ("AutoScalingGroupName", "mixed"),
        ("MinSize", "0"),
        ("MaxSize", "2"),
        (&*format!("{specification}.LaunchTemplateName"), "web"),
        (&*format!("{specification}.Version"), "$Latest"),
        (&*format!("{overrides}.1.InstanceType"), "t3.micro"),
        (&*format!("{overrides}.1.WeightedCapacity"), "1"),
        (&*format!("{overrides}.2.InstanceType"), "t3.small"),
        (&*format!("{mixed}.InstancesDistribution.OnDemandBaseCapacity"), "1"),
        ("NewInstancesProtectedFromScaleIn", "true"),
        ("PlacementGroup", "tight"),
        ("TerminationPolicies.member.1", "OldestInstance"),
        ("CapacityRebalance", "true"),
        ("AvailabilityZones.member.1", "us-east-1a"),
    ];
    let made = query(&url, "autoscaling", "CreateAutoScalingGroup", &params).await.unwrap();
    assert_eq!(made.status, 200, "{}", made.body);
    let name = ScalingGroupName::new("mixed");
    let settings = cloud.scaling_group_settings(&name).await.unwrap().unwrap();
    assert_eq!((&settings.uncarried, &settings.unknown), (&vec![], &vec![]));
    assert!(matches!(settings.launch, LaunchSource::Mixed { .. }), "{:?}", settings.launch);
    cloud.create_scaling_group(&green(), &settings).await.unwrap();
    assert_eq!(cloud.scaling_group_settings(&green()).await.unwrap(), Some(settings.clone()));

    let pinned = settings.launch.with_version(TemplateVersion::Number(1));
    cloud.set_launch(&green(), &pinned).await.unwrap();
    let group = cloud.scaling_groups(&[green()]).await.unwrap().remove(0);
    assert_eq!(group.launch, pinned);
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_left_open() {
    let world = World::new().await;
    let mut settings = world.cloud.scaling_group_settings(&web()).await.unwrap().unwrap();
    settings.capacity = Capacity::ZERO;
    world.calls();
    world.proxy.fail_action("CreateAutoScalingGroup", 0, Fault::LoseReply);
    let error = world.cloud.create_scaling_group(&green(), &settings).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::OutcomeUnknown);
    let creations = world.calls().iter().filter(|one| *one == "CreateAutoScalingGroup").count();
    assert_eq!(creations, 1);
    assert_eq!(world.cloud.scaling_groups(&[green()]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_group_is_resized_held_and_given_another_version() {
    let world = World::new().await;
    let cloud = &world.cloud;
    let read = || async { cloud.scaling_groups(&[web()]).await.unwrap().remove(0) };

    cloud.set_capacity(&web(), Capacity::new(2, 3, 5)).await.unwrap();
    assert_eq!(read().await.capacity, Capacity::new(2, 3, 5));

    let pinned = LaunchSource::Template {
        template: LaunchTemplateName::new("web"),
        version: TemplateVersion::Number(1),
    };
    cloud.set_launch(&web(), &pinned).await.unwrap();
    assert_eq!(read().await.launch, pinned);

    let held: BTreeMap<_, _> = Process::HELD_ON_IDLE.into_iter().map(|one| (one, true)).collect();
    cloud.set_suspended(&web(), &held).await.unwrap();
    assert_eq!(read().await.suspended, Process::HELD_ON_IDLE.into());
    cloud.set_suspended(&web(), &[(Process::AlarmNotification, false)].into()).await.unwrap();
    assert_eq!(read().await.suspended, [Process::ScheduledActions].into());
    cloud.set_suspended(&web(), &BTreeMap::new()).await.unwrap();
    assert_eq!(read().await.suspended, [Process::ScheduledActions].into());

    let nobody = ScalingGroupName::new("nobody");
    let error = cloud.set_capacity(&nobody, Capacity::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::NotFound);
}

#[tokio::test]
async fn the_tags_of_a_group_reach_no_machine() {
    let world = World::new().await;
    let resource = ResourceKey::ScalingGroup(web());
    let tags: BTreeMap<_, _> =
        (0..30).map(|number| (format!("key-{number}"), Some(number.to_string()))).collect();
    world.cloud.set_tags(&resource, &tags).await.unwrap();
    let found = world.cloud.tags(&resource).await.unwrap().unwrap();
    assert_eq!((found["key-29"].as_str(), found["team"].as_str()), ("29", "search"));
    let group = world.cloud.scaling_groups(&[web()]).await.unwrap().remove(0);
    assert!(!group.tags["key-0"].propagate && group.tags["Name"].propagate);

    let removed = tags.into_keys().map(|key| (key, None)).collect();
    world.cloud.set_tags(&resource, &removed).await.unwrap();
    let found = world.cloud.tags(&resource).await.unwrap().unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["Name", "team"]);
    let nobody = ResourceKey::ScalingGroup(ScalingGroupName::new("nobody"));
    assert_eq!(world.cloud.tags(&nobody).await.unwrap(), None);
}

#[tokio::test]
async fn an_instance_refresh_is_told_while_it_is_under_way() {
    let world = World::new().await;
    assert_eq!(world.cloud.instance_refresh(&web()).await.unwrap(), None);
    world.proxy.set_instance_refresh("web", "InProgress");
    let found = world.cloud.instance_refresh(&web()).await.unwrap();
    assert_eq!(found.as_deref(), Some("InProgress"));
    world.proxy.set_instance_refresh("web", "Successful");
    assert_eq!(world.cloud.instance_refresh(&web()).await.unwrap(), None);
}

#[tokio::test]
async fn policies_and_schedules_are_made_for_another_group() {
    let world = World::new().await;
    let cloud = &world.cloud;
    let mut settings = cloud.scaling_group_settings(&web()).await.unwrap().unwrap();
    settings.capacity = Capacity::ZERO;
    cloud.create_scaling_group(&green(), &settings).await.unwrap();

    let mut policies = cloud.policies(&web()).await.unwrap();
    let names: Vec<_> = policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["web-requests", "web-up"]);
    let http = (LoadBalancerName::new("web"), TargetGroupName::new("web-http"));
    assert_eq!(policies[0].counts_requests_of.as_ref(), Some(&http));
    policies[0].counts_requests_of = Some((http.0, TargetGroupName::new("web-https")));
    for policy in &mut policies {
        // For moto, unlike for AWS, a name can have one policy only, whatever the group.
        policy.name = PolicyName::new(format!("green-{}", policy.name));
    }
    for policy in &policies {
        cloud.put_policy(&green(), policy).await.unwrap();
        cloud.put_policy(&green(), policy).await.unwrap();
    }
    let mut found = cloud.policies(&green()).await.unwrap();
    for (one, other) in found.iter_mut().zip(&mut policies) {
        // Which alarms set a policy off is not the policy's to say.
        one.alarms.clear();
        other.alarms.clear();
    }
    assert_eq!(found, policies);

    let schedules = cloud.schedules(&web()).await.unwrap();
    assert_eq!(schedules.len(), 1);
    cloud.put_schedule(&green(), &schedules[0]).await.unwrap();
    assert_eq!(cloud.schedules(&green()).await.unwrap(), schedules);
    for _ in 0..2 {
        cloud.delete_schedule(&green(), &schedules[0].name).await.unwrap();
        let key = PolicyKey { group: green(), policy: policies[1].name.clone() };
        cloud.delete_policy(&key).await.unwrap();
    }
    assert!(cloud.schedules(&green()).await.unwrap().is_empty());
    assert_eq!(cloud.policies(&green()).await.unwrap().len(), 1);
    let nobody = ScalingGroupName::new("nobody");
    assert!(cloud.policies(&nobody).await.unwrap().is_empty());
    assert!(cloud.schedules(&nobody).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_alarm_is_made_for_another_group() {
    let world = World::new().await;
    let cloud = &world.cloud;
    let mut settings = cloud.scaling_group_settings(&web()).await.unwrap().unwrap();
    settings.capacity = Capacity::ZERO;
    cloud.create_scaling_group(&green(), &settings).await.unwrap();

    let names = [AlarmName::new("web-cpu-high"), AlarmName::new("nobody")];
    let mut alarm = cloud.alarms(&names).await.unwrap().remove(0);
    assert_eq!(alarm.dimensions[0].value, DimensionValue::ScalingGroup(web()));
    assert_eq!(alarm.sets_off[0].group, web());
    alarm.name = AlarmName::new("web-green-cpu-high");
    alarm.dimensions[0].value = DimensionValue::ScalingGroup(green());
    alarm.sets_off[0].group = green();
    let error = cloud.put_alarm(&alarm).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::NotFound);

    let mut policy = cloud.policies(&web()).await.unwrap().remove(1);
    policy.name = PolicyName::new("web-green-up");
    alarm.sets_off[0].policy = policy.name.clone();
    cloud.put_policy(&green(), &policy).await.unwrap();
    cloud.put_alarm(&alarm).await.unwrap();
    let found = cloud.alarms(std::slice::from_ref(&alarm.name)).await.unwrap();
    assert_eq!(found, [alarm.clone()]);
    cloud.delete_alarm(&alarm.name).await.unwrap();
    cloud.delete_alarm(&alarm.name).await.unwrap();
    assert!(cloud.alarms(&[alarm.name]).await.unwrap().is_empty());
    assert!(cloud.alarms(&[]).await.unwrap().is_empty());
}
