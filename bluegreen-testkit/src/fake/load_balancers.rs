use std::collections::BTreeMap;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadLoadBalancers, WriteLoadBalancers};
use bluegreen_core::model::{
    Actions, Listener, ListenerKey, ListenerSettings, LoadBalancer, LoadBalancerName, Route,
    RouteKey,
};

use super::FakeCloud;
use super::piece::Piece;
use super::refusal::{joined, not_found, rejected};
use super::state::State;
use super::validate;
use super::world::{ListenerState, LoadBalancerState};

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
        if key.port == 0 || !validate::listens(balancer.kind, &wanted.protocol) {
            return no("this kind of load balancer does not listen so");
        }
        if matches!(wanted.protocol.as_str(), "HTTPS" | "TLS") {
            return no("the settings name no certificate");
        }
        validate::actions(&self.world, key, &wanted.protocol, &wanted.actions)
            .map_err(|objection| objection.into_error(METHOD, key))?;
        let ListenerSettings { protocol, actions, tags } = wanted;
        let listener = ListenerState { protocol, actions, rules: [].into(), tags };
        if let Some(balancer) = self.world.load_balancers.get_mut(&key.load_balancer) {
            balancer.listeners.insert(key.port, listener);
        }
        Ok(())
    }
}

fn described(name: &LoadBalancerName, state: &LoadBalancerState) -> LoadBalancer {
    LoadBalancer {
        name: name.clone(),
        kind: state.kind,
        deletion_protection: state.deletion_protection,
    }
}

fn settings(listener: &ListenerState) -> ListenerSettings {
    ListenerSettings {
        protocol: listener.protocol.clone(),
        actions: listener.actions.clone(),
        tags: listener.tags.clone(),
    }
}
