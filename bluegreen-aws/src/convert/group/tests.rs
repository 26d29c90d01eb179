use super::*;
use crate::query::Form;

const ARN: &str =
    "arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:0f:autoScalingGroupName/web";
const BLUE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/01";

/// A group as AWS shows it that sets nothing beyond what every group has.
fn plain() -> sdk::builders::AutoScalingGroupBuilder {
    sdk::AutoScalingGroup::builder()
        .auto_scaling_group_name("web")
        .auto_scaling_group_arn(ARN)
        .launch_template(
            sdk::LaunchTemplateSpecification::builder()
                .launch_template_id("lt-1")
                .launch_template_name("web")
                .version("$Latest")
                .build(),
        )
        .min_size(2)
        .desired_capacity(3)
        .max_size(6)
        .default_cooldown(300)
        .health_check_type("ELB")
        .health_check_grace_period(60)
        .vpc_zone_identifier("subnet-1,subnet-2")
        .availability_zones("eu-west-1a")
        .termination_policies("Default")
        .new_instances_protected_from_scale_in(false)
        .service_linked_role_arn(
            "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        )
        .capacity_rebalance(false)
        .max_instance_lifetime(0)
        .deletion_protection(sdk::DeletionProtection::None)
        .target_group_arns(BLUE)
        .traffic_sources(
            sdk::TrafficSourceIdentifier::builder().identifier(BLUE).r#type("elbv2").build(),
        )
        .tags(tag("Name", "web", true))
        .tags(tag("aws:cloudformation:stack-name", "x", true))
}

/// What AWS writes in a group that says nothing, as far as it is carried as it is written.
const DEFAULTS: &str = "
    <DesiredCapacityType>units</DesiredCapacityType>
    <NewInstancesProtectedFromScaleIn>false</NewInstancesProtectedFromScaleIn>
    <AvailabilityZoneDistribution>
      <CapacityDistributionStrategy>balanced-best-effort</CapacityDistributionStrategy>
    </AvailabilityZoneDistribution>
    <AvailabilityZoneImpairmentPolicy><ZonalShiftEnabled>false</ZonalShiftEnabled>
    </AvailabilityZoneImpairmentPolicy>
    <CapacityReservationSpecification>
      <CapacityReservationPreference>default</CapacityReservationPreference>
    </CapacityReservationSpecification>";

fn described(group: sdk::builders::AutoScalingGroupBuilder, xml: &str) -> Described {
    let tree = Tree::parse(format!("<G>{xml}</G>").as_bytes());
    Described { group: group.build(), tree }
}

fn tag(key: &str, value: &str, propagate: bool) -> sdk::TagDescription {
    sdk::TagDescription::builder()
        .resource_id("web")
        .key(key)
        .value(value)
        .propagate_at_launch(propagate)
        .build()
}

fn suspended_process(name: &str, reason: &str) -> sdk::SuspendedProcess {
    sdk::SuspendedProcess::builder().process_name(name).suspension_reason(reason).build()
}

#[test]
fn what_aws_sets_by_itself_is_not_carried() {
    let settings = read_settings(&described(plain(), DEFAULTS), &Related::default()).unwrap();
    assert_eq!((settings.uncarried, settings.unknown), (vec![], vec![]));
    assert_eq!(settings.tags.keys().collect::<Vec<_>>(), ["Name"]);
    assert_eq!(settings.details.value().get("members"), None);
}

#[test]
fn what_a_clone_would_not_get_is_named() {
    let image = sdk::LaunchTemplateOverrides::builder().instance_type("m5.large").image_id("ami-1");
    let mixed = sdk::LaunchTemplate::builder().overrides(image.build()).build();
    let group = plain()
        .load_balancer_names("classic")
        .traffic_sources(
            sdk::TrafficSourceIdentifier::builder()
                .identifier("tg-0")
                .r#type("vpc-lattice")
                .build(),
        )
        .mixed_instances_policy(sdk::MixedInstancesPolicy::builder().launch_template(mixed).build())
        .suspended_processes(suspended_process("AZRebalance", "User suspended at 2026-01-01"))
        .suspended_processes(suspended_process("Dream", "User suspended"))
        .suspended_processes(suspended_process("Sleep", "Administrative suspension"))
        .suspended_processes(suspended_process("RemoveFromLoadBalancerLowPriority", "User"));
    let named = uncarried::list(&group.clone().build());
    assert_eq!(
        named,
        [
            "classic load balancers",
            "traffic source tg-0",
            "override for m5.large with an image of its own",
        ]
    );
    let unknown: Vec<String> = uncarried::unknown_processes(&group.build()).collect();
    assert_eq!(unknown, ["suspended process Dream"]);
}

/// Everything that is carried as AWS wrote it.
const MEMBERS: &str = "
    <PlacementGroup>tight</PlacementGroup>
    <NewInstancesProtectedFromScaleIn>true</NewInstancesProtectedFromScaleIn>
    <DesiredCapacityType>vcpu</DesiredCapacityType>
    <AvailabilityZoneDistribution>
      <CapacityDistributionStrategy>balanced-only</CapacityDistributionStrategy>
    </AvailabilityZoneDistribution>
    <AvailabilityZoneImpairmentPolicy><ZonalShiftEnabled>true</ZonalShiftEnabled>
      <ImpairedZoneHealthCheckBehavior>IgnoreUnhealthy</ImpairedZoneHealthCheckBehavior>
    </AvailabilityZoneImpairmentPolicy>
    <CapacityReservationSpecification>
      <CapacityReservationPreference>capacity-reservations-first</CapacityReservationPreference>
      <CapacityReservationTarget>
        <CapacityReservationIds><member>cr-1</member></CapacityReservationIds>
      </CapacityReservationTarget>
    </CapacityReservationSpecification>
    <InstanceLifecyclePolicy><RetentionTriggers>
      <TerminateHookAbandon>retain</TerminateHookAbandon>
    </RetentionTriggers></InstanceLifecyclePolicy>";

#[test]
fn what_is_read_is_what_is_written() {
    let group = plain()
        .default_instance_warmup(120)
        .max_instance_lifetime(86_400)
        .capacity_rebalance(true)
        .instance_maintenance_policy(
            sdk::InstanceMaintenancePolicy::builder()
                .min_healthy_percentage(90)
                .max_healthy_percentage(110)
                .build(),
        );
    let hook = sdk::LifecycleHook::builder()
        .lifecycle_hook_name("warm")
        .auto_scaling_group_name("web")
        .lifecycle_transition("autoscaling:EC2_INSTANCE_LAUNCHING")
        .heartbeat_timeout(300)
        .global_timeout(30_000)
        .default_result("ABANDON")
        .build();
    let related = Related { hooks: vec![hook], ..Related::default() };
    let settings = read_settings(&described(group, MEMBERS), &related).unwrap();
    let arns = BTreeMap::from([(TargetGroupName::new("blue"), BLUE.to_owned())]);
    let request = write(&ScalingGroupName::new("web-green"), &settings, &arns).unwrap();
    let request = format!("{}&", request.encode("v"));
    let reserved =
        "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationIds";
    for part in [
        "&AutoScalingGroupName=web-green&MinSize=2&DesiredCapacity=3&MaxSize=6&",
        "&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=%24Latest&",
        "&VPCZoneIdentifier=subnet-1%2Csubnet-2&",
        "&DefaultInstanceWarmup=120&",
        "&MaxInstanceLifetime=86400&CapacityRebalance=true&",
        "&InstanceMaintenancePolicy.MinHealthyPercentage=90&",
        "&LifecycleHookSpecificationList.member.1.HeartbeatTimeout=300&",
        "&Tags.member.1.ResourceId=web-green&",
        "&PlacementGroup=tight&",
        "&NewInstancesProtectedFromScaleIn=true&",
        "&DesiredCapacityType=vcpu&",
        "&AvailabilityZoneDistribution.CapacityDistributionStrategy=balanced-only&",
        "&AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled=true&",
        "&InstanceLifecyclePolicy.RetentionTriggers.TerminateHookAbandon=retain&",
        &format!("&{reserved}.member.1=cr-1&"),
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
    for part in ["AvailabilityZones", "TrafficSources", "ServiceLinkedRole", "GlobalTimeout"] {
        assert!(!request.contains(part), "{part} is in {request}");
    }
}

#[test]
fn a_group_of_mixed_instances_is_read_and_written_whole() {
    let template = sdk::LaunchTemplateSpecification::builder();
    let template = template.launch_template_name("web").version("$Latest").build();
    let mixed = sdk::LaunchTemplate::builder().launch_template_specification(template).build();
    let group = plain().set_launch_template(None).mixed_instances_policy(
        sdk::MixedInstancesPolicy::builder().launch_template(mixed).build(),
    );
    let xml = "<MixedInstancesPolicy><LaunchTemplate><LaunchTemplateSpecification>
        <LaunchTemplateId>lt-1</LaunchTemplateId><LaunchTemplateName>web</LaunchTemplateName>
        <Version>$Latest</Version></LaunchTemplateSpecification><Overrides>
        <member><InstanceType>m5.large</InstanceType><WeightedCapacity>2</WeightedCapacity></member>
        <member><InstanceRequirements><VCpuCount><Min>2</Min></VCpuCount></InstanceRequirements>
        </member></Overrides></LaunchTemplate><InstancesDistribution>
        <OnDemandBaseCapacity>1</OnDemandBaseCapacity><SpotMaxPrice/></InstancesDistribution>
        </MixedInstancesPolicy>";
    let described = described(group, xml);
    let launch = read(&described).unwrap().launch;
    assert_eq!(launch.to_string(), "web version $Latest, mixed instances");
    let launch = launch.with_version(TemplateVersion::Number(7));
    let request = write_launch(Form::new("UpdateAutoScalingGroup"), &launch).unwrap().encode("v");
    let at = "MixedInstancesPolicy.LaunchTemplate";
    for part in [
        format!("&{at}.LaunchTemplateSpecification.LaunchTemplateName=web&"),
        format!("&{at}.LaunchTemplateSpecification.Version=7"),
        format!("&{at}.Overrides.member.1.WeightedCapacity=2&"),
        format!("&{at}.Overrides.member.2.InstanceRequirements.VCpuCount.Min=2&"),
        "&MixedInstancesPolicy.InstancesDistribution.OnDemandBaseCapacity=1&".to_owned(),
    ] {
        assert!(request.contains(&part), "{part} is not in {request}");
    }
    assert!(!request.contains("LaunchTemplateId") && !request.contains("SpotMaxPrice"));
}

#[test]
fn what_a_group_is_fitted_with_is_read() {
    let metric = |name: &str| sdk::EnabledMetric::builder().metric(name).build();
    let group = plain()
        .deletion_protection(sdk::DeletionProtection::PreventAllDeletion)
        .enabled_metrics(metric("GroupMinSize"))
        .enabled_metrics(metric("GroupMaxSize"));
    let xml = "<WarmPoolConfiguration><MinSize>1</MinSize><PoolState>Stopped</PoolState>
        <Status>PendingDelete</Status></WarmPoolConfiguration>";
    let news = |topic: &str, kind: &str| {
        sdk::NotificationConfiguration::builder().topic_arn(topic).notification_type(kind).build()
    };
    let rows = [news("b", "LAUNCH"), news("a", "TERMINATE"), news("a", "LAUNCH")];
    let fittings = read_fittings(&described(group, xml), &rows);
    let shown: Vec<String> =
        fittings.iter().map(|(fitting, value)| format!("{fitting}: {}", value.value())).collect();
    assert_eq!(
        shown,
        [
            r#"notifications to a: ["LAUNCH","TERMINATE"]"#,
            r#"notifications to b: ["LAUNCH"]"#,
            r#"collected metrics: {"granularity":"1Minute","metrics":["GroupMaxSize","GroupMinSize"]}"#,
            r#"warm pool: {"MinSize":"1","PoolState":"Stopped"}"#,
            r#"deletion protection: "prevent-all-deletion""#,
        ]
    );
}

#[test]
fn a_group_is_read() {
    let instance = |id: &str, state: &str| {
        sdk::Instance::builder()
            .instance_id(id)
            .lifecycle_state(state.into())
            .health_status("Healthy")
            .build()
    };
    let group = plain()
        .instances(instance("i-1", "InService"))
        .instances(instance("i-2", "Terminating:Wait"))
        .instances(instance("i-3", "Warmed:Stopped"))
        .suspended_processes(suspended_process("AlarmNotification", "User suspended"))
        .suspended_processes(suspended_process("AZRebalance", "User suspended"))
        .suspended_processes(suspended_process("Launch", "Administrative suspension"))
        .status("Delete in progress");
    let read = read(&described(group, DEFAULTS)).unwrap();
    assert_eq!(read.capacity, Capacity::new(2, 3, 6));
    assert_eq!(read.account.as_str(), "123456789012");
    let states: Vec<_> = read.instances.iter().map(|one| one.lifecycle).collect();
    assert_eq!(states, [Lifecycle::InService, Lifecycle::Terminating, Lifecycle::Other]);
    assert_eq!(read.target_groups, [TargetGroupName::new("blue")].into());
    assert_eq!(read.suspended, [Process::AlarmNotification, Process::AzRebalance].into());
    assert!(read.deleting);
}

#[test]
fn a_mark_is_never_sent() {
    let mark = bluegreen_core::model::Mark::new(&bluegreen_core::model::RunId::new("r"), "1");
    assert!(write_version(&TemplateVersion::Marked(mark)).is_err());
    assert_eq!(write_version(&TemplateVersion::Number(7)).unwrap(), "7");
}
