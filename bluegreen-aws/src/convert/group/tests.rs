use super::*;

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
        .desired_capacity_type("units")
        .availability_zone_distribution(
            sdk::AvailabilityZoneDistribution::builder()
                .capacity_distribution_strategy(
                    sdk::CapacityDistributionStrategy::BalancedBestEffort,
                )
                .build(),
        )
        .availability_zone_impairment_policy(
            sdk::AvailabilityZoneImpairmentPolicy::builder().zonal_shift_enabled(false).build(),
        )
        .capacity_reservation_specification(
            sdk::CapacityReservationSpecification::builder()
                .capacity_reservation_preference(sdk::CapacityReservationPreference::Default)
                .build(),
        )
        .target_group_arns(BLUE)
        .traffic_sources(
            sdk::TrafficSourceIdentifier::builder().identifier(BLUE).r#type("elbv2").build(),
        )
        .tags(tag("Name", "web", true))
        .tags(tag("aws:cloudformation:stack-name", "x", true))
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
fn what_aws_sets_by_itself_makes_no_group_uncarried() {
    let settings = read_settings(&plain().build(), &Related::default()).unwrap();
    assert_eq!(settings.uncarried, Vec::<String>::new());
    assert_eq!(settings.tags.keys().collect::<Vec<_>>(), ["Name"]);
}

#[test]
fn what_a_clone_would_not_get_is_named() {
    let group = plain()
        .placement_group("tight")
        .load_balancer_names("classic")
        .new_instances_protected_from_scale_in(true)
        .deletion_protection(sdk::DeletionProtection::PreventAllDeletion)
        .warm_pool_configuration(sdk::WarmPoolConfiguration::builder().min_size(1).build())
        .enabled_metrics(sdk::EnabledMetric::builder().metric("GroupMinSize").build())
        .traffic_sources(
            sdk::TrafficSourceIdentifier::builder()
                .identifier("tg-0")
                .r#type("vpc-lattice")
                .build(),
        )
        .suspended_processes(suspended_process("AZRebalance", "User suspended at 2026-01-01"))
        .suspended_processes(suspended_process("AlarmNotification", "User suspended"))
        .suspended_processes(suspended_process("Launch", "Administrative suspension"))
        .build();
    let related = Related {
        notifications: vec![sdk::NotificationConfiguration::builder().topic_arn("arn").build()],
        ..Related::default()
    };
    assert_eq!(
        read_settings(&group, &related).unwrap().uncarried,
        [
            "classic load balancers",
            "placement group",
            "enabled metrics",
            "scale-in protection",
            "warm pool",
            "deletion protection",
            "notifications",
            "traffic source tg-0",
            "suspended process AZRebalance",
        ]
    );
}

#[test]
fn what_is_read_is_what_is_written() {
    let group = plain()
        .default_instance_warmup(120)
        .max_instance_lifetime(86_400)
        .instance_maintenance_policy(
            sdk::InstanceMaintenancePolicy::builder()
                .min_healthy_percentage(90)
                .max_healthy_percentage(110)
                .build(),
        )
        .build();
    let hook = sdk::LifecycleHook::builder()
        .lifecycle_hook_name("warm")
        .auto_scaling_group_name("web")
        .lifecycle_transition("autoscaling:EC2_INSTANCE_LAUNCHING")
        .heartbeat_timeout(300)
        .global_timeout(30_000)
        .default_result("ABANDON")
        .build();
    let related = Related { hooks: vec![hook], ..Related::default() };
    let settings = read_settings(&group, &related).unwrap();
    let arns = BTreeMap::from([(TargetGroupName::new("blue"), BLUE.to_owned())]);
    let request = write(&ScalingGroupName::new("web-green"), &settings, &arns).unwrap();
    let request = request.build().unwrap();

    let template = request.launch_template().unwrap();
    assert_eq!((template.launch_template_id(), template.version()), (None, Some("$Latest")));
    assert_eq!(request.vpc_zone_identifier(), Some("subnet-1,subnet-2"));
    assert!(request.availability_zones().is_empty());
    assert_eq!(request.default_instance_warmup(), Some(120));
    assert_eq!(request.max_instance_lifetime(), Some(86_400));
    assert_eq!(request.instance_maintenance_policy(), group.instance_maintenance_policy());
    assert_eq!(request.service_linked_role_arn(), None);
    assert_eq!(request.target_group_arns(), [BLUE]);
    assert!(request.traffic_sources().is_empty());
    assert_eq!(request.lifecycle_hook_specification_list()[0].heartbeat_timeout(), Some(300));
    assert_eq!(request.tags()[0].resource_id(), Some("web-green"));
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
        .status("Delete in progress")
        .build();
    let read = read(&group).unwrap();
    assert_eq!(read.capacity, Capacity::new(2, 3, 6));
    assert_eq!(read.account.as_str(), "123456789012");
    let states: Vec<_> = read.instances.iter().map(|one| one.lifecycle).collect();
    assert_eq!(states, [Lifecycle::InService, Lifecycle::Terminating, Lifecycle::Other]);
    assert_eq!(read.target_groups, [TargetGroupName::new("blue")].into());
    assert_eq!(read.suspended, [Process::AlarmNotification].into());
    assert!(read.deleting);
}

#[test]
fn a_mark_is_never_sent() {
    let mark = bluegreen_core::model::Mark::new(&bluegreen_core::model::RunId::new("r"), "1");
    assert!(write_version(&TemplateVersion::Marked(mark)).is_err());
    assert_eq!(write_version(&TemplateVersion::Number(7)).unwrap(), "7");
}
