use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    AccountId, EnvironmentName, HealthStrategy, ImageId, InstanceId, Listener, ListenerKey,
    LoadBalancerName, Route, RouteKey, ScalingGroup, TargetGroup, TargetGroupName, TargetHealth,
    TestRule,
};

/// One of the two sides of an environment, by identity and not by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// The side that was there first.
    Blue,
    /// The side that `upgrade` made.
    Green,
}

impl Color {
    /// Both colours.
    pub const BOTH: [Self; 2] = [Self::Blue, Self::Green];

    /// Returns the other colour.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// Returns the colour in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::BOTH
            .into_iter()
            .find(|color| color.as_str() == text)
            .ok_or_else(|| format!("`{text}` is neither `blue` nor `green`"))
    }
}

/// One value for each colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colors<T> {
    /// Of blue.
    pub blue: T,
    /// Of green.
    pub green: T,
}

impl<T> Colors<T> {
    /// Returns the value of one colour.
    pub fn get(&self, color: Color) -> &T {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }
}

/// A deployable service, as the cloud shows it: the value that plans are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name in the configuration.
    pub name: EnvironmentName,
    /// The account that it is in, as the cloud says.
    pub account: AccountId,
    /// How both colours are kept checked.
    pub health: HealthStrategy,
    /// Where requests are sent to the environment: its live routes, in order.
    pub routes: Vec<Route>,
    /// Every listener of the load balancers that the environment's target groups are on.
    pub listeners: Vec<Listener>,
    /// The side that was there first.
    pub blue: Side,
    /// The other side; `None` before `upgrade`.
    pub green: Option<Side>,
    /// The same port of the service, once per colour; the green ones exist only after `upgrade`.
    pub pairs: Vec<Pair>,
}

/// One colour of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its scaling group.
    pub group: ScalingGroup,
    /// The image that its group launches, where that could be told.
    pub image: Option<ImageId>,
    /// Its target groups, one per pair and in the order of the pairs.
    pub members: Vec<Member>,
}

/// A target group of a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The target group.
    pub target_group: TargetGroup,
    /// The idle listener that keeps it checked, if there is one.
    pub idle_listener: Option<ListenerKey>,
    /// The test rule that keeps it checked, if there is one.
    pub test_rule: Option<TestRule>,
    /// What the load balancer thinks of its targets.
    pub health: Vec<TargetHealth>,
}

/// The same port of the service, once per colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The target group of blue, which also names the pair.
    pub blue: TargetGroupName,
    /// The target group of green.
    pub green: TargetGroupName,
}

impl Pair {
    /// Returns the target group of one colour.
    pub fn get(&self, color: Color) -> &TargetGroupName {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    /// Returns the name of the pair, the value of its tag.
    pub fn name(&self) -> &str {
        self.blue.as_str()
    }
}

/// Which colour the live routes send requests to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// All of them send all to this colour.
    Live(Color),
    /// They disagree, or one of them divides its traffic.
    Split,
}

impl Environment {
    /// Returns whether a network load balancer is among its load balancers.
    pub fn is_on_network(&self) -> bool {
        self.listeners.iter().any(Listener::is_of_network)
    }

    /// Returns whether a route is one of a network load balancer.
    pub fn is_network_route(&self, route: &RouteKey) -> bool {
        let mut listeners = self.listeners.iter();
        listeners.any(|listener| listener.key == route.listener && listener.is_of_network())
    }

    /// Returns what keeps a target group of a colour checked whichever colour is live: its idle
    /// listener, its test rule, or a live route that names it beside its counterpart.
    ///
    /// A route whose clients are sticky does not count: a switch takes the old target group out of
    /// it, since a weight of 0 would not move them.
    pub fn kept_checked_by(&self, member: &Member) -> Option<RouteKey> {
        let idle = member.idle_listener.clone().map(RouteKey::default_of);
        let test = || member.test_rule.as_ref().map(|rule| rule.key.clone());
        let weighted = || {
            let name = &member.target_group.name;
            let pair = self.pairs.iter().find(|pair| pair.blue == *name || pair.green == *name)?;
            let keeps = |route: &&Route| {
                route.actions.forward().is_some_and(|forward| {
                    let is_kept = forward.stickiness().is_none() && self.keeps_at_zero(&route.key);
                    is_kept && forward.names(&pair.blue) && forward.names(&pair.green)
                })
            };
            self.routes.iter().find(keeps).map(|route| route.key.clone())
        };
        idle.or_else(test).or_else(weighted)
    }

    /// Returns whether a target group may stay in a route with a weight of 0: on a network load
    /// balancer that closes its connections, which somebody must have agreed to.
    pub fn keeps_at_zero(&self, route: &RouteKey) -> bool {
        !self.is_network_route(route)
            || self.health == (HealthStrategy::WeightZero { cuts_connections: true })
    }

    /// Returns whether the environment has both colours.
    pub fn is_upgraded(&self) -> bool {
        self.green.is_some()
    }

    /// Returns one side; `None` for green before `upgrade`.
    pub fn side(&self, color: Color) -> Option<&Side> {
        match color {
            Color::Blue => Some(&self.blue),
            Color::Green => self.green.as_ref(),
        }
    }

    /// Returns the sides that there are, blue first.
    pub fn sides(&self) -> impl Iterator<Item = (Color, &Side)> {
        Color::BOTH.into_iter().filter_map(|color| Some((color, self.side(color)?)))
    }

    /// Returns the weight of each colour in a route, a lone target group counting as 100.
    pub fn weights(&self, route: &Route) -> Colors<u32> {
        let weight = |color| {
            let Some(forward) = route.actions.forward() else { return 0 };
            let scale = if forward.weights().len() == 1 { 100 } else { 1 };
            self.pairs.iter().map(|pair| scale * forward.effective_weight(pair.get(color))).sum()
        };
        Colors { blue: weight(Color::Blue), green: weight(Color::Green) }
    }

    /// Derives the live colour from what the routes forward to.
    pub fn liveness(&self) -> Liveness {
        let mut reached = BTreeSet::new();
        for route in &self.routes {
            let weights = self.weights(route);
            reached.extend(Color::BOTH.into_iter().filter(|color| *weights.get(*color) > 0));
        }
        match (reached.first(), reached.len()) {
            (Some(color), 1) => Liveness::Live(*color),
            _ => Liveness::Split,
        }
    }

    /// Returns the load balancers that the environment's target groups are on.
    pub fn load_balancers(&self) -> BTreeSet<LoadBalancerName> {
        self.listeners.iter().map(|listener| listener.key.load_balancer.clone()).collect()
    }
}

impl Side {
    /// Returns the ids of the group's instances.
    pub fn instances(&self) -> BTreeSet<&InstanceId> {
        self.group.instances.iter().map(|instance| &instance.id).collect()
    }
}
