//! The operations through the adapter: which calls they make, and how close together.

use std::time::Duration;

use bluegreen_core::model::{AccountId, EnvironmentName, ImageId, ScalingGroupName};
use bluegreen_core::operation::{Bluegreen, Done, EnvironmentSpec, OperationError};
use bluegreen_core::plan::{DeployOptions, DeploySource, SwitchOptions, UpgradeOptions, Waits};
use bluegreen_testkit::MemoryStore;
use bluegreen_testkit::emulator::{Call, query};

use crate::world::World;

const WAITS: Waits = Waits { timeout: Duration::from_secs(30), poll: Duration::from_millis(50) };

fn spec(world: &World) -> EnvironmentSpec {
    EnvironmentSpec::new(
        EnvironmentName::new("D-WEB"),
        AccountId::new(&world.stack.account),
        ScalingGroupName::new(&world.stack.scaling_group),
        "18080-18099".parse().expect("a range"),
    )
}

#[track_caller]
fn ran(end: &Result<Done, OperationError>) {
    assert!(matches!(end, Ok(Done::Ran(_))), "{end:?}");
}

#[tokio::test]
async fn an_upgrade_modifies_nothing_that_serves() {
    let world = World::new().await;
    let bluegreen = Bluegreen::new(world.cloud.clone(), MemoryStore::new());
    ran(&bluegreen.upgrade(&spec(&world), UpgradeOptions::default()).await);
    let calls = world.proxy.calls();
    let mutating: Vec<&Call> = calls.iter().filter(|call| call.mutating).collect();
    assert!(mutating.len() > 10, "{mutating:?}");
    for call in mutating {
        let named = |key: &str| call.params.get(key).map_or("", String::as_str);
        match &*call.action {
            "CreateTargetGroup"
            | "CreateListener"
            | "AddTags"
            | "PutScalingPolicy"
            | "PutScheduledUpdateGroupAction"
            | "PutMetricAlarm"
            | "CreateOrUpdateTags"
            | "ModifyLoadBalancerAttributes" => {}
            "CreateAutoScalingGroup" | "SuspendProcesses" => {
                assert_eq!(named("AutoScalingGroupName"), "web-green");
            }
            "ModifyTargetGroupAttributes" => {
                assert!(named("TargetGroupArn").contains("-green/"), "{call:?}");
            }
            // Pinning the version that it launches anyway.
            "UpdateAutoScalingGroup" => {
                for size in ["MinSize", "MaxSize", "DesiredCapacity"] {
                    assert!(!call.params.contains_key(size), "{call:?}");
                }
            }
            other => panic!("an upgrade has no business with {other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_listeners_are_switched_within_one_and_a_half_round_trips() {
    let world = World::new().await;
    more_listeners(&world).await;
    let (spec, bluegreen) = (spec(&world), Bluegreen::new(world.cloud.clone(), MemoryStore::new()));
    let image = Some(ImageId::new(&world.stack.other_image));
    let image = DeploySource::Edit { image, user_data: None };
    ran(&bluegreen.upgrade(&spec, UpgradeOptions::default()).await);
    ran(&bluegreen.deploy(&spec, DeployOptions::new(image).with_waits(WAITS)).await);
    // What the first two spent of the budget comes back while nobody calls.
    tokio::time::sleep(Duration::from_secs(8)).await;
    world.proxy.clear();
    world.proxy.delay(Duration::from_millis(50));
    ran(&bluegreen.switch(&spec, SwitchOptions::default().with_waits(WAITS)).await);
    let calls = world.proxy.calls();
    let listeners: Vec<&Call> =
        calls.iter().filter(|call| call.action == "ModifyListener").collect();
    assert_eq!(listeners.len(), 10);
    let first = listeners.iter().filter_map(|call| call.finished).min().expect("ten");
    let last = listeners.iter().filter_map(|call| call.finished).max().expect("ten");
    let skew = last.saturating_sub(first);
    assert!(skew <= Duration::from_millis(75), "{skew:?} between the first and the last");
}

/// Adds listeners until there are ten that forward to the service.
async fn more_listeners(world: &World) {
    let url = world.proxy.url();
    let service = "elasticloadbalancing";
    let balancers =
        query(&url, service, "DescribeLoadBalancers", &[]).await.expect("an answer").body;
    let groups = query(&url, service, "DescribeTargetGroups", &[]).await.expect("an answer").body;
    let arn = |body: &str, element: &str| {
        let rest = body.split_once(&format!("<{element}>")).expect("it is in the answer").1;
        rest.split_once('<').expect("it ends").0.to_owned()
    };
    let (balancer, group) = (arn(&balancers, "LoadBalancerArn"), arn(&groups, "TargetGroupArn"));
    for port in 8001..=8008 {
        let params = [
            ("LoadBalancerArn", &*balancer),
            ("Protocol", "HTTP"),
            ("Port", &*port.to_string()),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", &*group),
        ];
        let made = query(&url, service, "CreateListener", &params).await.expect("an answer");
        assert_eq!(made.status, 200, "{}", made.body);
    }
}
