//! Scaling groups over the whole list of what they can have, cloned through the wire.

use std::collections::BTreeSet;
use std::time::Duration;

use bluegreen_aws::AwsCloud;
use bluegreen_core::cloud::ReadScalingGroups as _;
use bluegreen_core::model::{
    AccountId, Actions, Capacity, Color, DimensionValue, EnvironmentName, Fitting, GroupTag,
    LaunchSource, LoadBalancerKind, LoadBalancerName, Opaque, Policy, PolicyName, Process,
    ScalingGroupName, ScalingGroupSettings, TargetGroupName, TargetGroupSettings, TemplateVersion,
    tag_key,
};
use bluegreen_core::operation::{Bluegreen, Done, EnvironmentSpec, compare};
use bluegreen_core::plan::{UndoOptions, UpgradeOptions};
use bluegreen_core::transaction::{Ending, Policy as Patience, differences, fields};
use bluegreen_testkit::MemoryStore;
use bluegreen_testkit::fake::{ScalingGroupState, World, target_group, template};
use bluegreen_testkit::playground::{Options, Playground};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::world::config;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

fn web() -> ScalingGroupName {
    ScalingGroupName::new("web")
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("web-green")
}

/// The settings that a group may have, each as AWS writes it.
fn members() -> Vec<(&'static str, Value)> {
    let target = json!({"CapacityReservationIds": ["cr-1"]});
    vec![
        ("AvailabilityZoneDistribution", json!({"CapacityDistributionStrategy": "balanced-only"})),
        (
            "AvailabilityZoneImpairmentPolicy",
            json!({
                "ImpairedZoneHealthCheckBehavior": "IgnoreUnhealthy", "ZonalShiftEnabled": "true",
            }),
        ),
        (
            "CapacityReservationSpecification",
            json!({
                "CapacityReservationPreference": "capacity-reservations-first",
                "CapacityReservationTarget": target,
            }),
        ),
        ("DesiredCapacityType", json!("vcpu")),
        (
            "InstanceLifecyclePolicy",
            json!({"RetentionTriggers": {"TerminateHookAbandon": "retain"}}),
        ),
        ("NewInstancesProtectedFromScaleIn", json!("true")),
        ("PlacementGroup", json!("tight")),
    ]
}

/// The settings that the adapter knows by names of its own.
fn named() -> Vec<(&'static str, Value)> {
    let hook = json!({
        "name": "warm", "transition": "autoscaling:EC2_INSTANCE_LAUNCHING",
        "default_result": "CONTINUE", "heartbeat_timeout": 60,
    });
    vec![
        ("default_instance_warmup", json!(120)),
        ("max_instance_lifetime", json!(86_400)),
        ("capacity_rebalance", json!(true)),
        ("maintenance", json!({"min_healthy_percentage": 90, "max_healthy_percentage": 110})),
        (
            "service_linked_role",
            json!("arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/Own"),
        ),
        ("hooks", json!([hook])),
    ]
}

fn launches() -> Vec<LaunchSource> {
    let LaunchSource::Template { template: name, .. } = template("web", 1) else {
        panic!("it is a template")
    };
    let policy = json!({
        "InstancesDistribution": {
            "OnDemandBaseCapacity": "1", "SpotAllocationStrategy": "price-capacity-optimized",
        },
        "LaunchTemplate": {"Overrides": [
            {"InstanceType": "m5.large", "WeightedCapacity": "2"},
            {"InstanceRequirements": {
                "MemoryMiB": {"Min": "2048"}, "VCpuCount": {"Max": "4", "Min": "2"},
            }},
        ]},
    });
    let mixed = |version| LaunchSource::Mixed {
        template: name.clone(),
        version,
        policy: Opaque::new(policy.clone()),
    };
    vec![
        template("web", 1),
        template("web", 1).with_version(TemplateVersion::Latest),
        mixed(TemplateVersion::Number(1)),
        mixed(TemplateVersion::Default),
    ]
}

fn fittings() -> Vec<(Fitting, Value)> {
    let topic = |name: &str| Fitting::Notifications(format!("arn:aws:sns:{REGION}:1:{name}"));
    let metrics = json!({"granularity": "1Minute", "metrics": ["GroupMaxSize", "GroupMinSize"]});
    vec![
        (topic("dev"), json!(["autoscaling:EC2_INSTANCE_TERMINATE"])),
        (
            topic("ops"),
            json!(["autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"]),
        ),
        (Fitting::Metrics, metrics),
        (
            Fitting::WarmPool,
            json!({
                "InstanceReusePolicy": {"ReuseOnScaleIn": "true"},
                "MaxGroupPreparedCapacity": "5", "MinSize": "1", "PoolState": "Hibernated",
            }),
        ),
        (Fitting::DeletionProtection, json!("prevent-all-deletion")),
    ]
}

fn policies() -> Vec<Policy> {
    let policy = |name: &str, counts_requests_of, details| Policy {
        name: PolicyName::new(name),
        counts_requests_of,
        details: Opaque::new(details),
        alarms: vec![],
        uncarried: None,
    };
    let (balancer, group) = (LoadBalancerName::new("web"), TargetGroupName::new("web-http"));
    let requests = DimensionValue::Requests(balancer.clone(), group.clone());
    let of =
        |name: &str, value: &DimensionValue| json!({"Name": name, "Value": Opaque::name(value)});
    let metric = json!({
        "Dimensions": [
            of("AutoScalingGroupName", &DimensionValue::ScalingGroup(web())),
            of("TargetGroup", &DimensionValue::TargetGroup(group.clone())),
            of("LoadBalancer", &DimensionValue::LoadBalancer(balancer.clone())),
            {"Name": "Stage", "Value": "live"},
        ],
        "MetricName": "Queue", "Namespace": "App",
    });
    let tracking = |tracking: Value| json!({"policy_type": "TargetTrackingScaling", "enabled": true, "target_tracking": tracking});
    let mut plain = metric.clone();
    plain["Statistic"] = json!("Sum");
    let math = json!({"Metrics": [
        {"Id": "q", "MetricStat": {"Metric": metric, "Stat": "Sum"}, "ReturnData": "false"},
        {"Expression": "q / 2", "Id": "e", "ReturnData": "true"},
    ]});
    let custom =
        |metric| json!({"target_value": 10.5, "disable_scale_in": true, "customized": metric});
    let forecast = json!({
        "policy_type": "PredictiveScaling", "enabled": true,
        "predictive": {
            "MaxCapacityBreachBehavior": "HonorMaxCapacity",
            "MetricSpecifications": [{
                "PredefinedMetricPairSpecification": {
                    "PredefinedMetricType": "ALBRequestCount",
                    "ResourceLabel": Opaque::name(&requests),
                },
                "TargetValue": "50",
            }],
            "Mode": "ForecastOnly",
        },
    });
    let counting = json!({
        "target_value": 1000.0, "disable_scale_in": false, "predefined": "ALBRequestCountPerTarget",
    });
    let steps = json!({
        "policy_type": "StepScaling", "enabled": true, "adjustment_type": "ChangeInCapacity",
        "metric_aggregation_type": "Average",
        "steps": [{"lower_bound": 0.0, "adjustment": 2}],
    });
    let simple = json!({
        "policy_type": "SimpleScaling", "enabled": false, "adjustment_type": "ExactCapacity",
        "scaling_adjustment": 3, "cooldown": 60,
    });
    vec![
        policy("requests", Some((balancer, group)), tracking(counting)),
        policy("queue", None, tracking(custom(plain))),
        policy("math", None, tracking(custom(math))),
        policy("forecast", None, forecast),
        policy("steps", None, steps),
        policy("simple", None, simple),
    ]
}

/// A target group as the adapter reads it.
fn served() -> TargetGroupSettings {
    let details = json!({
        "vpc_id": "vpc-00000001", "target_type": "instance", "protocol_version": "HTTP1",
        "ip_address_type": "ipv4", "health_check_enabled": true, "health_check_protocol": "HTTP",
        "health_check_port": "traffic-port", "health_check_path": "/",
    });
    TargetGroupSettings { details: Opaque::new(details), ..target_group(80, "HTTP") }
}

fn any_world() -> impl Strategy<Value = World> {
    let settings = (
        prop::sample::subsequence(members(), 0..=members().len()),
        prop::sample::subsequence(named(), 0..=named().len()),
        prop::sample::select(launches()),
    );
    let around = (
        prop::sample::subsequence(Process::ALL.to_vec(), 0..=Process::ALL.len()),
        prop::sample::subsequence(fittings(), 0..=fittings().len()),
        prop::sample::subsequence(policies(), 0..=policies().len()),
    );
    (settings, around).prop_map(|((members, named, launch), (suspended, fittings, policies))| {
        let mut details = json!({
            "vpc_zone_identifier": "subnet-0000000a,subnet-0000000b",
            "health_check_type": "ELB", "health_check_grace_period": 30, "default_cooldown": 300,
            "termination_policies": ["OldestInstance"],
        });
        for (name, value) in named {
            details[name] = value;
        }
        if !members.is_empty() {
            let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
            details["members"] = Value::Object(members.collect::<Map<_, _>>());
        }
        let tag = |value: &str, propagate| GroupTag { value: value.to_owned(), propagate };
        let settings = ScalingGroupSettings {
            launch,
            capacity: Capacity::new(0, 0, 4),
            target_groups: [TargetGroupName::new("web-http")].into(),
            tags: [("Name".to_owned(), tag("web", true)), ("team".to_owned(), tag("", false))]
                .into(),
            details: Opaque::new(details),
            uncarried: vec![],
            unknown: vec![],
        };
        let world = World::default()
            .with_template("web", &["ami-0a"])
            .with_load_balancer("web", LoadBalancerKind::Application)
            .with_target_group_settings("web-http", served())
            .with_listener("web", 80, "HTTP", Actions::forward_to(TargetGroupName::new("web-http")))
            .with_scaling_group("web", settings)
            .with_suspended("web", suspended);
        let world = fittings.into_iter().fold(world, |world, (fitting, value)| {
            world.with_fitting("web", fitting, Opaque::new(value))
        });
        policies.into_iter().fold(world, |world, policy| world.with_policy("web", policy))
    })
}

fn renamed(name: &DimensionValue) -> DimensionValue {
    let of_green = |name: &TargetGroupName| TargetGroupName::new(format!("{name}-green"));
    match name {
        DimensionValue::ScalingGroup(_) => DimensionValue::ScalingGroup(green()),
        DimensionValue::TargetGroup(name) => DimensionValue::TargetGroup(of_green(name)),
        DimensionValue::Requests(balancer, name) => {
            DimensionValue::Requests(balancer.clone(), of_green(name))
        }
        other => other.clone(),
    }
}

/// Says what the clone of a group must be.
fn expected(original: &ScalingGroupState) -> ScalingGroupState {
    let mut clone = original.clone();
    clone.capacity = Capacity::ZERO;
    clone.launch = clone.launch.with_version(TemplateVersion::Number(1));
    clone.target_groups = [TargetGroupName::new("web-http-green")].into();
    clone.suspended.extend(Process::HELD_ON_IDLE);
    let policies = clone.policies.values().map(|policy| {
        let mut policy = policy.clone();
        policy.name = PolicyName::new(format!("{}-green", policy.name));
        policy.details = policy.details.renamed(&renamed);
        if let Some((_, counted)) = &mut policy.counts_requests_of {
            *counted = TargetGroupName::new("web-http-green");
        }
        (policy.name.clone(), policy)
    });
    clone.policies = policies.collect();
    clone
}

fn spec() -> EnvironmentSpec {
    EnvironmentSpec::new(
        EnvironmentName::new("D-WEB"),
        AccountId::new(ACCOUNT),
        web(),
        "18080-18099".parse().expect("a range"),
    )
}

/// Upgrades a world through the wire, and takes it back.
async fn there_and_back(world: World) -> Result<(), TestCaseError> {
    let mut options = Options::default();
    options.limits = false;
    let playground = Playground::start(options).await.expect("it starts");
    let site = playground.site(ACCOUNT, REGION);
    site.cloud().edit(|all| *all = world);
    let cloud = AwsCloud::new(&config(&playground.url()).await).expect("a region is set");
    let settings = cloud.scaling_group_settings(&web()).await.expect("it can be read");
    let before = site.cloud().world();
    let original = &before.scaling_groups[&web()];
    // What the wire says is what there is.
    let settings = settings.expect("it is there");
    prop_assert_eq!(&settings.details, &original.details);
    prop_assert_eq!((settings.uncarried, settings.unknown), (vec![], vec![]));

    // Nothing lags here, and nothing lands late.
    let policy =
        Patience { settle: Duration::from_secs(1), reread: Duration::ZERO, ..Patience::default() };
    let bluegreen = Bluegreen::new(cloud.clone(), MemoryStore::new()).with_policy(policy);
    let done = bluegreen.upgrade(&spec(), UpgradeOptions::default()).await;
    prop_assert!(
        matches!(&done, Ok(Done::Ran(end)) if end.ending == Ending::Committed),
        "{done:?}"
    );
    let mut clone = site.cloud().world().scaling_groups[&green()].clone();
    clone.tags.retain(|key, _| !key.starts_with("bluegreen:"));
    let mut wanted = expected(original);
    wanted.tags.retain(|key, _| key != tag_key::IMAGE);
    prop_assert_eq!(differences(&fields(&wanted), &fields(&clone)), vec![]);

    let environment = bluegreen.observe(&spec()).await.expect("it can be read");
    prop_assert!(environment.side(Color::Green).is_some());
    let mut astray = compare(&cloud, &spec(), &environment).await.expect("both can be read");
    astray.retain(|one| one.intended.is_none());
    prop_assert_eq!(astray, vec![]);

    let run = bluegreen.log().await.expect("there are journals")[0].run.clone();
    let done = bluegreen.undo(&spec(), UndoOptions::new(run)).await;
    prop_assert!(
        matches!(&done, Ok(Done::Ran(end)) if end.ending == Ending::Committed),
        "{done:?}"
    );
    let after = loop {
        let world = site.cloud().world();
        if !world.scaling_groups.contains_key(&green()) {
            break world;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    prop_assert_eq!(differences(&fields(&before), &fields(&after)), vec![]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_group_of_any_settings_is_cloned_whole_through_the_wire_and_taken_back(world in any_world()) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime needs nothing");
        runtime.block_on(there_and_back(world))?;
    }
}

#[tokio::test]
async fn a_group_that_has_everything_is_cloned_whole_through_the_wire_and_taken_back() {
    let everything = any_world();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut richest: Option<World> = None;
    for _ in 0..200 {
        let tree = everything.new_tree(&mut runner).expect("a world can be made");
        let world = proptest::strategy::ValueTree::current(&tree);
        let fullness = |world: &World| fields(world).len();
        if richest.as_ref().is_none_or(|best| fullness(&world) > fullness(best)) {
            richest = Some(world);
        }
    }
    let suspended: BTreeSet<Process> = [Process::AzRebalance].into();
    let mut world = richest.expect("there are 200");
    world.scaling_groups.get_mut(&web()).expect("it is there").suspended = suspended;
    there_and_back(world).await.expect("it goes there and back");
}
