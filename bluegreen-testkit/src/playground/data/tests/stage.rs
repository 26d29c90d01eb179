//! Small worlds on ports of their own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bluegreen_core::model::{
    Action, Actions, Capacity, Forward, GroupTag, HealthState, InstanceId, ListenerKey,
    LoadBalancerKind, LoadBalancerName, Opaque, ScalingGroupName, ScalingGroupSettings, Stickiness,
    TargetGroupName, TargetGroupSettings,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::client::{Answer, ask, request};
use crate::fake::{World, template};
use crate::playground::fault::{Ailment, Fault, Machines, Trouble, Weather};
use crate::playground::{Options, Playground, Site};

/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns a port that no other test has, of this process or of another one.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 500).unwrap();
    20_000 + process * 20 + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A world to be.
pub(super) struct Plan {
    pub(super) world: World,
    pub(super) options: Options,
    /// The port of the listener.
    pub(super) port: u16,
    /// The port of the targets.
    serve: u16,
    delay: Duration,
}

impl Plan {
    /// Begins with a load balancer whose listener is open.
    pub(super) fn new() -> Self {
        Self::of_kind(LoadBalancerKind::Application)
    }

    pub(super) fn of_kind(kind: LoadBalancerKind) -> Self {
        let (port, serve) = (free_port(), free_port());
        let world =
            World::default().with_load_balancer("web", kind).with_opening("web", port, "all");
        let options = Options {
            boot: Duration::from_millis(50),
            check_interval: Some(Duration::from_millis(250)),
            ..Options::default()
        };
        Self { world, options, port, serve, delay: Duration::from_secs(1) }
    }

    pub(super) fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(super) fn with_command(mut self, command: &str) -> Self {
        self.options.instance_command = Some(command.to_owned());
        self
    }

    /// Adds a target group of machines that are launched from `ami-<name>`.
    pub(super) fn with_color(self, name: &str, machines: u32) -> Self {
        self.with_group(name, machines, "HTTP", &[])
    }

    pub(super) fn with_group(
        mut self,
        name: &str,
        machines: u32,
        protocol: &str,
        attributes: &[(&str, &str)],
    ) -> Self {
        let attributes: BTreeMap<_, _> = attributes.iter().copied().collect();
        let check = if protocol == "TCP" { "TCP" } else { protocol };
        let details = json!({
            "target_type": "instance",
            "health_check_protocol": check,
            "health_check_path": "/health",
            "health_check_interval_seconds": 5,
            "health_check_timeout_seconds": 2,
            "healthy_threshold_count": 2,
            "unhealthy_threshold_count": 2,
            "http_codes": "200",
            "attributes": attributes,
        });
        let settings = TargetGroupSettings {
            port: self.serve,
            protocol: protocol.to_owned(),
            deregistration_delay: self.delay,
            details: Opaque::new(details),
            tags: [].into(),
            sticky: false,
        };
        let tag = GroupTag { value: name.to_owned(), propagate: true };
        let group = ScalingGroupSettings {
            launch: template(name, 1),
            capacity: Capacity::new(0, machines, machines.max(1)),
            target_groups: [TargetGroupName::new(name)].into(),
            tags: [("bluegreen:color".to_owned(), tag)].into(),
            details: Opaque::default(),
            uncarried: vec![],
            unknown: vec![],
        };
        self.world = self
            .world
            .with_target_group_settings(name, settings)
            .with_template(name, &[&format!("ami-{name}")])
            .with_scaling_group(name, group);
        self
    }

    /// Sends everything to one target group.
    pub(super) fn to(self, name: &str) -> Self {
        self.routed("HTTP", to(name))
    }

    pub(super) fn routed(mut self, protocol: &str, actions: Actions) -> Self {
        self.world = self.world.with_listener("web", self.port, protocol, actions);
        self
    }

    pub(super) async fn start(self) -> Stage {
        let playground = Playground::start(self.options).await.unwrap();
        let site = playground.site("123456789012", "eu-west-1");
        let world = self.world;
        site.cloud().edit(|old| *old = world);
        Stage { playground, site, port: self.port, serve: self.serve }
    }

    /// Starts, and waits until targets of the groups are healthy.
    pub(super) async fn healthy(self, groups: &[&str]) -> Stage {
        let stage = self.start().await;
        for group in groups {
            stage.until(group, |states| all(states, HealthState::Healthy)).await;
        }
        // Until routes know it too.
        tokio::time::sleep(Duration::from_millis(250)).await;
        stage
    }
}

/// A world that runs.
pub(super) struct Stage {
    pub(super) playground: Playground,
    pub(super) site: Arc<Site>,
    pub(super) port: u16,
    pub(super) serve: u16,
}

impl Stage {
    pub(super) fn balancer() -> LoadBalancerName {
        LoadBalancerName::new("web")
    }

    /// Returns where clients ask.
    pub(super) fn address(&self) -> SocketAddr {
        let address = self.playground.address_of_listener(&Self::balancer(), self.port);
        address.expect("the listener is open")
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, String> {
        ask(self.address(), request(path, &[])).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.address(), request(path, headers)).await.unwrap()
    }

    /// Asks until an answer is as it is to be.
    pub(super) async fn until_answer(&self, is: impl Fn(&Result<Answer, String>) -> bool) {
        let start = Instant::now();
        loop {
            let answer = self.get("/").await;
            if is(&answer) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{answer:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) fn states(&self, group: &str) -> Vec<HealthState> {
        let health = self.site.cloud().health(&TargetGroupName::new(group));
        health.iter().map(|target| target.state).collect()
    }

    /// Waits until the targets of a group are as they are to be.
    pub(super) async fn until(&self, group: &str, are: impl Fn(&[HealthState]) -> bool) {
        let start = Instant::now();
        while !are(&self.states(group)) {
            let states = self.states(group);
            assert!(
                start.elapsed() < PATIENCE,
                "{group}: {states:?} {:?}",
                self.playground.troubles()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Replaces what the listener does.
    pub(super) fn route(&self, actions: &Actions) {
        let key = ListenerKey::new(Self::balancer(), self.port);
        self.site.cloud().edit(|world| {
            world.listener_mut(&key).unwrap().actions.clone_from(actions);
        });
    }

    /// Sets after how many silent seconds the load balancer loses its patience.
    pub(super) fn with_idle_timeout(&self, seconds: &str) {
        let mut facts = self.site.facts();
        let balancer = facts.load_balancers.entry("web".to_owned()).or_default();
        balancer.attributes.insert("idle_timeout.timeout_seconds".to_owned(), seconds.to_owned());
    }

    pub(super) fn machines(&self, group: &str) -> Vec<InstanceId> {
        let instances = self.site.cloud().instances(&ScalingGroupName::new(group));
        instances.into_iter().map(|instance| instance.id).collect()
    }

    pub(super) fn ail(&self, of: Machines, how: Ailment) -> u64 {
        self.add(Trouble::Instance { of, how })
    }

    pub(super) fn weather(&self, to: Machines, how: Weather) -> u64 {
        self.add(Trouble::Network { to, how })
    }

    fn add(&self, what: Trouble) -> u64 {
        self.playground.faults().add(Fault { what, seconds: None, times: None })
    }

    /// Returns how many requests machines of a version answered with a status.
    pub(super) fn answered(&self, version: &str, status: u16) -> u64 {
        let meters = self.playground.meters();
        let of_version = meters.iter().filter(|one| one.version.as_deref() == Some(version));
        of_version.filter_map(|one| one.answered.get(&status)).sum()
    }
}

pub(super) fn all(states: &[HealthState], state: HealthState) -> bool {
    !states.is_empty() && states.iter().all(|one| *one == state)
}

/// Waits for as long as faults may take to be seen.
pub(super) async fn moment() {
    tokio::time::sleep(Duration::from_millis(250)).await;
}

pub(super) fn to(name: &str) -> Actions {
    Actions::forward_to(TargetGroupName::new(name))
}

pub(super) fn shared(weights: &[(&str, u32)], sticky: Option<u32>) -> Actions {
    let weights = weights.iter().map(|(name, weight)| (TargetGroupName::new(*name), *weight));
    let sticky = sticky.map(|seconds| Stickiness { seconds: Some(seconds) });
    let forward = Forward::new(weights.collect(), sticky).unwrap();
    Actions::new(vec![Action::Forward(forward)])
}

pub(super) fn other(action: Value) -> Actions {
    Actions::new(vec![Action::Other(Opaque::new(action))])
}
