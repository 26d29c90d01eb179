//! What should be there: the picture that the data plane follows.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use bluegreen_core::model::{
    Actions, HealthState, ImageId, InstanceId, LoadBalancerKind, LoadBalancerName, Opaque,
    ScalingGroupName, TargetGroupName,
};

use crate::fake::Thresholds;

/// Everything that is to run at one moment in one account and region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    /// The listeners, open or not.
    pub listeners: Vec<ListenerView>,
    /// The target groups.
    pub target_groups: BTreeMap<TargetGroupName, TargetGroupView>,
    /// The machines.
    pub machines: Vec<MachineView>,
}

/// A listener that is to be a socket.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenerView {
    /// The load balancer.
    pub load_balancer: LoadBalancerName,
    /// On which layer it balances.
    pub kind: LoadBalancerKind,
    /// The address of the load balancer.
    pub address: Ipv4Addr,
    /// The port.
    pub port: u16,
    /// The protocol as AWS spells it: `HTTP`, `HTTPS`, `TCP`, `TLS`.
    pub protocol: String,
    /// Whether a security group lets requests in.
    pub open: bool,
    /// What it does with requests that no rule takes.
    pub actions: Actions,
    /// Its rules, the most important first.
    pub rules: Vec<RuleView>,
}

/// A rule of a listener.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleView {
    /// Its priority.
    pub priority: u32,
    /// Which requests it takes.
    pub conditions: Opaque,
    /// What it does with them.
    pub actions: Actions,
}

/// A target group, and who is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetGroupView {
    /// The port on which its targets serve.
    pub port: u16,
    /// The protocol as AWS spells it.
    pub protocol: String,
    /// How its targets are checked.
    pub check: CheckView,
    /// Its attributes, as AWS names them: `stickiness.enabled`, `load_balancing.algorithm.type`.
    pub attributes: BTreeMap<String, String>,
    /// Whether any route names it: without one nothing is checked.
    pub used: bool,
    /// Its targets.
    pub targets: Vec<TargetView>,
}

/// How targets are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// The protocol: `HTTP`, `HTTPS`, `TCP`.
    pub protocol: String,
    /// The port, if it is not that of the traffic.
    pub port: Option<u16>,
    /// The path.
    pub path: String,
    /// From one check to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many in a row count.
    pub thresholds: Thresholds,
    /// Which answers are good, as AWS writes it: `200`, `200-399`, `200,301`.
    pub matcher: String,
}

/// A target of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    /// The machine.
    pub instance: InstanceId,
    /// Where it serves.
    pub address: Ipv4Addr,
    /// On which port.
    pub port: u16,
    /// What is thought of it.
    pub state: HealthState,
}

/// A machine that is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineView {
    /// Its id.
    pub instance: InstanceId,
    /// The group that launched it.
    pub group: Option<ScalingGroupName>,
    /// What it was launched from; its version, as far as answers tell.
    pub image: ImageId,
    /// The colour that its group is tagged with, if it is.
    pub color: Option<String>,
    /// Its own address.
    pub address: Ipv4Addr,
    /// The ports on which it is to serve, each with its protocol: those of its target groups.
    pub ports: BTreeMap<u16, String>,
    /// The zone in which it stands.
    pub zone: String,
    /// Whether it is to stop: nobody sends it anything any more.
    pub terminating: bool,
    /// Whether somebody stopped it behind its group's back.
    pub stopped: bool,
}
