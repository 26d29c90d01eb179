use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Actions, LoadBalancerName, Opaque, Tags, TestMatch};

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its name.
    pub name: LoadBalancerName,
    /// On which layer it balances.
    pub kind: LoadBalancerKind,
    /// Whether security groups decide who reaches it.
    pub guarded: bool,
    /// Whether the cloud refuses to delete it.
    pub deletion_protection: bool,
}

/// On which layer a load balancer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadBalancerKind {
    /// Balances HTTP requests.
    Application,
    /// Balances connections and datagrams.
    Network,
    /// Passes packets through appliances.
    Gateway,
}

/// Names a listener by what survives its being made again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListenerKey {
    /// The load balancer that listens.
    pub load_balancer: LoadBalancerName,
    /// The port that it listens on.
    pub port: u16,
}

impl ListenerKey {
    /// Names the listener of `load_balancer` on `port`.
    pub fn new(load_balancer: LoadBalancerName, port: u16) -> Self {
        Self { load_balancer, port }
    }
}

impl fmt::Display for ListenerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.load_balancer, self.port)
    }
}

/// Names a place where requests are sent on: a listener's default action, or one of its rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouteKey {
    /// The listener.
    pub listener: ListenerKey,
    /// The priority of the rule; `None` is the listener's default action.
    pub priority: Option<u32>,
}

impl RouteKey {
    /// Names the default action of `listener`.
    pub fn default_of(listener: ListenerKey) -> Self {
        Self { listener, priority: None }
    }

    /// Names the rule of `listener` at `priority`.
    pub fn rule(listener: ListenerKey, priority: u32) -> Self {
        Self { listener, priority: Some(priority) }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.priority {
            None => write!(f, "{}", self.listener),
            Some(priority) => write!(f, "{} rule {priority}", self.listener),
        }
    }
}

/// A listener, with what it does when no rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name.
    pub key: ListenerKey,
    /// The protocol as the provider spells it, such as `HTTP` or `HTTPS`.
    pub protocol: String,
    /// What it does when no rule matches.
    pub actions: Actions,
    /// What belongs to TLS: the certificate, the policy. Empty if it listens in the clear.
    pub tls: Opaque,
}

impl Listener {
    /// Returns what it does when no rule matches, as a route.
    pub fn default_route(&self) -> Route {
        let key = RouteKey::default_of(self.key.clone());
        Route { key, actions: self.actions.clone(), takes: None }
    }

    /// Returns whether it is one of a network load balancer.
    pub fn is_of_network(&self) -> bool {
        // An application load balancer speaks nothing else, a gateway's listeners no protocol.
        !matches!(self.protocol.as_str(), "HTTP" | "HTTPS" | "")
    }
}

/// A listener's default action or a rule, with what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its name.
    pub key: RouteKey,
    /// What it does with a request.
    pub actions: Actions,
    /// Which requests it takes, if it is a rule that takes only those with some header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<TestMatch>,
}

impl Route {
    /// Returns whether it is a test rule: one that no request reaches which does not know how.
    pub fn is_test(&self) -> bool {
        self.takes.as_ref().is_some_and(TestMatch::is_ours)
    }
}

/// What makes an idle listener: a listener on a closed port that keeps a target group checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerSettings {
    /// The protocol as the provider spells it.
    pub protocol: String,
    /// What it does with a request.
    pub actions: Actions,
    /// Its tags.
    pub tags: Tags,
    /// What belongs to TLS: the certificate, the policy. Empty if it listens in the clear.
    #[serde(default, skip_serializing_if = "Opaque::is_empty")]
    pub tls: Opaque,
}

/// Ports from `first` to `last`, both included; written `18080-18099`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Says that a text is no range of ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of ports like `18080-18099`")]
pub struct ParsePortRangeError(String);

impl PortRange {
    /// Makes the range from `first` to `last`; `None` if it would be empty or hold port 0.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first == 0 || first > last { None } else { Some(Self { first, last }) }
    }

    /// Returns whether `port` is in the range.
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Returns the ports in order.
    pub fn ports(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for PortRange {
    type Err = ParsePortRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let parse = |port: &str| port.trim().parse().ok();
        parse(first)
            .zip(parse(last))
            .and_then(|(first, last)| Self::new(first, last))
            .ok_or_else(|| ParsePortRangeError(text.to_owned()))
    }
}

impl TryFrom<String> for PortRange {
    type Error = ParsePortRangeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PortRange> for String {
    fn from(range: PortRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_is_read_or_refused() {
        assert_eq!("18080-18099".parse::<PortRange>().unwrap().ports().count(), 20);
        assert_eq!("80".parse::<PortRange>().unwrap().to_string(), "80-80");
        for wrong in ["", "0-4", "9-8", "a-b", "1-70000"] {
            assert!(wrong.parse::<PortRange>().is_err(), "{wrong}");
        }
    }
}
