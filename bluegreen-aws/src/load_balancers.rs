//! Load balancers, listeners and rules.

mod limits;
mod routes;
mod rules;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::operation::create_listener::CreateListenerOutput;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::{CloudError, CloudErrorKind, ReadLoadBalancers, WriteLoadBalancers};
use bluegreen_core::model::{
    Action, Actions, Limits, Listener, ListenerKey, ListenerSettings, LoadBalancer,
    LoadBalancerKind, LoadBalancerName, Route, RouteKey, RuleSettings, TargetGroupName,
};
use futures_util::future::try_join_all;

use crate::AwsCloud;
use crate::convert::{action, rule, target_group, tls};
use crate::error::{incomplete, or_absent, read_error, refused, write_error};
use crate::locate::{if_there, with_arn};

/// The attribute that keeps a load balancer from being deleted.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html>
const DELETION_PROTECTION: &str = "deletion_protection.enabled";

#[async_trait]
impl ReadLoadBalancers for AwsCloud {
    async fn load_balancers(
        &self,
        names: &[LoadBalancerName],
    ) -> Result<Vec<LoadBalancer>, CloudError> {
        let found = self.describe_load_balancers(names).await?;
        try_join_all(found.iter().map(|one| self.read_load_balancer(one))).await
    }

    async fn listeners(
        &self,
        load_balancer: &LoadBalancerName,
    ) -> Result<Vec<Listener>, CloudError> {
        let found = self.describe_listeners(load_balancer).await?;
        let listeners = found.into_iter().map(|(key, one)| self.read_listener(key, &one));
        let mut listeners = listeners.collect::<Result<Vec<_>, _>>()?;
        listeners.sort_by_key(|one| one.key.port);
        Ok(listeners)
    }

    async fn rules(&self, listener: &ListenerKey) -> Result<Vec<Route>, CloudError> {
        let found = self.describe_rules(listener).await?;
        let rules = found.into_iter().map(|(key, rule)| {
            let actions = self.read_actions("DescribeRules", &key, rule.actions())?;
            Ok(Route { key, actions, takes: rule::read_takes(&rule) })
        });
        let mut rules = rules.collect::<Result<Vec<_>, CloudError>>()?;
        rules.sort_by_key(|rule| rule.key.priority);
        Ok(rules)
    }

    async fn rule_settings(&self, key: &RouteKey) -> Result<Option<RuleSettings>, CloudError> {
        rules::settings(self, key).await
    }

    async fn limits(&self) -> Result<Limits, CloudError> {
        limits::read(self).await
    }

    async fn routes(&self, keys: &[RouteKey]) -> Result<BTreeMap<RouteKey, Actions>, CloudError> {
        routes::read(self, keys).await
    }

    async fn listener_settings(
        &self,
        key: &ListenerKey,
    ) -> Result<Option<ListenerSettings>, CloudError> {
        let Some(found) = if_there(self.describe_listeners(&key.load_balancer).await)? else {
            return Ok(None);
        };
        let Some((_, listener)) = found.into_iter().find(|(one, _)| one == key) else {
            return Ok(None);
        };
        let Listener { protocol, actions, tls, .. } = self.read_listener(key.clone(), &listener)?;
        let arn = listener.listener_arn();
        let arn = arn.ok_or_else(|| incomplete("DescribeListeners", key, "ListenerArn"))?;
        let tags = if_there(self.describe_tags(key, arn).await)?;
        Ok(tags.map(|tags| ListenerSettings { protocol, actions, tags, tls }))
    }
}

#[async_trait]
impl WriteLoadBalancers for AwsCloud {
    async fn set_route(&self, route: &RouteKey, actions: &Actions) -> Result<(), CloudError> {
        let arns = self.arns_of(route, actions).await?;
        let first = self.modify_route(route, actions, &arns).await;
        let Err(error) = &first else { return first };
        if error.kind() != CloudErrorKind::NotFound {
            return first;
        }
        // The route was looked for anew; perhaps a target group's ARN is stale.
        for name in arns.keys() {
            self.names().target_groups.forget(name);
        }
        let fresh = self.arns_of(route, actions).await?;
        if fresh == arns { first } else { self.modify_route(route, actions, &fresh).await }
    }

    async fn create_listener(
        &self,
        key: &ListenerKey,
        settings: &ListenerSettings,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "CreateListener";
        // AWS does as much, except that it may take other tags for the same settings.
        match self.listener_settings(key).await? {
            Some(found) if found == *settings => return Ok(()),
            Some(_) => return Err(refused(OPERATION, key, "one with other settings exists")),
            None => {}
        }
        for listener in self.listen(key, settings).await?.listeners() {
            self.learn_listener(&key.load_balancer, listener)?;
        }
        Ok(())
    }

    async fn delete_listener(&self, key: &ListenerKey) -> Result<(), CloudError> {
        const OPERATION: &str = "DeleteListener";
        let known = &self.names().listeners;
        let deleted = with_arn(
            known,
            key,
            OPERATION,
            || self.resolve_listener(key),
            |arn| async move {
                let request = self.load_balancing_write().await.delete_listener().listener_arn(arn);
                let answer = request.send().await;
                answer.map(drop).map_err(|error| write_error(OPERATION, key, error))
            },
        );
        or_absent(deleted.await)?;
        known.forget(key);
        Ok(())
    }

    async fn create_rule(&self, key: &RouteKey, settings: &RuleSettings) -> Result<(), CloudError> {
        rules::create(self, key, settings).await
    }

    async fn delete_rule(&self, key: &RouteKey) -> Result<(), CloudError> {
        rules::delete(self, key).await
    }

    async fn set_deletion_protection(
        &self,
        name: &LoadBalancerName,
        on: bool,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "ModifyLoadBalancerAttributes";
        let known = &self.names().load_balancers;
        with_arn(
            known,
            name,
            OPERATION,
            || self.resolve_load_balancer(name),
            |arn| async move {
                let attribute = sdk::LoadBalancerAttribute::builder()
                    .key(DELETION_PROTECTION)
                    .value(on.to_string())
                    .build();
                let request = self.load_balancing_write().await.modify_load_balancer_attributes();
                let answer = request.load_balancer_arn(arn).attributes(attribute).send().await;
                answer.map(drop).map_err(|error| write_error(OPERATION, name, error))
            },
        )
        .await
    }
}

impl AwsCloud {
    async fn read_load_balancer(
        &self,
        found: &sdk::LoadBalancer,
    ) -> Result<LoadBalancer, CloudError> {
        const OPERATION: &str = "DescribeLoadBalancers";
        let name = found.load_balancer_name().unwrap_or_default();
        let missing = |what| incomplete(OPERATION, name, what);
        let arn = found.load_balancer_arn().ok_or_else(|| missing("LoadBalancerArn"))?;
        let kind = match found.r#type().ok_or_else(|| missing("Type"))? {
            sdk::LoadBalancerTypeEnum::Application => LoadBalancerKind::Application,
            sdk::LoadBalancerTypeEnum::Network => LoadBalancerKind::Network,
            sdk::LoadBalancerTypeEnum::Gateway => LoadBalancerKind::Gateway,
            other => {
                let why = format!("load balancers of type `{}` are not known", other.as_str());
                return Err(refused(OPERATION, name, why));
            }
        };
        let request = self.load_balancing_read().await.describe_load_balancer_attributes();
        let answer = request.load_balancer_arn(arn).send().await;
        let answer =
            answer.map_err(|error| read_error("DescribeLoadBalancerAttributes", name, error))?;
        let mut attributes = answer.attributes().iter();
        // AWS lists every attribute; without a word there is no protection.
        let deletion_protection = attributes
            .any(|one| one.key() == Some(DELETION_PROTECTION) && one.value() == Some("true"));
        let guarded = !found.security_groups().is_empty();
        let name = LoadBalancerName::new(name);
        Ok(LoadBalancer { name, kind, guarded, deletion_protection })
    }

    fn read_listener(
        &self,
        key: ListenerKey,
        listener: &sdk::Listener,
    ) -> Result<Listener, CloudError> {
        // A gateway load balancer's listener has no protocol.
        let protocol = listener.protocol().map(|one| one.as_str().to_owned()).unwrap_or_default();
        let actions = self.read_actions("DescribeListeners", &key, listener.default_actions())?;
        let tls = tls::read(listener).map_err(|error| refused("DescribeListeners", &key, error))?;
        Ok(Listener { key, protocol, actions, tls })
    }

    fn read_actions(
        &self,
        operation: &'static str,
        key: &impl ToString,
        actions: &[sdk::Action],
    ) -> Result<Actions, CloudError> {
        action::read(actions, |arn| self.names().learn_target_group(arn))
            .map_err(|error| refused(operation, key.to_string(), error))
    }

    /// Returns the ARNs of the target groups that a list forwards to, all of which must exist.
    async fn arns_of(
        &self,
        resource: &(impl ToString + Sync),
        actions: &Actions,
    ) -> Result<BTreeMap<TargetGroupName, String>, CloudError> {
        let forwards = actions.as_slice().iter().filter_map(|action| match action {
            Action::Forward(forward) => Some(forward),
            Action::Other(_) => None,
        });
        let names: Vec<_> = forwards.flat_map(|forward| forward.weights().keys()).collect();
        let arns = self.target_group_arns(names.iter().copied()).await?;
        match names.iter().find(|name| !arns.contains_key(name)) {
            None => Ok(arns),
            Some(missing) => {
                let why = format!("target group `{missing}` does not exist");
                Err(refused("DescribeTargetGroups", resource.to_string(), why))
            }
        }
    }

    async fn listen(
        &self,
        key: &ListenerKey,
        settings: &ListenerSettings,
    ) -> Result<CreateListenerOutput, CloudError> {
        const OPERATION: &str = "CreateListener";
        let arns = self.arns_of(key, &settings.actions).await?;
        let actions = action::write(&settings.actions, &arns);
        let actions = &actions.map_err(|error| refused(OPERATION, key, error))?;
        let tags = &target_group::write_tags(&settings.tags);
        let tls = &tls::write(&settings.tls).map_err(|error| refused(OPERATION, key, error))?;
        let (known, name) = (&self.names().load_balancers, &key.load_balancer);
        with_arn(
            known,
            name,
            OPERATION,
            || self.resolve_load_balancer(name),
            |arn| async move {
                let request = self.load_balancing_write().await.create_listener();
                let request = request
                    .load_balancer_arn(arn)
                    .protocol(settings.protocol.as_str().into())
                    .port(i32::from(key.port))
                    .set_default_actions(Some(actions.clone()))
                    .set_certificates(tls.certificates.clone())
                    .set_ssl_policy(tls.policy.clone())
                    .set_alpn_policy(tls.alpn.clone())
                    .set_tags(tags.clone());
                request.send().await.map_err(|error| write_error(OPERATION, key, error))
            },
        )
        .await
    }

    async fn modify_route(
        &self,
        route: &RouteKey,
        actions: &Actions,
        arns: &BTreeMap<TargetGroupName, String>,
    ) -> Result<(), CloudError> {
        let operation = if route.priority.is_none() { "ModifyListener" } else { "ModifyRule" };
        let actions = &action::write(actions, arns);
        let actions =
            actions.as_ref().map_err(|error| refused(operation, route, error.to_string()))?;
        if route.priority.is_some() {
            let known = &self.names().rules;
            return with_arn(
                known,
                route,
                operation,
                || self.resolve_rule(route),
                |arn| async move {
                    let request = self.load_balancing_write().await.modify_rule().rule_arn(arn);
                    let answer = request.set_actions(Some(actions.clone())).send().await;
                    answer.map(drop).map_err(|error| write_error(operation, route, error))
                },
            )
            .await;
        }
        let (known, key) = (&self.names().listeners, &route.listener);
        with_arn(
            known,
            key,
            operation,
            || self.resolve_listener(key),
            |arn| async move {
                let request = self.load_balancing_write().await.modify_listener().listener_arn(arn);
                let answer = request.set_default_actions(Some(actions.clone())).send().await;
                answer.map(drop).map_err(|error| write_error(operation, route, error))
            },
        )
        .await
    }
}

#[cfg(test)]
mod tests;
