//! The listeners of a site: opened, closed, and told what to do.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{
    HealthState, InstanceId, LoadBalancerKind, LoadBalancerName, TargetGroupName,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::board::Board;
use super::condition::Condition;
use super::cookie;
use super::group::{self, Group, Member};
use super::keeper::Targets;
use super::listener::{self, Listener};
use super::meter::Label;
use super::ports::Ports;
use super::route::{Act, Routes, Rule, Split};
use super::tls::Tls;
use crate::playground::Site;
use crate::playground::topology::{ListenerView, MachineView, TargetGroupView, Topology};

/// From the moment a target group has weight 0 until its flows are closed.
///
/// AWS says "a short period of time".
const CLOSING: Duration = Duration::from_secs(2);

/// For how long nothing may come through a connection unless somebody says otherwise.
const APPLICATION_IDLE: Duration = Duration::from_mins(1);
const NETWORK_IDLE: Duration = Duration::from_secs(350);

/// The listeners of a site.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: BTreeMap<Key, Socket>,
    /// Those that are closed too, as long as they finish what they began.
    serving: JoinSet<()>,
}

type Key = (LoadBalancerName, u16);

#[derive(Debug)]
struct Socket {
    listener: Arc<Listener>,
    wanted: Ipv4Addr,
    address: SocketAddr,
    closing: watch::Sender<bool>,
    /// Bound, and not served yet: it does not know what to do.
    waiting: Option<(TcpListener, watch::Receiver<bool>)>,
    /// The target groups of weight 0, and since when.
    spent: BTreeMap<TargetGroupName, Instant>,
}

impl Sockets {
    /// Closes what is to be closed and opens what is to be open.
    pub(super) async fn follow(
        &mut self,
        site: &Site,
        topology: &Topology,
        tls: &Tls,
        ports: &mut Ports,
        board: &Board,
    ) {
        while self.serving.try_join_next().is_some() {}
        let wanted: BTreeMap<Key, &ListenerView> = topology
            .listeners
            .iter()
            .filter(|view| view.open)
            .map(|view| ((view.load_balancer.clone(), view.port), view))
            .collect();
        let before = self.open.len();
        self.open.retain(|key, socket| {
            let stays = wanted.get(key).is_some_and(|view| socket.serves(view));
            if !stays {
                socket.closing.send_replace(true);
            }
            stays
        });
        let mut changed = self.open.len() != before;
        for (key, view) in wanted {
            if !self.open.contains_key(&key)
                && let Some(socket) = self.open(view, tls, ports, board).await
            {
                self.open.insert(key.clone(), socket);
                changed = true;
            }
            if let Some(socket) = self.open.get(&key) {
                socket.listener.set_patience(patience(site, view));
            }
        }
        if changed {
            let all = self.open.iter().map(|(key, socket)| (key.clone(), socket.address));
            board.show_listening(all.collect());
        }
    }

    async fn open(
        &self,
        view: &ListenerView,
        tls: &Tls,
        ports: &mut Ports,
        board: &Board,
    ) -> Option<Socket> {
        let name = format!("{}:{}", view.load_balancer, view.port);
        let (raw, secure) = match view.protocol.as_str() {
            "HTTP" => (false, false),
            "HTTPS" => (false, true),
            "TCP" => (true, false),
            "TLS" => (true, true),
            other => {
                board.complain(format!("{name} speaks {other}, which nothing here carries"));
                return None;
            }
        };
        let place = ports.place(view.port);
        if place != view.port {
            let address = view.address;
            board.complain(format!(
                "{name} listens on {address}:{place}: this user may not listen on ports below 1024"
            ));
        }
        let bound = bind(view.address, place).await;
        let (socket, address) = bound
            .map_err(|error| {
                board
                    .complain(format!("{name} cannot listen on {}:{place}: {error}", view.address));
            })
            .ok()?;
        let tally = board.meters.tally(label(view, None, None));
        let secure = secure.then(|| tls.clone());
        let listener = Listener::new(view.port, &view.protocol, raw, secure, tally);
        let listener = Arc::new(listener);
        let (closing, is_closing) = watch::channel(false);
        let (wanted, spent) = (view.address, BTreeMap::new());
        let waiting = Some((socket, is_closing));
        Some(Socket { listener, wanted, address, closing, waiting, spent })
    }

    /// Tells the listeners what to do.
    pub(super) fn route(&mut self, topology: &Topology, targets: &mut Targets, board: &Board) {
        let machines: BTreeMap<_, _> =
            topology.machines.iter().map(|view| (&view.instance, view)).collect();
        for view in &topology.listeners {
            let key = (view.load_balancer.clone(), view.port);
            if let Some(socket) = self.open.get_mut(&key) {
                let mut router = Router { view, topology, machines: &machines, targets, board };
                socket.listener.routes.store(Arc::new(router.routes()));
                if let Some((bound, closing)) = socket.waiting.take() {
                    let listener = Arc::clone(&socket.listener);
                    self.serving.spawn(listener::serve(bound, listener, closing));
                }
            }
        }
    }

    /// Returns whether any listener does not know yet what to do.
    pub(super) fn any_unrouted(&self) -> bool {
        self.open.values().any(|socket| socket.waiting.is_some())
    }

    /// Closes the flows that network load balancers close.
    pub(super) fn cut_flows(&mut self, topology: &Topology, last: &Topology, targets: &Targets) {
        let gone = lost_targets(topology, last, targets);
        for socket in self.open.values_mut().filter(|socket| socket.listener.raw) {
            let routes = socket.listener.routes.load();
            let groups = routes.splits().flat_map(Split::groups);
            let spent: Vec<_> = groups
                .filter(|(_, weight)| *weight == 0)
                .map(|(one, _)| one.name.clone())
                .collect();
            socket.spent.retain(|name, _| spent.contains(name));
            let now = Instant::now();
            for name in spent {
                let since = *socket.spent.entry(name.clone()).or_insert(now);
                if now.duration_since(since) >= CLOSING {
                    socket.listener.flows.cut(|of, _| *of == name);
                }
            }
            if !gone.is_empty() {
                socket
                    .listener
                    .flows
                    .cut(|of, to| gone.iter().any(|(name, address)| name == of && *address == to));
            }
        }
    }
}

impl Socket {
    fn serves(&self, view: &ListenerView) -> bool {
        self.wanted == view.address && self.listener.protocol == view.protocol
    }
}

/// Returns the targets that were lost just now, if their groups say that flows end with that.
fn lost_targets(
    topology: &Topology,
    last: &Topology,
    targets: &Targets,
) -> Vec<(TargetGroupName, SocketAddr)> {
    let mut gone = vec![];
    for (name, before) in &last.target_groups {
        let Some(group) = topology.target_groups.get(name) else { continue };
        let says = |key: &str, usual: bool| {
            group.attributes.get(key).map_or(usual, |value| value == "true")
        };
        let with_registration = says("deregistration_delay.connection_termination.enabled", false);
        let with_health =
            says("target_health_state.unhealthy.connection_termination.enabled", true);
        for target in &before.targets {
            let same = |one: &&_| same_target(one, target);
            let now = group.targets.iter().find(same);
            let ends = match now {
                None => with_registration,
                Some(now) => {
                    let fell = now.state == HealthState::Unhealthy && now.state != target.state;
                    fell && with_health
                }
            };
            if ends {
                let endpoint = targets.endpoint(group, target);
                let usual = SocketAddr::from((target.address, target.port));
                gone.push((name.clone(), endpoint.map_or(usual, |endpoint| endpoint.address)));
            }
        }
    }
    gone
}

fn same_target(
    one: &crate::playground::topology::TargetView,
    other: &crate::playground::topology::TargetView,
) -> bool {
    (&one.instance, one.port) == (&other.instance, other.port)
}

async fn bind(address: Ipv4Addr, port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpListener::bind((address, port)).await?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// Returns for how long nothing may come through a connection of a listener.
fn patience(site: &Site, view: &ListenerView) -> Duration {
    if view.kind != LoadBalancerKind::Application {
        return NETWORK_IDLE;
    }
    let facts = site.facts();
    let balancer = facts.load_balancers.get(view.load_balancer.as_str());
    let said = balancer.and_then(|one| one.attributes.get("idle_timeout.timeout_seconds"));
    said.and_then(|seconds| seconds.parse().ok()).map_or(APPLICATION_IDLE, Duration::from_secs)
}

fn label(
    view: &ListenerView,
    target_group: Option<&TargetGroupName>,
    machine: Option<&MachineView>,
) -> Label {
    Label {
        load_balancer: view.load_balancer.clone(),
        port: view.port,
        target_group: target_group.cloned(),
        version: machine.map(|machine| machine.image.to_string()),
        color: machine.and_then(|machine| machine.color.clone()),
    }
}

/// Works out what one listener does.
struct Router<'a> {
    view: &'a ListenerView,
    topology: &'a Topology,
    machines: &'a BTreeMap<&'a InstanceId, &'a MachineView>,
    targets: &'a mut Targets,
    board: &'a Board,
}

impl Router<'_> {
    fn routes(&mut self) -> Routes {
        let mut known = BTreeMap::new();
        let mut rules = vec![];
        for rule in &self.view.rules {
            let (conditions, unknown) = Condition::read_all(rule.conditions.value());
            let (act, unable) = Act::read(&rule.actions, |name| self.group(name, &mut known));
            let place = format!("rule {}", rule.priority);
            self.complain(&place, unknown.into_iter().chain(unable));
            rules.push(Rule { conditions, act });
        }
        let (default, unable) = Act::read(&self.view.actions, |name| self.group(name, &mut known));
        self.complain("the default action", unable);
        Routes { rules, default }
    }

    fn complain(&self, place: &str, troubles: impl IntoIterator<Item = String>) {
        let ListenerView { load_balancer, port, .. } = self.view;
        for trouble in troubles {
            self.board.complain(format!("{load_balancer}:{port}, {place}: {trouble}"));
        }
    }

    fn group(
        &mut self,
        name: &TargetGroupName,
        known: &mut BTreeMap<TargetGroupName, Arc<Group>>,
    ) -> Option<Arc<Group>> {
        if let Some(group) = known.get(name) {
            return Some(Arc::clone(group));
        }
        let topology = self.topology;
        let view = topology.target_groups.get(name)?;
        let members = group::eligible(view).filter_map(|at| self.member(name, view, at));
        let members = members.collect();
        let tally = self.board.meters.tally(label(self.view, Some(name), None));
        let group = Group::new(name, view, members, self.targets.turn(name), tally);
        let group = Arc::new(group);
        known.insert(name.clone(), Arc::clone(&group));
        Some(group)
    }

    fn member(
        &self,
        name: &TargetGroupName,
        view: &TargetGroupView,
        at: usize,
    ) -> Option<Arc<Member>> {
        let target = view.targets.get(at)?;
        let endpoint = Arc::clone(self.targets.endpoint(view, target)?);
        let machine = self.machines.get(&target.instance).copied();
        let port = target.port.to_string();
        let token = cookie::token(&[name.as_str(), target.instance.as_str(), &port]);
        let tally = self.board.meters.tally(label(self.view, Some(name), machine));
        Some(Arc::new(Member { token, endpoint, tally }))
    }
}
