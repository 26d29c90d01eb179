use std::collections::BTreeMap;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadLoadBalancers, WriteLoadBalancers};
use bluegreen_core::model::{
    Actions, Limits, Listener, ListenerKey, ListenerSettings, LoadBalancer, LoadBalancerKind,
    LoadBalancerName, Route, RouteKey, RuleSettings,
};

use super::FakeCloud;
use super::piece::Piece;
use super::refusal::{joined, not_found, rejected};
use super::state::State;
use super::validate;
use super::world::{ListenerState, LoadBalancerState, RuleState};

#[async_trait]
impl ReadLoadBalancers for FakeCloud {
    async fn load_balancers(
        &self,
        names: &[LoadBalancerName],
    ) -> Result<Vec<LoadBalancer>, CloudError> {
        self.read("load_balancers", joined(names), |state| {
            let found = state.world.load_balancers.iter().filter(|(name, _)| names.contains(name));
            Ok(found.map(|(name, one)| described(name, one)).collect())
        })
        .await
    }

    async fn listeners(
        &self,
        load_balancer: &LoadBalancerName,
    ) -> Result<Vec<Listener>, CloudError> {
        self.read("listeners", load_balancer.to_string(), |state| {
            let balancer = state.world.load_balancers.get(load_balancer);
            let balancer = balancer.ok_or_else(|| not_found("listeners", load_balancer))?;
            let listeners = balancer.listeners.iter().map(|(port, listener)| Listener {
                key: ListenerKey::new(load_balancer.clone(), *port),
                protocol: listener.protocol.clone(),
                actions: listener.actions.clone(),
                tls: listener.tls.clone(),
            });
            Ok(listeners.collect())
        })
        .await
    }

    async fn rules(&self, listener: &ListenerKey) -> Result<Vec<Route>, CloudError> {
        self.read("rules", listener.to_string(), |state| {
            let found = state.world.listener(listener);
            let found = found.ok_or_else(|| not_found("rules", listener))?;
            let rules = found.rules.iter().map(|(priority, rule)| Route {
                key: RouteKey::rule(listener.clone(), *priority),
                actions: rule.actions.clone(),
                takes: rule.takes(),
            });
            Ok(rules.collect())
        })
        .await
    }

    async fn routes(&self, keys: &[RouteKey]) -> Result<BTreeMap<RouteKey, Actions>, CloudError> {
        self.read("routes", joined(keys), |state| {
            let found = keys.iter().filter_map(|key| Some((key, state.world.actions(key)?)));
            Ok(found.map(|(key, actions)| (key.clone(), actions.clone())).collect())
        })
        .await
    }

    async fn rule_settings(&self, rule: &RouteKey) -> Result<Option<RuleSettings>, CloudError> {
        self.read("rule_settings", rule.to_string(), |state| {
            let found = state.world.rule(rule);
            Ok(found.and_then(|one| {
                let (actions, tags) = (one.actions.clone(), one.tags.clone());
                Some(RuleSettings { takes: one.takes()?, actions, tags })
            }))
        })
        .await
    }

    async fn limits(&self) -> Result<Limits, CloudError> {
        self.read("limits", String::new(), |state| Ok(state.limits)).await
    }

    async fn listener_settings(
        &self,
        listener: &ListenerKey,
    ) -> Result<Option<ListenerSettings>, CloudError> {
        self.read("listener_settings", listener.to_string(), |state| {
            Ok(state.world.listener(listener).map(settings))
        })
        .await
    }
}

#[async_trait]
impl WriteLoadBalancers for FakeCloud {
    async fn set_route(&self, route: &RouteKey, actions: &Actions) -> Result<(), CloudError> {
        let (route, actions) = (route.clone(), actions.clone());
        let piece = Piece::Route(route.clone());
        self.write("set_route", piece, move |state| state.set_route(&route, actions)).await
    }

    async fn create_listener(
        &self,
        listener: &ListenerKey,
        settings: &ListenerSettings,
    ) -> Result<(), CloudError> {
        let (listener, settings) = (listener.clone(), settings.clone());
        let piece = Piece::Listener(listener.clone());
        self.write("create_listener", piece, move |state| {
            state.create_listener(&listener, settings)
        })
        .await
    }

    async fn delete_listener(&self, listener: &ListenerKey) -> Result<(), CloudError> {
        let listener = listener.clone();
        let piece = Piece::Listener(listener.clone());
        self.write("delete_listener", piece, move |state| {
            if let Some(balancer) = state.world.load_balancers.get_mut(&listener.load_balancer) {
                balancer.listeners.remove(&listener.port);
            }
            Ok(())
        })
        .await
    }

    async fn create_rule(
        &self,
        rule: &RouteKey,
        settings: &RuleSettings,
    ) -> Result<(), CloudError> {
        let (rule, settings) = (rule.clone(), settings.clone());
        let piece = Piece::Rule(rule.clone());
        self.write("create_rule", piece, move |state| state.create_rule(&rule, settings)).await
    }

    async fn delete_rule(&self, rule: &RouteKey) -> Result<(), CloudError> {
        let rule = rule.clone();
        let piece = Piece::Rule(rule.clone());
        self.write("delete_rule", piece, move |state| {
            let Some(found) = state.world.rule(&rule) else { return Ok(()) };
            if found.takes().is_none() {
                return Err(rejected("delete_rule", &rule, "it takes requests of anybody"));
            }
            let listener = state.world.listener_mut(&rule.listener);
            if let Some((listener, priority)) = listener.zip(rule.priority) {
                listener.rules.remove(&priority);
            }
            Ok(())
        })
        .await
    }

    async fn set_deletion_protection(
        &self,
        load_balancer: &LoadBalancerName,
        on: bool,
    ) -> Result<(), CloudError> {
        let name = load_balancer.clone();
        let piece = Piece::LoadBalancer(name.clone());
        self.write("set_deletion_protection", piece, move |state| {
            let balancer = state.world.load_balancers.get_mut(&name);
            let balancer = balancer.ok_or_else(|| not_found("set_deletion_protection", &name))?;
            balancer.deletion_protection = on;
            Ok(())
        })
        .await
    }
}

impl State {
    fn set_route(&mut self, route: &RouteKey, actions: Actions) -> Result<(), CloudError> {
        const METHOD: &str = "set_route";
        let listener = self.world.listener(&route.listener);
        let protocol = listener.ok_or_else(|| not_found(METHOD, route))?.protocol.clone();
        if self.world.actions(route).is_none() {
            return Err(not_found(METHOD, route));
        }
        validate::actions(&self.world, &route.listener, &protocol, &actions)
            .map_err(|objection| objection.into_error(METHOD, &route.listener))?;
        if let Some(found) = self.world.actions_mut(route) {
            *found = actions;
        }
        Ok(())
    }

    fn create_rule(&mut self, key: &RouteKey, wanted: RuleSettings) -> Result<(), CloudError> {
        const METHOD: &str = "create_rule";
        let no = |why: &str| Err(rejected(METHOD, key, why));
        let balancer = self.world.load_balancers.get(&key.listener.load_balancer);
        let balancer = balancer.ok_or_else(|| not_found(METHOD, key))?;
        let listener = self.world.listener(&key.listener);
        let listener = listener.ok_or_else(|| not_found(METHOD, &key.listener))?;
        if balancer.kind != LoadBalancerKind::Application {
            return no("rules of this kind of load balancer look at no header");
        }
        let Some(priority) = key.priority.filter(|one| (1..=50_000).contains(one)) else {
            return no("the priority is out of range");
        };
        let wanted = RuleState::of(wanted);
        match listener.rules.get(&priority) {
            Some(found) if *found == wanted => return Ok(()),
            Some(_) => return no("another rule has this priority"),
            None => {}
        }
        let rules: usize = balancer.listeners.values().map(|one| one.rules.len()).sum();
        if over(rules, self.limits.application.rules) {
            return no("the load balancer has as many rules as it may have");
        }
        let protocol = listener.protocol.clone();
        validate::actions(&self.world, &key.listener, &protocol, &wanted.actions)
            .map_err(|objection| objection.into_error(METHOD, &key.listener))?;
        if let Some(listener) = self.world.listener_mut(&key.listener) {
            listener.rules.insert(priority, wanted);
        }
        Ok(())
    }

    fn create_listener(
        &mut self,
        key: &ListenerKey,
        wanted: ListenerSettings,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "create_listener";
        let no = |why: &str| Err(rejected(METHOD, key, why));
        let Some(balancer) = self.world.load_balancers.get(&key.load_balancer) else {
            return Err(not_found(METHOD, &key.load_balancer));
        };
        match balancer.listeners.get(&key.port) {
            Some(found) if settings(found) == wanted => return Ok(()),
            Some(_) => return no("another listener has this port"),
            None => {}
        }
        let limits = match balancer.kind {
            LoadBalancerKind::Network => self.limits.network,
            _ => self.limits.application,
        };
        if over(balancer.listeners.len(), limits.listeners) {
            return no("the load balancer has as many listeners as it may have");
        }
        if key.port == 0 || !validate::listens(balancer.kind, &wanted.protocol) {
            return no("this kind of load balancer does not listen so");
        }
        if matches!(wanted.protocol.as_str(), "HTTPS" | "TLS") == wanted.tls.is_empty() {
            return no("a certificate belongs to a listener that speaks TLS, and to no other");
        }
        validate::actions(&self.world, key, &wanted.protocol, &wanted.actions)
            .map_err(|objection| objection.into_error(METHOD, key))?;
        let ListenerSettings { protocol, actions, tags, tls } = wanted;
        let listener = ListenerState { protocol, actions, rules: [].into(), tags, tls };
        if let Some(balancer) = self.world.load_balancers.get_mut(&key.load_balancer) {
            balancer.listeners.insert(key.port, listener);
        }
        Ok(())
    }
}

/// Returns whether there may not be one more.
fn over(there_are: usize, limit: Option<u32>) -> bool {
    limit.is_some_and(|limit| there_are >= usize::try_from(limit).unwrap_or(usize::MAX))
}

fn described(name: &LoadBalancerName, state: &LoadBalancerState) -> LoadBalancer {
    LoadBalancer {
        name: name.clone(),
        kind: state.kind,
        guarded: state.guarded,
        deletion_protection: state.deletion_protection,
    }
}

fn settings(listener: &ListenerState) -> ListenerSettings {
    ListenerSettings {
        protocol: listener.protocol.clone(),
        actions: listener.actions.clone(),
        tags: listener.tags.clone(),
        tls: listener.tls.clone(),
    }
}
