//! One account in one region: the fake on real time, and what AWS knows beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluegreen_core::model::{InstanceId, LoadBalancerKind, LoadBalancerName, TargetGroupName};
use serde_json::Value;

use super::facts::Facts;
use super::measure::Measures;
use super::topology::{
    CheckView, ListenerView, MachineView, RuleView, TargetGroupView, TargetView, Topology,
};
use crate::fake::{FakeCloud, Machine, MachinePhase, Thresholds, World};

/// How many machines have an address of their own at the same time.
const MACHINES: u32 = 2000;

/// One account in one region.
#[derive(Debug)]
pub struct Site {
    /// The account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    cloud: FakeCloud,
    facts: Mutex<Facts>,
    measures: Measures,
    /// Which part of the loopback network is the playground's.
    block: u8,
    /// Held by whoever takes note of what happened to machines.
    watch: Mutex<()>,
    /// Which site of the playground it is: a part of every address.
    number: u8,
}

impl Site {
    pub(super) fn new(
        account: &str,
        region: &str,
        block: u8,
        number: u8,
        cloud: FakeCloud,
    ) -> Self {
        let cloud = cloud.with_account(account);
        cloud.drive();
        let facts = Mutex::new(Facts::of_region(region));
        let (watch, measures) = (Mutex::default(), Measures::default());
        let (account, region) = (account.to_owned(), region.to_owned());
        Self { account, region, cloud, facts, measures, block, watch, number }
    }

    /// Returns the state machine behind the site.
    pub fn cloud(&self) -> &FakeCloud {
        &self.cloud
    }

    pub(super) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what its load balancers measured.
    pub(super) fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Lets nobody else take note of what happened meanwhile.
    pub(super) fn watch(&self) -> MutexGuard<'_, ()> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the address of a load balancer: the same one as long as it exists.
    pub(super) fn address_of(&self, load_balancer: &LoadBalancerName) -> Ipv4Addr {
        let mut facts = self.facts();
        let taken: BTreeSet<u8> = facts.places.values().copied().collect();
        let free = (1..=254).find(|place| !taken.contains(place)).unwrap_or(254);
        let place = *facts.places.entry(load_balancer.to_string()).or_insert(free);
        Ipv4Addr::new(127, self.block, self.number, place)
    }

    /// Returns the address of a machine: one of two thousand, after which they begin again.
    pub(super) fn address_of_machine(&self, instance: &InstanceId) -> Ipv4Addr {
        let digits: String = instance.as_str().chars().filter(char::is_ascii_hexdigit).collect();
        let tail = digits.get(digits.len().saturating_sub(8)..).unwrap_or_default();
        let number = u32::from_str_radix(tail, 16).unwrap_or_default() % MACHINES;
        let part = |value: u32| u8::try_from(value).unwrap_or_default();
        let (above, below) = (part(number / 250), part(number % 250));
        Ipv4Addr::new(127, self.block, 32 + self.number % 24 * 8 + above, below + 1)
    }

    /// Lets the security groups of every load balancer decide which of its ports are open.
    pub(super) fn follow_security_groups(&self) {
        let guards: BTreeMap<String, (bool, BTreeMap<u16, String>)> = {
            let facts = self.facts();
            let guards = facts.load_balancers.iter();
            guards.map(|(name, one)| (name.clone(), facts.guard(&one.security_groups))).collect()
        };
        let follow = |world: &mut World| {
            for (name, balancer) in &mut world.load_balancers {
                let Some((guarded, rules)) = guards.get(name.as_str()) else { continue };
                balancer.guarded = *guarded;
                balancer.openings.clone_from(rules);
            }
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = self.cloud.amend(follow);
    }

    /// Returns what is to run now.
    pub fn topology(&self) -> Topology {
        let world = self.cloud.world();
        let machines = self.cloud.machines();
        let references = world.references();
        let health: BTreeMap<_, _> = self.cloud.all_health().into_iter().collect();
        let target_groups: BTreeMap<TargetGroupName, TargetGroupView> = world
            .target_groups
            .iter()
            .map(|(name, settings)| {
                let details = settings.details.value();
                let targets = health.get(name).into_iter().flatten().map(|target| TargetView {
                    instance: target.target.clone(),
                    address: self.address_of_machine(&target.target),
                    port: target.port,
                    state: target.state,
                });
                let mut attributes = attributes(details);
                attributes.insert(
                    "deregistration_delay.timeout_seconds".to_owned(),
                    settings.deregistration_delay.as_secs().to_string(),
                );
                let view = TargetGroupView {
                    port: settings.port,
                    protocol: settings.protocol.clone(),
                    check: check(details, &settings.protocol),
                    attributes,
                    used: references.contains_key(name),
                    targets: targets.collect(),
                };
                (name.clone(), view)
            })
            .collect();
        let listeners = world.load_balancers.iter().flat_map(|(name, balancer)| {
            let address = self.address_of(name);
            balancer.listeners.iter().map(move |(port, listener)| ListenerView {
                load_balancer: name.clone(),
                kind: balancer.kind,
                address,
                port: *port,
                protocol: listener.protocol.clone(),
                open: balancer.opening(*port).is_some()
                    || balancer.kind == LoadBalancerKind::Gateway,
                actions: listener.actions.clone(),
                rules: listener
                    .rules
                    .iter()
                    .map(|(priority, rule)| RuleView {
                        priority: *priority,
                        conditions: rule.conditions.clone(),
                        actions: rule.actions.clone(),
                    })
                    .collect(),
            })
        });
        let listeners = listeners.collect();
        let machines = machines.iter().map(|one| self.machine(one, &world, &target_groups));
        Topology { listeners, machines: machines.collect(), target_groups }
    }

    fn machine(
        &self,
        machine: &Machine,
        world: &World,
        target_groups: &BTreeMap<TargetGroupName, TargetGroupView>,
    ) -> MachineView {
        let group = machine.group.as_ref().and_then(|name| world.scaling_groups.get(name));
        let mut ports = BTreeMap::new();
        let of_group = group.into_iter().flat_map(|group| &group.target_groups);
        let named = of_group.filter_map(|name| target_groups.get(name));
        let registered = target_groups
            .values()
            .filter(|view| view.targets.iter().any(|target| target.instance == machine.id));
        for view in named.chain(registered) {
            ports.insert(view.port, view.protocol.clone());
        }
        let color = group.and_then(|group| group.tags.get("bluegreen:color"));
        MachineView {
            instance: machine.id.clone(),
            group: machine.group.clone(),
            image: machine.image.clone(),
            color: color.map(|tag| tag.value.clone()),
            address: self.address_of_machine(&machine.id),
            ports,
            zone: self.zone_of(&machine.id),
            terminating: machine.phase == MachinePhase::Terminating,
            stopped: machine.stopped,
        }
    }

    /// Returns the zone of a machine: they are dealt to the zones in turn.
    pub(super) fn zone_of(&self, instance: &InstanceId) -> String {
        let [.., last] = self.address_of_machine(instance).octets();
        format!("{}{}", self.region, ['a', 'b'][usize::from(last) % 2])
    }
}

fn text(details: &Value, key: &str) -> Option<String> {
    details[key].as_str().map(str::to_owned)
}

fn attributes(details: &Value) -> BTreeMap<String, String> {
    let all = details["attributes"].as_object();
    let all = all.into_iter().flatten();
    all.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Reads how targets are checked; what is not said is as AWS has it by default.
fn check(details: &Value, protocol: &str) -> CheckView {
    let number = |key: &str, default: u64| details[key].as_u64().unwrap_or(default);
    let is_http = matches!(protocol, "HTTP" | "HTTPS");
    let usual = if is_http { protocol } else { "TCP" };
    let count = |key, default| u32::try_from(number(key, default)).unwrap_or(u32::MAX);
    CheckView {
        protocol: text(details, "health_check_protocol").unwrap_or_else(|| usual.to_owned()),
        port: text(details, "health_check_port").and_then(|port| port.parse().ok()),
        path: text(details, "health_check_path").unwrap_or_else(|| "/".to_owned()),
        interval: Duration::from_secs(number("health_check_interval_seconds", 30)),
        timeout: Duration::from_secs(number("health_check_timeout_seconds", 5)),
        thresholds: Thresholds {
            healthy: count("healthy_threshold_count", 5),
            unhealthy: count("unhealthy_threshold_count", 2),
        },
        matcher: text(details, "http_codes").unwrap_or_else(|| "200".to_owned()),
    }
}
