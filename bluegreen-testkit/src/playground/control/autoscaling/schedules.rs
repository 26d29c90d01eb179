//! Scheduled actions, in the shape in which they travel through the core. None ever runs.

use bluegreen_core::model::{Opaque, ScalingGroupName, Schedule, ScheduleName};
use serde_json::{Map, Value};

use super::refusal::invalid;
use super::related::{is_past, moment};
use super::{Call, Params, WireError, Xml};
use crate::playground::control::{names, time};
use crate::playground::site::Site;

/// The sizes: the name in requests, and in the settings.
const SIZES: [(&str, &str); 3] =
    [("MinSize", "min"), ("DesiredCapacity", "desired"), ("MaxSize", "max")];

/// Makes a scheduled action, or changes what is said of one.
pub(super) fn put(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    place(call.site, &name, call.params)?;
    Ok(Xml::new())
}

/// Makes or changes several, each for itself.
pub(super) fn put_all(call: &Call<'_>) -> Result<Xml, WireError> {
    let group = super::group_name(call.params)?;
    super::find(call.site, &group)?;
    let mut failed = vec![];
    for action in call.params.structs("ScheduledUpdateGroupActions") {
        if let Err(error) = place(call.site, &group, &action) {
            failed.push(failure(action.text("ScheduledActionName").unwrap_or_default(), &error));
        }
    }
    Ok(Xml::new().list("FailedScheduledUpdateGroupActions", "member", failed))
}

fn failure(name: &str, error: &WireError) -> Xml {
    Xml::new()
        .text("ScheduledActionName", name)
        .text("ErrorCode", &error.code)
        .text("ErrorMessage", &error.message)
}

fn place(site: &Site, group: &ScalingGroupName, params: &Params) -> Result<(), WireError> {
    let name = ScheduleName::new(params.need("ScheduledActionName")?);
    super::amend(site, group, |group| {
        let old = group.schedules.get(&name).and_then(|one| one.details.value().as_object());
        let details = read(params, old.cloned().unwrap_or_default())?;
        if group.schedules.len() >= 125 && !group.schedules.contains_key(&name) {
            let message = "An AutoScalingGroup has at most 125 scheduled actions";
            return Err(WireError::new("LimitExceeded", message));
        }
        let schedule = Schedule { name: name.clone(), details: Opaque::new(details.into()) };
        group.schedules.insert(name, schedule);
        Ok(())
    })
}

/// Reads an action; what is not said stays as it was.
fn read(params: &Params, mut details: Map<String, Value>) -> Result<Map<String, Value>, WireError> {
    let start = params.text("StartTime").or(params.text("Time"));
    for (what, text, key) in [("start", start, "start"), ("end", params.text("EndTime"), "end")] {
        if let Some(text) = text {
            let at = moment(text)?;
            if is_past(at) {
                return Err(invalid(format!("Given {what} time is in the past")));
            }
            details.insert(key.to_owned(), time::text(at).into());
        }
    }
    for (member, key) in [("Recurrence", "recurrence"), ("TimeZone", "time_zone")] {
        if let Some(text) = params.text(member) {
            details.insert(key.to_owned(), text.into());
        }
    }
    for (member, key) in SIZES {
        if let Some(size) = params.number::<i32>(member)? {
            details.insert(key.to_owned(), size.into());
        }
    }
    if !SIZES.iter().any(|(_, key)| details.contains_key(*key)) {
        return Err(invalid(
            "At least one of MinSize, MaxSize and DesiredCapacity must be specified",
        ));
    }
    if details.contains_key("recurrence") {
        // What AWS shows then is the next run, which moves by itself.
        details.remove("start");
    } else if !details.contains_key("start") {
        return Err(invalid("Either a StartTime or a Recurrence must be specified"));
    }
    Ok(details)
}

/// Deletes a scheduled action.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let group = super::group_name(call.params)?;
    remove(call.site, &group, call.params.need("ScheduledActionName")?)?;
    Ok(Xml::new())
}

/// Deletes several, each for itself.
pub(super) fn delete_all(call: &Call<'_>) -> Result<Xml, WireError> {
    let group = super::group_name(call.params)?;
    super::find(call.site, &group)?;
    let mut failed = vec![];
    for name in call.params.list("ScheduledActionNames") {
        if let Err(error) = remove(call.site, &group, &name) {
            failed.push(failure(&name, &error));
        }
    }
    Ok(Xml::new().list("FailedScheduledActions", "member", failed))
}

fn remove(site: &Site, group: &ScalingGroupName, name: &str) -> Result<(), WireError> {
    super::amend(site, group, |group| {
        let removed = group.schedules.remove(&ScheduleName::new(name));
        removed.map(drop).ok_or_else(|| {
            let message =
                format!("Scheduled action name not found - Scheduled Action {name} not found");
            invalid(message)
        })
    })
}

/// Describes scheduled actions of a group, or of all.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let group = params.text("AutoScalingGroupName").map(ScalingGroupName::new);
    if let Some(group) = &group {
        super::find(site, group)?;
    }
    let wanted = params.list("ScheduledActionNames");
    let mut shown = vec![];
    for found in site.cloud().visible_groups() {
        if group.as_ref().is_some_and(|group| *group != found.name) {
            continue;
        }
        let schedules = found.state.schedules.values();
        let is_wanted = |one: &&Schedule| {
            wanted.is_empty() || wanted.iter().any(|name| name == one.name.as_str())
        };
        let schedules = schedules.filter(is_wanted);
        shown.extend(schedules.map(|schedule| show(site, &found.name, schedule)));
    }
    super::listed(params, "ScheduledUpdateGroupActions", 50, shown)
}

fn show(site: &Site, group: &ScalingGroupName, schedule: &Schedule) -> Xml {
    let details = schedule.details.value();
    let name = &schedule.name;
    let id = names::uuid(&site.facts().identity("schedule", &format!("{group}/{name}")));
    let rest = format!(
        "scheduledUpdateGroupAction:{id}:autoScalingGroupName/{group}:scheduledActionName/{name}"
    );
    let start = details["start"].as_str();
    let sizes = SIZES
        .iter()
        .fold(Xml::new(), |xml, (member, key)| xml.maybe(member, details[*key].as_i64()));
    Xml::new()
        .text("AutoScalingGroupName", group)
        .text("ScheduledActionName", name)
        .text("ScheduledActionARN", names::scaling_arn(site, &rest))
        .maybe("StartTime", start)
        .maybe("Time", start)
        .maybe("EndTime", details["end"].as_str())
        .maybe("Recurrence", details["recurrence"].as_str())
        .maybe("TimeZone", details["time_zone"].as_str())
        .with(sizes)
}
