//! What groups are fitted with once they are there.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::{Fitting, Opaque};
use serde_json::{Value, json};

use super::Described;

/// How often metrics are collected if nothing is said.
const GRANULARITY: &str = "1Minute";

/// Reads what a group is fitted with: every topic with what it hears of, in the order of the
/// alphabet.
pub(crate) fn read(
    described: &Described,
    notifications: &[sdk::NotificationConfiguration],
) -> BTreeMap<Fitting, Opaque> {
    let group = &described.group;
    let mut fittings: BTreeMap<Fitting, Value> = BTreeMap::new();
    // One row for every topic and kind of news.
    let mut topics: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in notifications {
        if let (Some(topic), Some(kind)) = (one.topic_arn(), one.notification_type()) {
            topics.entry(topic).or_default().push(kind);
        }
    }
    for (topic, mut kinds) in topics {
        kinds.sort_unstable();
        kinds.dedup();
        fittings.insert(Fitting::Notifications(topic.to_owned()), json!(kinds));
    }
    if let Some(metrics) = metrics(group) {
        fittings.insert(Fitting::Metrics, metrics);
    }
    if let Some(Value::Object(pool)) = described.tree.get("WarmPoolConfiguration") {
        let mut pool = pool.clone();
        // Says only whether it is being deleted.
        pool.remove("Status");
        fittings.insert(Fitting::WarmPool, Value::Object(pool));
    }
    if let Some(protection) = group.deletion_protection()
        && *protection != sdk::DeletionProtection::None
    {
        fittings.insert(Fitting::DeletionProtection, json!(protection.as_str()));
    }
    fittings.into_iter().map(|(fitting, value)| (fitting, Opaque::new(value))).collect()
}

fn metrics(group: &sdk::AutoScalingGroup) -> Option<Value> {
    let mut metrics: Vec<&str> =
        group.enabled_metrics().iter().filter_map(sdk::EnabledMetric::metric).collect();
    metrics.sort_unstable();
    let granularity = group.enabled_metrics().first()?.granularity().unwrap_or(GRANULARITY);
    Some(json!({"granularity": granularity, "metrics": metrics}))
}
