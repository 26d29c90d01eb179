//! Reads many routes in few calls.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{Actions, ListenerKey, LoadBalancerName, RouteKey};
use futures_util::future::{try_join, try_join_all};

use crate::AwsCloud;
use crate::budget::Call;
use crate::error::read_error;
use crate::locate::if_there;
use crate::page;

/// The most listeners, and the most rules, that one call describes.
///
/// <https://github.com/FeLvi-zzz/tentez/pull/28>
const ARNS_PER_CALL: usize = 20;

type Found = BTreeMap<RouteKey, Actions>;

/// Reads what those of `keys` that exist do now.
///
/// Those whose ARNs are known are asked for by these, twenty at a time,
/// whatever load balancer they belong to. The others, and those whose ARNs turn
/// out to be stale, are looked for among their siblings.
pub(super) async fn read(cloud: &AwsCloud, keys: &[RouteKey]) -> Result<Found, CloudError> {
    let (rules, defaults): (BTreeSet<_>, BTreeSet<_>) =
        keys.iter().map(Sorted).partition(|key| key.0.priority.is_some());
    let (mut found, rules) = try_join(
        read_defaults(cloud, defaults.into_iter().map(|key| key.0).collect()),
        read_rules(cloud, rules.into_iter().map(|key| key.0).collect()),
    )
    .await?;
    found.extend(rules);
    Ok(found)
}

async fn read_defaults(cloud: &AwsCloud, keys: Vec<&RouteKey>) -> Result<Found, CloudError> {
    let known = |key: &RouteKey| cloud.names().listeners.find(&key.listener);
    let (by_arn, mut others) = split(keys, known);
    let chunks = by_arn.chunks(ARNS_PER_CALL);
    let answers = try_join_all(chunks.map(|chunk| defaults_by_arn(cloud, chunk))).await?;
    let mut found = Found::new();
    for (routes, stale) in answers {
        found.extend(routes);
        others.extend(stale);
    }
    let owners: BTreeSet<&LoadBalancerName> =
        others.iter().map(|key| &key.listener.load_balancer).collect();
    let answers = owners.into_iter().map(|name| async {
        // Without the load balancer there is none of its listeners.
        Ok(if_there(cloud.describe_listeners(name).await)?.unwrap_or_default())
    });
    for (key, listener) in try_join_all(answers).await?.into_iter().flatten() {
        let key = RouteKey::default_of(key);
        if others.contains(&&key) {
            let actions = listener.default_actions();
            let actions = cloud.read_actions("DescribeListeners", &key, actions)?;
            found.insert(key, actions);
        }
    }
    Ok(found)
}

async fn read_rules(cloud: &AwsCloud, keys: Vec<&RouteKey>) -> Result<Found, CloudError> {
    let (by_arn, mut others) = split(keys, |key| cloud.names().rules.find(key));
    let chunks = by_arn.chunks(ARNS_PER_CALL);
    let answers = try_join_all(chunks.map(|chunk| rules_by_arn(cloud, chunk))).await?;
    let mut found = Found::new();
    for (routes, stale) in answers {
        found.extend(routes);
        others.extend(stale);
    }
    let owners: BTreeSet<ListenerOrder<'_>> =
        others.iter().map(|key| ListenerOrder(&key.listener)).collect();
    let answers = owners.into_iter().map(|one| async move {
        // Without the listener there is none of its rules.
        Ok(if_there(cloud.describe_rules(one.0).await)?.unwrap_or_default())
    });
    for (key, rule) in try_join_all(answers).await?.into_iter().flatten() {
        if others.contains(&&key) {
            let actions = cloud.read_actions("DescribeRules", &key, rule.actions())?;
            found.insert(key, actions);
        }
    }
    Ok(found)
}
