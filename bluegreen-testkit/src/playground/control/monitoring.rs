//! `CloudWatch`: metric alarms, and how many requests target groups had.
//!
//! # Limits
//!
//! Nothing else is measured: an alarm is in the state that somebody set, and sets off nothing.
//! Composite alarms are not there. An action that is the ARN of a scaling policy stands for the
//! policy of that group and name, whichever it is. Only the query protocol is spoken, which newer
//! clients have given up for this service.

mod alarm;
mod metric;
mod tag;

use std::collections::BTreeSet;

use bluegreen_core::model::AlarmName;
use bluegreen_core::transaction::{Clock, SystemClock};

use super::{Call, WireError, Xml};
use crate::fake::World;

/// What the facts call alarms.
const KIND: &str = "alarm";
/// The most alarms on a page, and the most that one call names.
const MOST: usize = 100;

/// Answers one call.
pub(super) fn answer(call: &Call<'_>) -> Result<Xml, WireError> {
    match call.action {
        "DescribeAlarms" => describe(call),
        "PutMetricAlarm" => put(call),
        "SetAlarmState" => set_state(call),
        "DeleteAlarms" => delete(call),
        "GetMetricData" => metric::data(call),
        "ListTagsForResource" => tag::list(call),
        "TagResource" => tag::add(call),
        "UntagResource" => tag::remove(call),
        action => Err(WireError::unknown_action(action)),
    }
}

fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let names: BTreeSet<String> = params.list("AlarmNames").into_iter().collect();
    let prefix = params.text("AlarmNamePrefix");
    if !names.is_empty() && prefix.is_some() {
        return Err(invalid("AlarmNames and AlarmNamePrefix cannot be specified at the same time"));
    }
    if names.len() > MOST {
        return Err(invalid(format!("At most {MOST} alarms can be named at a time")));
    }
    let longest = params.number::<usize>("MaxRecords")?.unwrap_or(MOST);
    if longest == 0 || longest > MOST {
        return Err(invalid(format!("MaxRecords '{longest}' must be between 1 and {MOST}")));
    }
    let kinds = params.list("AlarmTypes");
    let of_metrics = kinds.is_empty() || kinds.iter().any(|kind| kind == "MetricAlarm");
    let world = site.cloud().glimpse(World::clone);
    let after = params.text("NextToken").unwrap_or_default();
    let wanted = world.alarms.iter().filter(|(name, alarm)| {
        let name = name.as_str();
        let calls = |prefix: &str| alarm::actions(site, alarm).any(|arn| arn.starts_with(prefix));
        of_metrics
            && name > after
            && (names.is_empty() || names.contains(name))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
            && params.text("ActionPrefix").is_none_or(calls)
            && params.text("StateValue").is_none_or(|state| alarm::state(site, name) == state)
    });
    let mut wanted: Vec<_> = wanted.collect();
    let more = wanted.len() > longest;
    wanted.truncate(longest);
    let next = wanted.last().filter(|_| more).map(|(name, _)| name.as_str());
    let members = wanted.iter().map(|(_, one)| alarm::write(site, &world, one));
    Ok(Xml::new().list("MetricAlarms", "member", members).maybe("NextToken", next))
}

fn put(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let (alarm, extra) = alarm::read(call.params)?;
    let name = alarm.name.clone();
    let tags = tag::read(call.params)?;
    {
        // Those of an alarm that is there already stay as they are.
        if !tags.is_empty() && !site.cloud().world().alarms.contains_key(&name) {
            tag::keep(site, name.as_str(), &tags);
        }
        let mut facts = site.facts();
        let now = SystemClock.now().to_string();
        facts.note(KIND, name.as_str(), "extra", extra.0);
        facts.note(KIND, name.as_str(), "updated", now);
    }
    site.cloud().amend(|world| {
        world.alarms.insert(name, alarm);
        Ok::<(), WireError>(())
    })?;
    Ok(Xml::new())
}

fn set_state(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, params) = (call.site, call.params);
    let name = params.need("AlarmName")?;
    let (state, reason) = (params.need("StateValue")?, params.need("StateReason")?);
    if !matches!(state, "OK" | "ALARM" | "INSUFFICIENT_DATA") {
        return Err(invalid(format!("'{state}' is not a state that an alarm can have")));
    }
    if !site.cloud().world().alarms.contains_key(&AlarmName::new(name)) {
        return Err(WireError::new("ResourceNotFound", "Unknown alarm").with_status(404));
    }
    let mut facts = site.facts();
    facts.note(KIND, name, "state", state);
    facts.note(KIND, name, "reason", reason);
    Ok(Xml::new())
}

fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let names = call.params.list("AlarmNames");
    if names.is_empty() || names.len() > MOST {
        return Err(invalid(format!("Between 1 and {MOST} alarms must be named")));
    }
    // Those that are not there are as good as deleted.
    site.cloud().amend(|world| {
        world.alarms.retain(|name, _| !names.iter().any(|one| one == name.as_str()));
        Ok::<(), WireError>(())
    })?;
    let mut facts = site.facts();
    for name in &names {
        facts.forget(KIND, name);
    }
    Ok(Xml::new())
}

fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("ValidationError", message)
}
