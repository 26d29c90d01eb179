//! Processes that somebody suspended.

use std::collections::BTreeSet;

use bluegreen_core::model::{Process, ScalingGroupName};
use serde_json::{Map, Value};

use super::refusal::invalid;
use super::{Call, GROUP, WireError, Xml, condition};
use crate::playground::control::time;
use crate::playground::site::Site;

const ALL: [&str; 9] = [
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
];

/// Lists the processes that there are.
pub(super) fn types() -> Xml {
    let all = ALL.into_iter().map(|name| Xml::new().text("ProcessName", name));
    Xml::new().list("Processes", "member", all)
}

/// Suspends (`true`) or resumes processes; all of them if none is named.
pub(super) fn suspend(call: &Call<'_>, suspended: bool) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    let mut named = params.list("ScalingProcesses");
    if let Some(unknown) = named.iter().find(|one| !ALL.contains(&one.as_str())) {
        let message = format!("Invalid scaling process type: {unknown}");
        return Err(invalid(message));
    }
    if named.is_empty() {
        named = ALL.map(str::to_owned).to_vec();
    }
    super::amend(site, &name, |group| {
        for process in named.iter().filter_map(|name| modelled(name)) {
            if suspended {
                group.suspended.insert(process);
            } else {
                group.suspended.remove(&process);
            }
        }
        Ok(())
    })?;
    note(site, &name, &named, suspended);
    condition::restate(site, &name);
    enforce_one(site, &name);
    Ok(Xml::new())
}

/// Returns the process as the model knows it, if it does.
fn modelled(name: &str) -> Option<Process> {
    match name {
        "AlarmNotification" => Some(Process::AlarmNotification),
        "ScheduledActions" => Some(Process::ScheduledActions),
        _ => None,
    }
}

fn note(site: &Site, group: &ScalingGroupName, named: &[String], suspended: bool) {
    let mut facts = site.facts();
    let noted = facts.noted(GROUP, group.as_str(), "suspended").and_then(Value::as_object);
    let mut noted: Map<String, Value> = noted.cloned().unwrap_or_default();
    let now = time::text(time::now());
    for name in named {
        if suspended {
            noted.entry(name.clone()).or_insert_with(|| now.clone().into());
        } else {
            noted.remove(name);
        }
    }
    facts.note(GROUP, group.as_str(), "suspended", noted);
}

/// Returns since when a process is suspended, if that is known.
pub(super) fn since(site: &Site, group: &ScalingGroupName, process: &str) -> Option<String> {
    let facts = site.facts();
    let noted = facts.noted(GROUP, group.as_str(), "suspended")?;
    noted.get(process)?.as_str().map(str::to_owned)
}

/// Returns the suspended processes beside those that the model knows.
pub(super) fn suspended_beside(site: &Site, group: &ScalingGroupName) -> BTreeSet<String> {
    let facts = site.facts();
    let noted = facts.noted(GROUP, group.as_str(), "suspended").and_then(Value::as_object);
    let names = noted.into_iter().flatten().map(|(name, _)| name);
    names.filter(|name| modelled(name).is_none()).cloned().collect()
}

/// Returns whether a process of a group is suspended.
pub(crate) fn held(site: &Site, group: &ScalingGroupName, process: &str) -> bool {
    suspended_beside(site, group).contains(process)
}

/// Lets the machines of every group follow what is noted to be suspended.
pub(crate) fn enforce(site: &Site) {
    let groups: Vec<_> = site.cloud().world().scaling_groups.into_keys().collect();
    for group in &groups {
        enforce_one(site, group);
    }
}

fn enforce_one(site: &Site, group: &ScalingGroupName) {
    site.cloud().hold(group, suspended_beside(site, group));
}
