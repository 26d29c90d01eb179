//! What groups are fitted with once they are there: who hears of them, what is measured, warm pools,
//! protection from deletion.

use bluegreen_core::model::{Fitting, FittingKey, Opaque};
use serde_json::{Map, Value, json};

use super::refusal::{invalid, refused};
use super::{Call, Params, WireError, Xml, handed_through, tree};
use crate::fake::ScalingGroupState;

/// The metrics that are collected if none is named.
const METRICS: [&str; 8] = [
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupMaxSize",
    "GroupMinSize",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
];

const WARM_POOL: [&str; 4] =
    ["InstanceReusePolicy", "MaxGroupPreparedCapacity", "MinSize", "PoolState"];

fn set(call: &Call<'_>, fitting: Fitting, value: Option<Value>) -> Result<Xml, WireError> {
    let group = super::group_name(call.params)?;
    super::find(call.site, &group)?;
    let key = FittingKey { group, fitting };
    let set = call.site.cloud().set_fitting_now(&key, value.map(Opaque::new));
    set.map_err(|error| refused(&error))?;
    Ok(Xml::new())
}

fn found(call: &Call<'_>, fitting: &Fitting) -> Result<Option<Value>, WireError> {
    let group = super::find(call.site, &super::group_name(call.params)?)?;
    Ok(group.state.fittings.get(fitting).map(|one| one.value().clone()))
}

/// Lets a topic hear of a group; what it heard of before is replaced.
pub(super) fn put_notifications(call: &Call<'_>) -> Result<Xml, WireError> {
    let topic = Fitting::Notifications(call.params.need("TopicARN")?.to_owned());
    let mut kinds = call.params.list("NotificationTypes");
    if kinds.is_empty() {
        return Err(invalid("NotificationTypes must not be empty"));
    }
    kinds.sort();
    set(call, topic, Some(kinds.into()))
}

/// Lets a topic hear of a group no more.
pub(super) fn delete_notifications(call: &Call<'_>) -> Result<Xml, WireError> {
    let topic = call.params.need("TopicARN")?.to_owned();
    set(call, Fitting::Notifications(topic), None)
}

/// Describes who hears of groups: a row for every topic and kind of news.
pub(super) fn notifications(call: &Call<'_>) -> Result<Xml, WireError> {
    let wanted = call.params.list("AutoScalingGroupNames");
    let mut shown = vec![];
    for group in call.site.cloud().visible_groups() {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == group.name.as_str()) {
            continue;
        }
        for (fitting, kinds) in &group.state.fittings {
            let Fitting::Notifications(topic) = fitting else { continue };
            for kind in texts(kinds.value()) {
                shown.push(
                    Xml::new()
                        .text("AutoScalingGroupName", &group.name)
                        .text("TopicARN", topic)
                        .text("NotificationType", kind),
                );
            }
        }
    }
    super::listed(call.params, "NotificationConfigurations", 50, shown)
}

/// Collects metrics of a group beside those that are collected already.
pub(super) fn enable_metrics(call: &Call<'_>) -> Result<Xml, WireError> {
    if call.params.need("Granularity")? != "1Minute" {
        return Err(invalid("Granularity must be 1Minute"));
    }
    let old = found(call, &Fitting::Metrics)?.unwrap_or_default();
    let mut metrics: Vec<String> = texts(&old["metrics"]).map(str::to_owned).collect();
    let named = call.params.list("Metrics");
    let usual = METRICS.map(str::to_owned).to_vec();
    metrics.extend(if named.is_empty() { usual } else { named });
    metrics.sort();
    metrics.dedup();
    let value = json!({"granularity": "1Minute", "metrics": metrics});
    set(call, Fitting::Metrics, Some(value))
}

/// Collects metrics of a group no more: those that are named, or all.
pub(super) fn disable_metrics(call: &Call<'_>) -> Result<Xml, WireError> {
    let old = found(call, &Fitting::Metrics)?.unwrap_or_default();
    let named = call.params.list("Metrics");
    let is_kept = |one: &&str| !named.is_empty() && !named.iter().any(|name| name == one);
    let metrics: Vec<&str> = texts(&old["metrics"]).filter(is_kept).collect();
    let value = json!({"granularity": "1Minute", "metrics": metrics});
    set(call, Fitting::Metrics, (!metrics.is_empty()).then_some(value))
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Gives a group a warm pool, or another one; no machine ever waits in it here.
pub(super) fn put_warm_pool(call: &Call<'_>) -> Result<Xml, WireError> {
    let mut pool = Map::new();
    for member in WARM_POOL {
        pool.extend(tree::read(call.params, member).map(|one| (member.to_owned(), one)));
    }
    // As AWS shows one of which nothing was said.
    pool.entry("MinSize").or_insert_with(|| "0".into());
    pool.entry("PoolState").or_insert_with(|| "Stopped".into());
    set(call, Fitting::WarmPool, Some(Value::Object(pool)))
}

/// Takes the warm pool from a group.
pub(super) fn delete_warm_pool(call: &Call<'_>) -> Result<Xml, WireError> {
    set(call, Fitting::WarmPool, None)
}

/// Describes the warm pool of a group.
pub(super) fn warm_pool(call: &Call<'_>) -> Result<Xml, WireError> {
    let pool = found(call, &Fitting::WarmPool)?;
    let xml = Xml::new().list("Instances", "member", []);
    Ok(pool.into_iter().fold(xml, |xml, pool| handed_through(xml, "WarmPoolConfiguration", &pool)))
}

/// Takes from a request how a group is protected from deletion.
pub(super) fn take_protection(call: &Call<'_>, params: &Params) -> Result<(), WireError> {
    let Some(kind) = params.text("DeletionProtection") else { return Ok(()) };
    let kind = (kind != "none").then(|| Value::from(kind));
    set(call, Fitting::DeletionProtection, kind).map(drop)
}

/// Writes what a group is fitted with, as far as its own description shows it.
pub(super) fn show(group: &ScalingGroupState) -> Xml {
    let value = |fitting| group.fittings.get(&fitting).map(Opaque::value);
    let protection = value(Fitting::DeletionProtection).and_then(Value::as_str).unwrap_or("none");
    let metrics = value(Fitting::Metrics).map(|one| texts(&one["metrics"])).into_iter().flatten();
    let metrics = metrics.map(|one| Xml::new().text("Metric", one).text("Granularity", "1Minute"));
    let xml =
        Xml::new().text("DeletionProtection", protection).list("EnabledMetrics", "member", metrics);
    value(Fitting::WarmPool)
        .into_iter()
        .fold(xml, |xml, pool| handed_through(xml, "WarmPoolConfiguration", pool))
}
