//! The worlds and the lives that every operation is swept on.

use bluegreen_core::model::{
    AccountId, Action, Actions, Capacity, EnvironmentName, Fitting, Forward, GroupTag,
    HealthStrategy, LaunchConfigurationName, LaunchSource, LoadBalancerKind, Opaque, Process,
    Quiet, ScalingGroupName, ScalingGroupSettings, TargetGroupName, TemplateVersion,
};
use bluegreen_core::operation::EnvironmentSpec;
use serde_json::json;

use super::operating::{Life, Operating, Step};
use crate::fake::{World, target_group, template};

const NAME: &str = "nginx-live";

/// Returns the worlds: one listener; HTTP and HTTPS with rules and everything that scales; three
/// target groups on two load balancers; a launch configuration; a network load balancer; a route
/// that another service has a share of; both colours in one route; both with a test rule;
/// a group with all that a group can have.
///
/// The last five are swept without pairs, which would take most of the time.
pub fn all() -> Vec<Life> {
    let weight_zero = HealthStrategy::WeightZero { cuts_connections: false };
    let test_rules = HealthStrategy::TestRule { sources: vec![] };
    vec![
        Life::of("one listener", one_listener()),
        Life::of("HTTP, HTTPS, rules", World::example()),
        Life::of("two load balancers", two_load_balancers()),
        Life::of("launch configuration", launch_configuration()),
        Life::of("network", network())
            .without_pairs()
            // Flows are counted for each load balancer only.
            .configured(|spec| spec.with_quiet(Quiet { unmeasured: true, ..Quiet::default() })),
        Life::of("shared route", shared_route()).without_pairs(),
        Life::of("weight 0", one_listener())
            .without_pairs()
            .configured(|spec| spec.with_health(weight_zero)),
        Life::of("test rules", one_listener())
            .without_pairs()
            .configured(|spec| spec.with_health(test_rules)),
        Life::of("mixed instances, hooks, warm pool", whole_group()).without_pairs(),
    ]
}

/// Returns every operation at every time of a life at which it means something else: the first,
/// second and third deployment, switches and scaledowns with blue and with green live, and each of
/// them undone.
pub fn lives(life: &Life) -> Vec<Operating> {
    use Step::{Deploy, Downgrade, Migrate, Scaledown, Switch, Undo, Upgrade};
    let one: &[Step] = &[Upgrade, Deploy];
    let green: &[Step] = &[Upgrade, Deploy, Switch];
    let two: &[Step] = &[Upgrade, Deploy, Switch, Deploy];
    let blue: &[Step] = &[Upgrade, Deploy, Switch, Deploy, Switch];
    let stopped: &[Step] = &[Upgrade, Deploy, Switch, Scaledown];
    let migrations = [(&[Upgrade][..], Migrate), (&[Upgrade, Migrate][..], Undo)];
    let migrations = migrations.into_iter().filter(|_| life.can_migrate());
    [
        (&[][..], Upgrade),
        (&[Upgrade], Deploy),
        (green, Deploy),
        (blue, Deploy),
        (one, Switch),
        (two, Switch),
        (green, Scaledown),
        (blue, Scaledown),
        (&[Upgrade], Downgrade),
        (blue, Downgrade),
        (&[Upgrade], Undo),
        (one, Undo),
        (green, Undo),
        (stopped, Undo),
    ]
    .into_iter()
    .chain(migrations)
    .map(|(earlier, step)| {
        let life = life.after(earlier);
        // It has the most steps of all, and pairs of faults grow with their square.
        let life = if step == Downgrade { life.without_pairs() } else { life };
        life.then(step)
    })
    .collect()
}

/// Returns the environment that every world here is about.
pub(super) fn spec() -> EnvironmentSpec {
    EnvironmentSpec::new(
        EnvironmentName::new("IE-L-NGINX"),
        AccountId::new("123456789012"),
        ScalingGroupName::new(NAME),
        "18080-18099".parse().expect("it is a range"),
    )
}

fn group(launch: LaunchSource, target_groups: &[&str]) -> ScalingGroupSettings {
    let tag = GroupTag { value: NAME.to_owned(), propagate: true };
    ScalingGroupSettings {
        launch,
        capacity: Capacity::new(1, 2, 3),
        target_groups: target_groups.iter().map(|name| TargetGroupName::new(*name)).collect(),
        tags: [("Name".to_owned(), tag)].into(),
        details: Opaque::new(json!({"health_check": "ELB", "subnets": ["subnet-0a"]})),
        uncarried: vec![],
        unknown: vec![],
    }
}

fn to(name: &str) -> Actions {
    Actions::forward_to(TargetGroupName::new(name))
}

fn front() -> World {
    World::default()
        .with_template("nginx", &["ami-0a"])
        .with_image("ami-0b")
        .with_load_balancer(NAME, LoadBalancerKind::Application)
        .with_opening(NAME, 80, "0.0.0.0/0")
        .with_target_group("nginx-http", 80)
        .with_listener(NAME, 80, "HTTP", to("nginx-http"))
}

fn one_listener() -> World {
    front().with_scaling_group(NAME, group(template("nginx", 1), &["nginx-http"]))
}

fn two_load_balancers() -> World {
    const INSIDE: &str = "nginx-inside";
    let groups = ["nginx-http", "nginx-admin", "nginx-inside"];
    front()
        .with_target_group("nginx-admin", 8080)
        .with_rule(NAME, 80, 10, to("nginx-admin"))
        .with_load_balancer(INSIDE, LoadBalancerKind::Application)
        .with_opening(INSIDE, 8081, "10.0.0.0/8")
        .with_target_group("nginx-inside", 8081)
        .with_listener(INSIDE, 8081, "HTTP", to("nginx-inside"))
        .with_scaling_group(NAME, group(template("nginx", 1), &groups))
}

fn network() -> World {
    World::default()
        .with_template("nginx", &["ami-0a"])
        .with_image("ami-0b")
        .with_load_balancer(NAME, LoadBalancerKind::Network)
        .with_opening(NAME, 80, "0.0.0.0/0")
        .with_opening(NAME, 53, "0.0.0.0/0")
        .with_target_group_settings("nginx-tcp", target_group(80, "TCP"))
        .with_target_group_settings("nginx-udp", target_group(53, "UDP"))
        .with_listener(NAME, 80, "TCP", to("nginx-tcp"))
        .with_listener(NAME, 53, "UDP", to("nginx-udp"))
        .with_scaling_group(NAME, group(template("nginx", 1), &["nginx-tcp", "nginx-udp"]))
}

fn shared_route() -> World {
    let weights = [("nginx-http", 90), ("canary", 10)];
    let weights = weights.map(|(name, weight)| (TargetGroupName::new(name), weight));
    let forward = Forward::new(weights.into(), None).expect("there are weights");
    let shared = Actions::new(vec![Action::Forward(forward)]);
    one_listener()
        .with_target_group("canary", 80)
        .with_listener(NAME, 80, "HTTP", shared)
        .with_scaling_group("canary", group(template("nginx", 1), &["canary"]))
}

fn launch_configuration() -> World {
    let name = "nginx-1";
    let launch = LaunchSource::Configuration(LaunchConfigurationName::new(name));
    front()
        .with_launch_configuration(name, "ami-0a")
        .with_scaling_group(NAME, group(launch, &["nginx-http"]))
}

fn whole_group() -> World {
    let launch = template("nginx", 1).with_version(TemplateVersion::Latest);
    let launch = match launch {
        LaunchSource::Template { template, version } => {
            let policy = json!({"LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large"}]}});
            LaunchSource::Mixed { template, version, policy: Opaque::new(policy) }
        }
        other => other,
    };
    let mut settings = group(launch, &["nginx-http"]);
    settings.details = Opaque::new(json!({
        "health_check": "ELB", "subnets": ["subnet-0a"], "hooks": [{"name": "warm"}],
        "members": {"PlacementGroup": "tight"},
    }));
    let topic = Fitting::Notifications("arn:aws:sns:eu-west-1:1:ops".to_owned());
    front()
        .with_scaling_group(NAME, settings)
        .with_suspended(NAME, [Process::AzRebalance, Process::ScheduledActions])
        .with_fitting(NAME, topic, Opaque::new(json!(["autoscaling:EC2_INSTANCE_LAUNCH"])))
        .with_fitting(NAME, Fitting::Metrics, Opaque::new(json!({"metrics": ["GroupMinSize"]})))
        .with_fitting(NAME, Fitting::WarmPool, Opaque::new(json!({"MinSize": "1"})))
        .with_fitting(NAME, Fitting::DeletionProtection, Opaque::new(json!("prevent-all-deletion")))
}
