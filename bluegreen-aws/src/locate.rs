//! Finds what names stand for.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::hash::Hash;

use aws_sdk_elasticloadbalancingv2::operation::describe_listeners::DescribeListenersOutput;
use aws_sdk_elasticloadbalancingv2::operation::describe_load_balancers::DescribeLoadBalancersOutput;
use aws_sdk_elasticloadbalancingv2::operation::describe_rules::DescribeRulesOutput;
use aws_sdk_elasticloadbalancingv2::operation::describe_target_groups::DescribeTargetGroupsOutput;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::{CloudError, CloudErrorKind};
use bluegreen_core::model::{ListenerKey, LoadBalancerName, RouteKey, TargetGroupName};
use futures_util::future::try_join_all;

use crate::AwsCloud;
use crate::budget::Call;
use crate::convert;
use crate::error::{incomplete, not_found, read_error};
use crate::names::ArnMap;
use crate::page;

/// The most load balancers that one call describes.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html>
const LOAD_BALANCERS_PER_CALL: usize = 20;

/// The most target groups that one call describes.
///
/// <https://github.com/ansible-collections/amazon.aws/pull/1593>
const TARGET_GROUPS_PER_CALL: usize = 20;

/// Runs a call on the ARN that a name stands for, and once more if the ARN turns out to be stale.
pub(crate) async fn with_arn<K, T, R, F>(
    known: &ArnMap<K>,
    name: &K,
    operation: &'static str,
    resolve: impl FnOnce() -> R + Send,
    call: impl Fn(String) -> F + Send + Sync,
) -> Result<T, CloudError>
where
    K: Eq + Hash + Display + Send + Sync,
    T: Send,
    R: Future<Output = Result<Option<String>, CloudError>> + Send,
    F: Future<Output = Result<T, CloudError>> + Send,
{
    if let Some(arn) = known.find(name) {
        match call(arn).await {
            Err(error) if error.kind() == CloudErrorKind::NotFound => known.forget(name),
            answer => return answer,
        }
    }
    match resolve().await? {
        Some(arn) => call(arn).await,
        None => Err(not_found(operation, name)),
    }
}

/// Turns the answer on one resource into `None` where there is no such resource.
pub(crate) fn if_there<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == CloudErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn joined<T: Display>(names: Option<&[T]>) -> String {
    let Some(names) = names else { return "all there are".to_owned() };
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl AwsCloud {
    /// Describes those of `names` that exist.
    pub(crate) async fn describe_load_balancers(
        &self,
        names: &[LoadBalancerName],
    ) -> Result<Vec<sdk::LoadBalancer>, CloudError> {
        let mut found = Vec::new();
        for chunk in names.chunks(LOAD_BALANCERS_PER_CALL) {
            match if_there(self.load_balancers_exactly(Some(chunk)).await)? {
                Some(all) => found.extend(all),
                // One that is missing fails the call for all.
                None if chunk.len() > 1 => {
                    let each = chunk.chunks(1).map(|one| async {
                        if_there(self.load_balancers_exactly(Some(one)).await)
                    });
                    found.extend(try_join_all(each).await?.into_iter().flatten().flatten());
                }
                None => {}
            }
        }
        Ok(found)
    }

    /// Describes all of `names`, one of which missing fails the call, or all there are.
    pub(crate) async fn load_balancers_exactly(
        &self,
        names: Option<&[LoadBalancerName]>,
    ) -> Result<Vec<sdk::LoadBalancer>, CloudError> {
        const OPERATION: &str = "DescribeLoadBalancers";
        let request = self.load_balancing_read().await.describe_load_balancers();
        let wanted = names.map(|names| names.iter().map(ToString::to_string).collect());
        let stream = request.set_names(wanted).into_paginator().send();
        let paying = self.paying(Call::LoadBalancingRead);
        let pages = page::collect(stream, DescribeLoadBalancersOutput::next_marker, paying)
            .await
            .map_err(|error| read_error(OPERATION, joined(names), error))?;
        let found: Vec<_> =
            pages.into_iter().flat_map(|page| page.load_balancers.unwrap_or_default()).collect();
        for one in &found {
            one.load_balancer_arn().and_then(|arn| self.names().learn_load_balancer(arn));
        }
        Ok(found)
    }

    /// Describes those of `names` that exist.
    pub(crate) async fn describe_target_groups(
        &self,
        names: &[TargetGroupName],
    ) -> Result<Vec<sdk::TargetGroup>, CloudError> {
        let mut found = Vec::new();
        for chunk in names.chunks(TARGET_GROUPS_PER_CALL) {
            match if_there(self.target_groups_exactly(Some(chunk)).await)? {
                Some(all) => found.extend(all),
                // One that is missing fails the call for all.
                None if chunk.len() > 1 => {
                    let each = chunk
                        .chunks(1)
                        .map(|one| async { if_there(self.target_groups_exactly(Some(one)).await) });
                    found.extend(try_join_all(each).await?.into_iter().flatten().flatten());
                }
                None => {}
            }
        }
        Ok(found)
    }

    /// Describes all of `names`, one of which missing fails the call, or all there are.
    pub(crate) async fn target_groups_exactly(
        &self,
        names: Option<&[TargetGroupName]>,
    ) -> Result<Vec<sdk::TargetGroup>, CloudError> {
        const OPERATION: &str = "DescribeTargetGroups";
        let request = self.load_balancing_read().await.describe_target_groups();
        let wanted = names.map(|names| names.iter().map(ToString::to_string).collect());
        let stream = request.set_names(wanted).into_paginator().send();
        let paying = self.paying(Call::LoadBalancingRead);
        let pages = page::collect(stream, DescribeTargetGroupsOutput::next_marker, paying)
            .await
            .map_err(|error| read_error(OPERATION, joined(names), error))?;
        let found: Vec<_> =
            pages.into_iter().flat_map(|page| page.target_groups.unwrap_or_default()).collect();
        for one in &found {
            one.target_group_arn().and_then(|arn| self.names().learn_target_group(arn));
            for arn in one.load_balancer_arns() {
                self.names().learn_load_balancer(arn);
            }
        }
        Ok(found)
    }

    /// Returns the ARN of a load balancer, freshly asked for.
    pub(crate) async fn resolve_load_balancer(
        &self,
        name: &LoadBalancerName,
    ) -> Result<Option<String>, CloudError> {
        let found = self.describe_load_balancers(std::slice::from_ref(name)).await?;
        Ok(found.into_iter().next().and_then(|one| one.load_balancer_arn))
    }

    /// Returns the ARN of a target group, freshly asked for.
    pub(crate) async fn resolve_target_group(
        &self,
        name: &TargetGroupName,
    ) -> Result<Option<String>, CloudError> {
        let found = self.describe_target_groups(std::slice::from_ref(name)).await?;
        Ok(found.into_iter().next().and_then(|one| one.target_group_arn))
    }

    /// Returns the ARN of a listener, freshly asked for.
    pub(crate) async fn resolve_listener(
        &self,
        key: &ListenerKey,
    ) -> Result<Option<String>, CloudError> {
        if_there(self.describe_listeners(&key.load_balancer).await)?;
        Ok(self.names().listeners.find(key))
    }

    /// Returns the ARN of a rule, freshly asked for.
    pub(crate) async fn resolve_rule(&self, key: &RouteKey) -> Result<Option<String>, CloudError> {
        if_there(self.describe_rules(&key.listener).await)?;
        Ok(self.names().rules.find(key))
    }

    /// Returns the ARNs of those of `names` that exist.
    pub(crate) async fn target_group_arns(
        &self,
        names: impl IntoIterator<Item = &TargetGroupName> + Send,
    ) -> Result<BTreeMap<TargetGroupName, String>, CloudError> {
        let mut arns = BTreeMap::new();
        let mut unknown = Vec::new();
        for name in names {
            match self.names().target_groups.find(name) {
                Some(arn) => drop(arns.insert(name.clone(), arn)),
                None => unknown.push(name.clone()),
            }
        }
        for group in self.describe_target_groups(&unknown).await? {
            let arn = group.target_group_arn;
            let arn =
                arn.ok_or_else(|| incomplete("DescribeTargetGroups", "", "TargetGroupArn"))?;
            if let Some(name) = self.names().learn_target_group(&arn) {
                arns.insert(name, arn);
            }
        }
        Ok(arns)
    }

    /// Describes the listeners of a load balancer, each with its key.
    pub(crate) async fn describe_listeners(
        &self,
        name: &LoadBalancerName,
    ) -> Result<Vec<(ListenerKey, sdk::Listener)>, CloudError> {
        const OPERATION: &str = "DescribeListeners";
        with_arn(
            &self.names().load_balancers,
            name,
            OPERATION,
            || self.resolve_load_balancer(name),
            |arn| async move {
                let request = self.load_balancing_read().await.describe_listeners();
                let stream = request.load_balancer_arn(arn).into_paginator().send();
                let paying = self.paying(Call::LoadBalancingRead);
                let pages = page::collect(stream, DescribeListenersOutput::next_marker, paying)
                    .await
                    .map_err(|error| read_error(OPERATION, name, error))?;
                let listeners =
                    pages.into_iter().flat_map(|page| page.listeners.unwrap_or_default());
                listeners.map(|one| Ok((self.learn_listener(name, &one)?, one))).collect()
            },
        )
        .await
    }

    /// Learns a listener of a load balancer and returns its key.
    pub(crate) fn learn_listener(
        &self,
        load_balancer: &LoadBalancerName,
        listener: &sdk::Listener,
    ) -> Result<ListenerKey, CloudError> {
        const OPERATION: &str = "DescribeListeners";
        // A gateway load balancer's listener has no port.
        let port = listener.port().map_or(Ok(0), |one| convert::port(Some(one)));
        let port = port.map_err(|error| crate::error::refused(OPERATION, load_balancer, error))?;
        let key = ListenerKey::new(load_balancer.clone(), port);
        let arn = listener.listener_arn();
        let arn = arn.ok_or_else(|| incomplete(OPERATION, &key, "ListenerArn"))?;
        self.names().listeners.learn(key.clone(), arn);
        Ok(key)
    }

    /// Describes the rules of a listener, each with its priority; the default one is left out.
    pub(crate) async fn describe_rules(
        &self,
        key: &ListenerKey,
    ) -> Result<Vec<(RouteKey, sdk::Rule)>, CloudError> {
        const OPERATION: &str = "DescribeRules";
        with_arn(
            &self.names().listeners,
            key,
            OPERATION,
            || self.resolve_listener(key),
            |arn| async move {
                let request = self.load_balancing_read().await.describe_rules();
                let stream = request.listener_arn(arn).into_paginator().send();
                let paying = self.paying(Call::LoadBalancingRead);
                let pages = page::collect(stream, DescribeRulesOutput::next_marker, paying)
                    .await
                    .map_err(|error| read_error(OPERATION, key, error))?;
                let rules = pages.into_iter().flat_map(|page| page.rules.unwrap_or_default());
                let rules = rules.filter_map(|one| Some((self.learn_rule(key, &one)?, one)));
                Ok(rules.collect())
            },
        )
        .await
    }

    /// Learns a rule and returns its key; `None` for the default rule, whose priority is no number.
    pub(crate) fn learn_rule(&self, listener: &ListenerKey, rule: &sdk::Rule) -> Option<RouteKey> {
        let priority = rule.priority()?.parse().ok()?;
        let key = RouteKey::rule(listener.clone(), priority);
        self.names().rules.learn(key.clone(), rule.rule_arn()?);
        Some(key)
    }
}
