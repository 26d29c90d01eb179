//! Reads many routes in few calls.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::operation::describe_listeners::DescribeListenersOutput;
use aws_sdk_elasticloadbalancingv2::operation::describe_rules::DescribeRulesOutput;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{Actions, ListenerKey, RouteKey};
use futures_util::future::{try_join, try_join_all};

use crate::AwsCloud;
use crate::arn;
use crate::budget::Call;
use crate::error::read_error;
use crate::locate::if_there;
use crate::page;

/// The most listeners, and the most rules, that one call describes.
///
/// <https://github.com/FeLvi-zzz/tentez/pull/28>
const ARNS_PER_CALL: usize = 20;

type Found = BTreeMap<RouteKey, Actions>;
type Keys<'a> = BTreeSet<&'a RouteKey>;

/// Reads what those of `keys` that exist do now.
///
/// Those whose ARNs are known are asked for by these, twenty at a time,
/// whatever load balancer they belong to. The others, and those whose ARNs turn
/// out to be stale, are looked for among their siblings.
pub(super) async fn read(cloud: &AwsCloud, keys: &[RouteKey]) -> Result<Found, CloudError> {
    let (rules, defaults): (Keys<'_>, Keys<'_>) =
        keys.iter().partition(|key| key.priority.is_some());
    let (mut found, rules) =
        try_join(read_defaults(cloud, &defaults), read_rules(cloud, &rules)).await?;
    found.extend(rules);
    Ok(found)
}

async fn read_defaults(cloud: &AwsCloud, keys: &Keys<'_>) -> Result<Found, CloudError> {
    let known = arns(keys, |key| cloud.names().listeners.find(&key.listener));
    let by_arn = known.chunks(ARNS_PER_CALL).map(|chunk| defaults_by_arn(cloud, chunk));
    let mut found: Found = try_join_all(by_arn).await?.into_iter().flatten().collect();

    let missing: Keys<'_> = keys.iter().copied().filter(|key| !found.contains_key(key)).collect();
    let owners: BTreeSet<_> = missing.iter().map(|key| &key.listener.load_balancer).collect();
    let siblings = owners
        .into_iter()
        .map(|name| async move { if_there(cloud.describe_listeners(name).await) });
    for (key, listener) in try_join_all(siblings).await?.into_iter().flatten().flatten() {
        let key = RouteKey::default_of(key);
        if missing.contains(&key) {
            let actions = default_actions(cloud, &key, &listener)?;
            found.insert(key, actions);
        }
    }
    Ok(found)
}

async fn read_rules(cloud: &AwsCloud, keys: &Keys<'_>) -> Result<Found, CloudError> {
    let known = arns(keys, |key| cloud.names().rules.find(key));
    let by_arn = known.chunks(ARNS_PER_CALL).map(|chunk| rules_by_arn(cloud, chunk));
    let mut found: Found = try_join_all(by_arn).await?.into_iter().flatten().collect();

    let missing: Keys<'_> = keys.iter().copied().filter(|key| !found.contains_key(key)).collect();
    let owners: BTreeSet<_> = missing.iter().map(|key| &key.listener).collect();
    let siblings =
        owners.into_iter().map(|key| async move { if_there(cloud.describe_rules(key).await) });
    for (key, rule) in try_join_all(siblings).await?.into_iter().flatten().flatten() {
        if missing.contains(&key) {
            let actions = cloud.read_actions("DescribeRules", &key, rule.actions())?;
            found.insert(key, actions);
        }
    }
    Ok(found)
}

fn arns<'a>(
    keys: &Keys<'a>,
    find: impl Fn(&RouteKey) -> Option<String>,
) -> Vec<(&'a RouteKey, String)> {
    keys.iter().filter_map(|key| Some((*key, find(key)?))).collect()
}

/// Describes listeners by their ARNs; nothing if one of them is gone, which fails them all.
async fn defaults_by_arn(
    cloud: &AwsCloud,
    known: &[(&RouteKey, String)],
) -> Result<Found, CloudError> {
    const OPERATION: &str = "DescribeListeners";
    let arns = known.iter().map(|(_, arn)| arn.clone()).collect();
    let request = cloud.load_balancing_read().await.describe_listeners();
    let stream = request.set_listener_arns(Some(arns)).into_paginator().send();
    let paying = cloud.paying(Call::LoadBalancingRead);
    let pages = page::collect(stream, DescribeListenersOutput::next_marker, paying)
        .await
        .map_err(|error| read_error(OPERATION, known[0].0, error));
    let Some(pages) = if_there(pages)? else {
        for (key, _) in known {
            cloud.names().listeners.forget(&key.listener);
        }
        return Ok(Found::new());
    };
    let mut found = Found::new();
    for listener in pages.into_iter().flat_map(|page| page.listeners.unwrap_or_default()) {
        let owner = listener.load_balancer_arn().and_then(arn::load_balancer);
        let port = listener.port().and_then(|port| u16::try_from(port).ok());
        if let (Some(owner), Some(port)) = (owner, port) {
            let key = RouteKey::default_of(ListenerKey::new(owner, port));
            let actions = default_actions(cloud, &key, &listener)?;
            found.insert(key, actions);
        }
    }
    Ok(asked_for(found, known))
}

/// Describes rules by their ARNs; nothing if one of them is gone, which fails them all.
async fn rules_by_arn(
    cloud: &AwsCloud,
    known: &[(&RouteKey, String)],
) -> Result<Found, CloudError> {
    const OPERATION: &str = "DescribeRules";
    let arns = known.iter().map(|(_, arn)| arn.clone()).collect();
    let request = cloud.load_balancing_read().await.describe_rules();
    let stream = request.set_rule_arns(Some(arns)).into_paginator().send();
    let paying = cloud.paying(Call::LoadBalancingRead);
    let pages = page::collect(stream, DescribeRulesOutput::next_marker, paying)
        .await
        .map_err(|error| read_error(OPERATION, known[0].0, error));
    let Some(pages) = if_there(pages)? else {
        for (key, _) in known {
            cloud.names().rules.forget(key);
        }
        return Ok(Found::new());
    };
    let mut found = Found::new();
    for rule in pages.into_iter().flat_map(|page| page.rules.unwrap_or_default()) {
        let Some((key, _)) = known.iter().find(|(_, arn)| rule.rule_arn() == Some(arn)) else {
            continue;
        };
        // Somebody may have given the rule another priority: then it is another route.
        let priority = rule.priority().and_then(|one| one.parse().ok());
        if priority == key.priority {
            let actions = cloud.read_actions(OPERATION, *key, rule.actions())?;
            found.insert((*key).clone(), actions);
        } else {
            cloud.names().rules.forget(key);
        }
    }
    Ok(found)
}

fn default_actions(
    cloud: &AwsCloud,
    key: &RouteKey,
    listener: &sdk::Listener,
) -> Result<Actions, CloudError> {
    cloud.read_actions("DescribeListeners", key, listener.default_actions())
}

fn asked_for(mut found: Found, known: &[(&RouteKey, String)]) -> Found {
    found.retain(|key, _| known.iter().any(|(one, _)| *one == key));
    found
}
