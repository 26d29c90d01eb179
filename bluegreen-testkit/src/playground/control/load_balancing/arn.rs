use bluegreen_core::model::{
    ListenerKey, LoadBalancerKind, LoadBalancerName, RouteKey, TargetGroupName,
};

use crate::fake::World;
use crate::playground::site::Site;

/// What the facts call load balancers, listeners, rules and target groups.
pub(crate) mod kind {
    pub(crate) const LOAD_BALANCER: &str = "load-balancer";
    pub(crate) const LISTENER: &str = "listener";
    pub(crate) const RULE: &str = "rule";
    pub(crate) const TARGET_GROUP: &str = "target-group";
}

/// The ARNs of a site: what they are, and what they stand for.
///
/// Their last parts are identities, so that the ARN of something that was deleted never stands for
/// the next of its name.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    site: &'a Site,
}

/// Something that has an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    LoadBalancer(LoadBalancerName),
    Listener(ListenerKey),
    /// A rule; the default one has no priority.
    Rule(RouteKey),
    TargetGroup(TargetGroupName),
}

impl<'a> Names<'a> {
    pub(crate) fn of(site: &'a Site) -> Self {
        Self { site }
    }

    /// Returns the ARN of a target group.
    pub(crate) fn target_group(&self, name: &TargetGroupName) -> String {
        let id = self.identity(kind::TARGET_GROUP, name.as_str());
        self.arn(&format!("targetgroup/{name}/{id}"))
    }

    /// Returns the ARN of a load balancer.
    pub(crate) fn load_balancer(&self, world: &World, name: &LoadBalancerName) -> String {
        self.arn(&format!("loadbalancer/{}", self.part(world, name)))
    }

    pub(super) fn listener(&self, world: &World, key: &ListenerKey) -> String {
        self.arn(&format!("listener/{}", self.listener_part(world, key)))
    }

    pub(super) fn rule(&self, world: &World, key: &RouteKey) -> String {
        let listener = self.listener_part(world, &key.listener);
        let id = self.identity(kind::RULE, &rule_name(key));
        self.arn(&format!("listener-rule/{listener}/{id}"))
    }

    pub(super) fn find_load_balancer(&self, world: &World, arn: &str) -> Option<LoadBalancerName> {
        match self.find(world, arn)? {
            Thing::LoadBalancer(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn find_listener(&self, world: &World, arn: &str) -> Option<ListenerKey> {
        match self.find(world, arn)? {
            Thing::Listener(key) => Some(key),
            _ => None,
        }
    }

    pub(super) fn find_rule(&self, world: &World, arn: &str) -> Option<RouteKey> {
        match self.find(world, arn)? {
            Thing::Rule(key) => Some(key),
            _ => None,
        }
    }

    /// Returns the target group that an ARN stands for, if it exists.
    pub(crate) fn find_target_group(&self, world: &World, arn: &str) -> Option<TargetGroupName> {
        match self.find(world, arn)? {
            Thing::TargetGroup(name) => Some(name),
            _ => None,
        }
    }

    /// Returns what an ARN stands for, if it exists.
    pub(super) fn find(&self, world: &World, arn: &str) -> Option<Thing> {
        let parts: Vec<&str> = arn.strip_prefix(&self.arn(""))?.split('/').collect();
        let thing = match *parts.as_slice() {
            ["targetgroup", name, _] => Thing::TargetGroup(TargetGroupName::new(name)),
            ["loadbalancer", _, name, _] => Thing::LoadBalancer(LoadBalancerName::new(name)),
            ["listener", _, balancer, _, id] => {
                Thing::Listener(self.listener_of(world, balancer, id)?)
            }
            ["listener-rule", _, balancer, _, listener, id] => {
                let listener = self.listener_of(world, balancer, listener)?;
                let state = world.listener(&listener)?;
                let mut rules = state
                    .routes()
                    .map(|(priority, _)| RouteKey { listener: listener.clone(), priority });
                Thing::Rule(rules.find(|key| self.identity(kind::RULE, &rule_name(key)) == id)?)
            }
            _ => return None,
        };
        let (exists, found) = match &thing {
            Thing::TargetGroup(name) => {
                (world.target_groups.contains_key(name), self.target_group(name))
            }
            Thing::LoadBalancer(name) => {
                (world.load_balancers.contains_key(name), self.load_balancer(world, name))
            }
            Thing::Listener(key) => (true, self.listener(world, key)),
            Thing::Rule(key) => (true, self.rule(world, key)),
        };
        (exists && found == arn).then_some(thing)
    }

    fn listener_of(&self, world: &World, balancer: &str, id: &str) -> Option<ListenerKey> {
        let balancer = LoadBalancerName::new(balancer);
        let ports = world.load_balancers.get(&balancer)?.listeners.keys();
        let mut keys = ports.map(|port| ListenerKey::new(balancer.clone(), *port));
        keys.find(|key| self.identity(kind::LISTENER, &listener_name(key)) == id)
    }

    fn listener_part(&self, world: &World, key: &ListenerKey) -> String {
        let balancer = self.part(world, &key.load_balancer);
        format!("{balancer}/{}", self.identity(kind::LISTENER, &listener_name(key)))
    }

    fn part(&self, world: &World, name: &LoadBalancerName) -> String {
        let short = match world.load_balancers.get(name).map(|balancer| balancer.kind) {
            Some(LoadBalancerKind::Network) => "net",
            Some(LoadBalancerKind::Gateway) => "gwy",
            _ => "app",
        };
        format!("{short}/{name}/{}", self.identity(kind::LOAD_BALANCER, name.as_str()))
    }

    fn identity(&self, kind: &str, name: &str) -> String {
        self.site.facts().identity(kind, name)
    }

    fn arn(&self, resource: &str) -> String {
        let Site { region, account, .. } = self.site;
        format!("arn:aws:elasticloadbalancing:{region}:{account}:{resource}")
    }
}

/// Returns by which name the facts know a listener.
pub(super) fn listener_name(key: &ListenerKey) -> String {
    format!("{}/{}", key.load_balancer, key.port)
}

/// Returns by which name the facts know a rule.
pub(super) fn rule_name(key: &RouteKey) -> String {
    let listener = listener_name(&key.listener);
    match key.priority {
        Some(priority) => format!("{listener}/{priority}"),
        None => format!("{listener}/default"),
    }
}
