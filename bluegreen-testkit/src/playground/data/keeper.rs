//! Keeps what runs in line with what is to run.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bluegreen_core::model::{HealthState, InstanceId, TargetGroupName};
use tokio::task::JoinSet;

use super::board::Board;
use super::check::{self, Plan};
use super::endpoint::Endpoint;
use super::machine::{Machine, Setup};
use super::ports::Ports;
use super::sockets::Sockets;
use super::task::Task;
use super::tls::Tls;
use crate::playground::fault::Faults;
use crate::playground::topology::{TargetGroupView, TargetView, Topology};
use crate::playground::{Options, Site};

/// How often it is looked whether anything changed.
const TICK: Duration = Duration::from_millis(100);

/// How many looks there are from one sweep of idle connections to the next.
const SWEEP: u32 = 20;

/// Keeps what runs in line with what is to run.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) site: Arc<Site>,
    pub(super) faults: Arc<Faults>,
    pub(super) options: Options,
    pub(super) board: Arc<Board>,
    pub(super) tls: Tls,
    pub(super) logs: PathBuf,
    pub(super) running: Running,
}

/// What runs.
#[derive(Debug, Default)]
pub(super) struct Running {
    ports: Ports,
    machines: BTreeMap<InstanceId, Machine>,
    targets: Targets,
    sockets: Sockets,
    checks: BTreeMap<(TargetGroupName, InstanceId, u16), (Plan, Task)>,
    /// Commands that are ending.
    ending: JoinSet<()>,
    last: Topology,
}

/// Where targets serve, and whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Targets {
    endpoints: BTreeMap<(InstanceId, u16, bool), Arc<Endpoint>>,
    turns: BTreeMap<TargetGroupName, Arc<AtomicU64>>,
}

impl Targets {
    /// Returns where a target serves.
    pub(super) fn endpoint(
        &self,
        group: &TargetGroupView,
        target: &TargetView,
    ) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(&(target.instance.clone(), target.port, is_secure(group)))
    }

    /// Returns whose turn it is in a target group.
    pub(super) fn turn(&mut self, target_group: &TargetGroupName) -> Arc<AtomicU64> {
        Arc::clone(self.turns.entry(target_group.clone()).or_default())
    }
}

fn is_secure(group: &TargetGroupView) -> bool {
    matches!(group.protocol.as_str(), "HTTPS" | "TLS")
}

impl Keeper {
    /// Follows the site until it is dropped.
    pub(super) async fn run(mut self) {
        let mut turns = tokio::time::interval(TICK);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for look in (0..SWEEP).cycle() {
            turns.tick().await;
            self.follow().await;
            if look == 0 {
                self.running.targets.endpoints.values().for_each(|one| one.sweep());
            }
        }
    }

    async fn follow(&mut self) {
        let topology = self.site.topology();
        self.follow_machines(&topology).await;
        let running = &mut self.running;
        while running.ending.try_join_next().is_some() {}
        let changed = topology != running.last;
        if changed {
            self.follow_targets(&topology);
            self.follow_checks(&topology);
        }
        let Running { sockets, targets, ports, last, .. } = &mut self.running;
        sockets.follow(&self.site, &topology, &self.tls, ports, &self.board).await;
        if changed || sockets.any_unrouted() {
            sockets.route(&topology, targets, &self.board);
        }
        sockets.cut_flows(&topology, last, targets);
        *last = topology;
    }

    async fn follow_machines(&mut self, topology: &Topology) {
        let Running { machines, ports, ending, .. } = &mut self.running;
        let wanted: BTreeSet<&InstanceId> =
            topology.machines.iter().map(|view| &view.instance).collect();
        let gone: Vec<_> = machines.keys().filter(|id| !wanted.contains(id)).cloned().collect();
        for id in gone {
            if let Some(machine) = machines.remove(&id) {
                machine.end(ending);
            }
        }
        let mut troubles = vec![];
        let mut setup = Setup {
            boot: self.options.boot,
            command: self.options.instance_command.as_deref(),
            tls: &self.tls,
            logs: &self.logs,
            ports,
            troubles: &mut troubles,
        };
        for view in &topology.machines {
            let machine = machines.entry(view.instance.clone()).or_insert_with(Machine::new);
            machine.fate.befall(&self.faults.of_machine(view), &self.faults.on_the_way_to(view));
            machine.follow(view, &mut setup).await;
        }
        for trouble in troubles {
            self.board.complain(trouble);
        }
    }

    fn follow_targets(&mut self, topology: &Topology) {
        let foreign = self.options.instance_command.is_some();
        let Running { machines, targets, ports, .. } = &mut self.running;
        let mut wanted = BTreeMap::new();
        for group in topology.target_groups.values() {
            let secure = is_secure(group);
            for target in &group.targets {
                let key = (target.instance.clone(), target.port, secure);
                let known = targets.endpoints.get(&key).cloned();
                let endpoint = known.unwrap_or_else(|| {
                    let machine = machines.get(&target.instance);
                    let fate = machine.map(|one| Arc::clone(&one.fate)).unwrap_or_default();
                    let address = (target.address, ports.place(target.port)).into();
                    let tls = secure.then(|| self.tls.clone());
                    Arc::new(Endpoint::new(address, fate, foreign, tls))
                });
                wanted.insert(key, endpoint);
            }
        }
        targets.endpoints = wanted;
        targets.turns.retain(|name, _| topology.target_groups.contains_key(name));
    }

    fn follow_checks(&mut self, topology: &Topology) {
        let mut wanted = BTreeMap::new();
        for (name, group) in &topology.target_groups {
            let unchecked = [HealthState::Draining, HealthState::Unused];
            let checked = group.targets.iter().filter(|one| !unchecked.contains(&one.state));
            for target in checked.filter(|_| group.used) {
                let plan = self.plan(name, group, target);
                wanted.insert((name.clone(), target.instance.clone(), target.port), plan);
            }
        }
        let Running { machines, checks, .. } = &mut self.running;
        checks.retain(|key, (plan, _)| wanted.get(key) == Some(plan));
        for (key, plan) in wanted {
            checks.entry(key).or_insert_with(|| {
                let machine = machines.get(&plan.instance);
                let fate = machine.map(|one| Arc::clone(&one.fate)).unwrap_or_default();
                let (site, tls) = (Arc::clone(&self.site), self.tls.clone());
                let task = Task::spawn(check::repeat(plan.clone(), site, fate, tls));
                (plan, task)
            });
        }
    }

    fn plan(
        &mut self,
        name: &TargetGroupName,
        group: &TargetGroupView,
        target: &TargetView,
    ) -> Plan {
        let check = &group.check;
        let port = self.running.ports.place(check.port.unwrap_or(target.port));
        let interval = self.options.check_interval.unwrap_or(check.interval);
        Plan {
            target_group: name.clone(),
            instance: target.instance.clone(),
            address: SocketAddr::from((target.address, port)),
            protocol: check.protocol.clone(),
            path: check.path.clone(),
            matcher: check.matcher.clone(),
            interval,
            // A check is over when the next one is made.
            timeout: check.timeout.min(interval),
            thresholds: check.thresholds,
            foreign: self.options.instance_command.is_some(),
        }
    }
}
