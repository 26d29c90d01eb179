use bluegreen_core::model::{
    Action, Actions, Alarm, AlarmName, Capacity, Dimension, DimensionValue, GroupTag,
    LoadBalancerKind, LoadBalancerName, Opaque, Policy, PolicyKey, PolicyName, ScalingGroupName,
    ScalingGroupSettings, Schedule, ScheduleName, TargetGroupName,
};
use serde_json::{Value, json};

use super::builder::{target_group, template};
use super::world::World;

const NAME: &str = "nginx-live";

impl World {
    /// Makes the front end of a job-search service: an nginx tier behind one load balancer, with
    /// a target group each for HTTP and HTTPS.
    ///
    /// The load balancer `nginx-live` listens on 80 and 443; on 80, rule 10 forwards and rule 20
    /// redirects. The scaling group `nginx-live` has three machines of version 1 of the template
    /// `nginx`, image `ami-0a`; the image `ami-0b` waits to be deployed.
    pub fn example() -> Self {
        let http = || Actions::forward_to(TargetGroupName::new("nginx-http"));
        let https = || Actions::forward_to(TargetGroupName::new("nginx-https"));
        let redirect = json!({"type": "redirect", "status": "HTTP_301", "protocol": "HTTPS"});
        Self::default()
            .with_template("nginx", &["ami-0a"])
            .with_image("ami-0b")
            .with_load_balancer(NAME, LoadBalancerKind::Application)
            .with_opening(NAME, 80, "0.0.0.0/0")
            .with_opening(NAME, 443, "0.0.0.0/0")
            .with_target_group_settings("nginx-http", target_group(80, "HTTP"))
            .with_target_group_settings("nginx-https", target_group(443, "HTTPS"))
            .with_listener(NAME, 80, "HTTP", http())
            .with_rule(NAME, 80, 10, http())
            .with_rule(NAME, 80, 20, other(redirect))
            .with_listener(NAME, 443, "HTTPS", https())
            .with_scaling_group(NAME, settings())
            .with_policy(NAME, request_count())
            .with_policy(NAME, step())
            .with_alarm(alarm())
            .with_schedule(NAME, schedule())
    }
}

fn other(action: Value) -> Actions {
    Actions::new(vec![Action::Other(Opaque::new(action))])
}

fn settings() -> ScalingGroupSettings {
    let tag = |value: &str, propagate| GroupTag { value: value.to_owned(), propagate };
    let hook = json!({
        "name": "warm", "transition": "autoscaling:EC2_INSTANCE_LAUNCHING", "timeout": 300,
    });
    ScalingGroupSettings {
        launch: template("nginx", 1),
        capacity: Capacity::new(2, 3, 6),
        target_groups: ["nginx-http", "nginx-https"].map(TargetGroupName::new).into(),
        tags: [
            ("Name".to_owned(), tag(NAME, true)),
            ("stage".to_owned(), tag("live", true)),
            ("owner".to_owned(), tag("operations", false)),
        ]
        .into(),
        details: Opaque::new(json!({
            "subnets": ["subnet-0a", "subnet-0b"],
            "health_check": "ELB",
            "grace_seconds": 300,
            "lifecycle_hooks": [hook],
        })),
        uncarried: vec![],
        unknown: vec![],
    }
}

fn request_count() -> Policy {
    Policy {
        name: PolicyName::new("requests"),
        counts_requests_of: Some((LoadBalancerName::new(NAME), TargetGroupName::new("nginx-http"))),
        details: Opaque::new(json!({"type": "TargetTrackingScaling", "target": 1000.0})),
        alarms: vec![],
        uncarried: None,
    }
}

fn step() -> Policy {
    Policy {
        name: PolicyName::new("busy"),
        counts_requests_of: None,
        details: Opaque::new(json!({"type": "StepScaling", "steps": [{"from": 0, "add": 1}]})),
        alarms: vec![],
        uncarried: None,
    }
}

fn alarm() -> Alarm {
    let group = ScalingGroupName::new(NAME);
    Alarm {
        name: AlarmName::new("nginx-live-busy"),
        dimensions: vec![Dimension {
            name: "AutoScalingGroupName".to_owned(),
            value: DimensionValue::ScalingGroup(group.clone()),
        }],
        sets_off: vec![PolicyKey { group, policy: PolicyName::new("busy") }],
        details: Opaque::new(json!({
            "namespace": "AWS/EC2", "metric": "CPUUtilization", "threshold": 80.0,
        })),
        uncarried: None,
    }
}

fn schedule() -> Schedule {
    Schedule {
        name: ScheduleName::new("morning"),
        details: Opaque::new(json!({"recurrence": "0 6 * * *", "min": 3})),
    }
}
