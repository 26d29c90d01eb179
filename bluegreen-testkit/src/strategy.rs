//! Worlds and faults for property tests, made so that what fails shrinks to what matters.

use std::collections::BTreeMap;
use std::time::Duration;

use bluegreen_core::model::{
    Action, Actions, Alarm, AlarmName, Capacity, Dimension, DimensionValue, Fitting, Forward,
    GroupTag, LaunchConfigurationName, LaunchSource, LaunchTemplateName, LoadBalancerKind,
    LoadBalancerName, Opaque, Policy, PolicyKey, PolicyName, Process, ScalingGroupName,
    ScalingGroupSettings, Schedule, ScheduleName, Stickiness, TargetGroupName, TemplateVersion,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fake::{World, target_group};
use crate::fault::{Fault, Meddle};

/// The name of the load balancer and of the scaling group of every world that is made here.
pub const STACK: &str = "stack";

const PORTS: [u16; 3] = [80, 443, 8080];

/// Makes stacks that could be upgraded: one application load balancer and one scaling group, one
/// to three target groups, listeners and rules of every sort.
///
/// Every target group is named by a route that the outside can reach; ports from 18080 on are
/// closed and free. The images `ami-0a` (launched) and `ami-0b` exist.
pub fn any_world() -> impl Strategy<Value = World> {
    let routes = (1..=3usize, 1..=3usize, prop::collection::vec(any_rule(), 0..3));
    let scaling = (any_capacity(), any_launch(), any_policies(), any::<bool>(), any::<bool>());
    let whole = (any_suspensions(), any_fittings());
    (routes, scaling, whole).prop_map(
        |((pairs, listeners, rules), scaling, (suspended, fittings))| {
            let (capacity, launch, policies, scheduled, sticky) = scaling;
            let world = front(pairs, listeners, &rules, sticky);
            let world = back(world, pairs, capacity, launch);
            let world = policies.into_iter().fold(world, |world, kind| kind.add(world));
            let world = fittings.into_iter().fold(world, |world, (fitting, value)| {
                world.with_fitting(STACK, fitting, Opaque::new(value))
            });
            let world = world.with_suspended(STACK, suspended);
            if scheduled { world.with_schedule(STACK, schedule()) } else { world }
        },
    )
}

/// Makes a fault that a run can get over or give up at: nothing hangs, nobody meddles, and the
/// credentials stay good.
///
/// What lands late does so within 20 seconds, and reads are stale for at most 5.
pub fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::Refuse),
        1 => Just(Fault::Deny),
        2 => Just(Fault::Throttle),
        2 => Just(Fault::LoseReply),
        1 => Just(Fault::HalfLand),
        2 => (1..=20u64).prop_map(|late| Fault::LandLate(Duration::from_secs(late))),
        1 => (1..=5u64).prop_map(|hidden| Fault::StaleRead(Duration::from_secs(hidden))),
    ]
}

/// Makes up to `most` faults, one for each changing call.
pub fn any_faults(most: usize) -> impl Strategy<Value = Vec<Fault>> {
    prop::collection::vec(any_fault(), 0..=most)
}

/// Makes something that somebody else does.
pub fn any_meddle() -> impl Strategy<Value = Meddle> {
    prop_oneof![Just(Meddle::Tag), Just(Meddle::Change), Just(Meddle::Delete)]
}

/// What a rule does.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Forward(usize),
    Redirect,
    LogIn(usize),
}

fn any_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (0..3usize).prop_map(Rule::Forward),
        Just(Rule::Redirect),
        (0..3usize).prop_map(Rule::LogIn),
    ]
}

fn any_capacity() -> impl Strategy<Value = Capacity> {
    (0..=2u32, 1..=2u32, 0..=2u32)
        .prop_map(|(min, more, room)| Capacity::new(min, min + more, min + more + room))
}

fn any_launch() -> impl Strategy<Value = LaunchSource> {
    let version =
        |version| LaunchSource::Template { template: LaunchTemplateName::new(STACK), version };
    prop_oneof![
        Just(version(TemplateVersion::Number(1))),
        Just(version(TemplateVersion::Latest)),
        Just(version(TemplateVersion::Default)),
        Just(mixed(TemplateVersion::Number(1))),
        Just(mixed(TemplateVersion::Latest)),
        Just(LaunchSource::Configuration(LaunchConfigurationName::new(STACK))),
    ]
}

fn mixed(version: TemplateVersion) -> LaunchSource {
    let overrides = json!([{"InstanceType": "m5.large"}, {"InstanceType": "m4.large"}]);
    let policy = json!({
        "LaunchTemplate": {"Overrides": overrides},
        "InstancesDistribution": {"OnDemandBaseCapacity": "1"},
    });
    let (template, policy) = (LaunchTemplateName::new(STACK), Opaque::new(policy));
    LaunchSource::Mixed { template, version, policy }
}

/// Suspends processes without which a group still starts and ends machines.
fn any_suspensions() -> impl Strategy<Value = Vec<Process>> {
    use Process::{AlarmNotification, AzRebalance, InstanceRefresh, ReplaceUnhealthy};
    let all = vec![AlarmNotification, AzRebalance, InstanceRefresh, ReplaceUnhealthy];
    prop::sample::subsequence(all, 0..=4)
}

fn any_fittings() -> impl Strategy<Value = Vec<(Fitting, Value)>> {
    let news = |topic: &str| Fitting::Notifications(format!("arn:aws:sns:eu-west-1:1:{topic}"));
    let metrics = json!({"granularity": "1Minute", "metrics": ["GroupMaxSize", "GroupMinSize"]});
    let all = vec![
        (news("ops"), json!(["autoscaling:EC2_INSTANCE_LAUNCH"])),
        (news("dev"), json!(["autoscaling:EC2_INSTANCE_TERMINATE"])),
        (Fitting::Metrics, metrics),
        (Fitting::WarmPool, json!({"MinSize": "1", "PoolState": "Stopped"})),
        (Fitting::DeletionProtection, json!("prevent-all-deletion")),
    ];
    prop::sample::subsequence(all, 0..=5)
}

/// A way to scale.
#[derive(Clone, Copy, Debug)]
enum Scaling {
    Requests,
    Processor,
    Steps,
    Forecast,
    Queue,
}

fn any_policies() -> impl Strategy<Value = Vec<Scaling>> {
    let all = vec![
        Scaling::Requests,
        Scaling::Processor,
        Scaling::Steps,
        Scaling::Forecast,
        Scaling::Queue,
    ];
    prop::sample::subsequence(all, 0..=5)
}

impl Scaling {
    fn add(self, world: World) -> World {
        let (name, counted, details) = match self {
            Self::Requests => ("requests", Some(0), json!({"type": "TargetTrackingScaling"})),
            Self::Processor => ("cpu", None, json!({"type": "TargetTrackingScaling", "cpu": 50})),
            Self::Steps => ("steps", None, json!({"type": "StepScaling"})),
            Self::Forecast => {
                let balancer = LoadBalancerName::new(STACK);
                let label = Opaque::name(&DimensionValue::Requests(balancer, member(0)));
                let metric = json!({"TargetValue": "50", "Pair": {"ResourceLabel": label}});
                ("forecast", None, json!({"predictive": {"MetricSpecifications": [metric]}}))
            }
            Self::Queue => {
                let group = DimensionValue::ScalingGroup(ScalingGroupName::new(STACK));
                let of = |name: &str, value: &DimensionValue| json!({"Name": name, "Value": Opaque::name(value)});
                let dimensions = [
                    of("AutoScalingGroupName", &group),
                    of("TargetGroup", &DimensionValue::TargetGroup(member(0))),
                    of("LoadBalancer", &DimensionValue::LoadBalancer(LoadBalancerName::new(STACK))),
                    json!({"Name": "Stage", "Value": "live"}),
                ];
                ("queue", None, json!({"customized": {"Dimensions": dimensions}}))
            }
        };
        let counted = counted.map(|pair| (LoadBalancerName::new(STACK), member(pair)));
        let world = world.with_policy(STACK, policy(name, counted, details));
        if matches!(self, Self::Steps) { world.with_alarm(alarm(name)) } else { world }
    }
}

fn front(pairs: usize, listeners: usize, rules: &[Rule], sticky: bool) -> World {
    let world = (0..pairs).fold(World::default(), |world, pair| {
        let settings = target_group(PORTS[pair], "HTTP");
        world.with_target_group_settings(member(pair).as_str(), settings)
    });
    let world = world.with_load_balancer(STACK, LoadBalancerKind::Application);
    let world = (0..listeners).fold(world, |world, listener| {
        let port = PORTS[listener];
        let protocol = if port == 443 { "HTTPS" } else { "HTTP" };
        let to = forward(listener % pairs, sticky && listener == 0);
        let actions = Actions::new(vec![Action::Forward(to)]);
        world.with_opening(STACK, port, "0.0.0.0/0").with_listener(STACK, port, protocol, actions)
    });
    // Pairs that no listener is left for have a rule each.
    let left = (listeners..pairs).map(Rule::Forward);
    let rules = rules.iter().copied().chain(left);
    (1..).zip(rules).fold(world, |world, (place, rule)| {
        world.with_rule(STACK, PORTS[0], place * 10, rule.actions(pairs))
    })
}

impl Rule {
    fn actions(self, pairs: usize) -> Actions {
        let other = |action: Value| Action::Other(Opaque::new(action));
        let to = |pair: usize| Action::Forward(forward(pair % pairs, false));
        Actions::new(match self {
            Self::Forward(pair) => vec![to(pair)],
            Self::Redirect => vec![other(json!({"type": "redirect", "status": "HTTP_301"}))],
            Self::LogIn(pair) => vec![other(json!({"type": "authenticate-oidc"})), to(pair)],
        })
    }
}

fn back(world: World, pairs: usize, capacity: Capacity, launch: LaunchSource) -> World {
    let tag = GroupTag { value: STACK.to_owned(), propagate: true };
    let settings = ScalingGroupSettings {
        launch,
        capacity,
        target_groups: (0..pairs).map(member).collect(),
        tags: [("Name".to_owned(), tag)].into(),
        details: Opaque::new(json!({
            "health_check": "ELB", "subnets": ["subnet-0a"],
            "members": {"PlacementGroup": "tight", "DesiredCapacityType": "vcpu"},
        })),
        uncarried: vec![],
        unknown: vec![],
    };
    world
        .with_template(STACK, &["ami-0a"])
        .with_launch_configuration(STACK, "ami-0a")
        .with_image("ami-0b")
        .with_scaling_group(STACK, settings)
}

fn member(pair: usize) -> TargetGroupName {
    TargetGroupName::new(format!("{STACK}-{pair}"))
}

fn forward(pair: usize, sticky: bool) -> Forward {
    let stickiness = sticky.then_some(Stickiness { seconds: Some(60) });
    let weights = BTreeMap::from([(member(pair), 1)]);
    Forward::new(weights, stickiness).expect("a lone target group is a forward")
}

fn policy(
    name: &str,
    counts_requests_of: Option<(LoadBalancerName, TargetGroupName)>,
    details: Value,
) -> Policy {
    Policy {
        name: PolicyName::new(name),
        counts_requests_of,
        details: Opaque::new(details),
        alarms: vec![],
        uncarried: None,
    }
}

fn alarm(policy: &str) -> Alarm {
    let group = ScalingGroupName::new(STACK);
    let value = DimensionValue::ScalingGroup(group.clone());
    Alarm {
        name: AlarmName::new(format!("{STACK}-{policy}")),
        dimensions: vec![Dimension { name: "AutoScalingGroupName".to_owned(), value }],
        sets_off: vec![PolicyKey { group, policy: PolicyName::new(policy) }],
        details: Opaque::new(json!({"metric": "CPUUtilization"})),
        uncarried: None,
    }
}

fn schedule() -> Schedule {
    Schedule {
        name: ScheduleName::new("morning"),
        details: Opaque::new(json!({"recurrence": "0 6 * * *", "min": 2})),
    }
}
