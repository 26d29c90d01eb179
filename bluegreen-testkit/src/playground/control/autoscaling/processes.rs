//! Processes that somebody suspended.

use bluegreen_core::model::{Process, ScalingGroupName};
use serde_json::{Map, Value};

use super::refusal::invalid;
use super::{Call, GROUP, WireError, Xml};
use crate::fake::World;
use crate::playground::control::time;
use crate::playground::site::Site;

/// Lists the processes that there are.
pub(super) fn types() -> Xml {
    let mut all = Process::ALL.map(Process::as_str);
    all.sort_by_key(|name| name.to_lowercase());
    let all = all.into_iter().map(|name| Xml::new().text("ProcessName", name));
    Xml::new().list("Processes", "member", all)
}

/// Suspends (`true`) or resumes processes; all of them if none is named.
pub(super) fn suspend(call: &Call<'_>, suspended: bool) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    let named = params.list("ScalingProcesses");
    let mut processes = vec![];
    for name in &named {
        let process = Process::named(name)
            .ok_or_else(|| invalid(format!("Invalid scaling process type: {name}")))?;
        processes.push(process);
    }
    if named.is_empty() {
        processes = Process::ALL.to_vec();
    }
    super::amend(site, &name, |group| {
        for process in &processes {
            if suspended {
                group.suspended.insert(*process);
            } else {
                group.suspended.remove(process);
            }
        }
        Ok(())
    })?;
    note(site, &name, &processes, suspended);
    Ok(Xml::new())
}

fn note(site: &Site, group: &ScalingGroupName, processes: &[Process], suspended: bool) {
    let mut facts = site.facts();
    let noted = facts.noted(GROUP, group.as_str(), "suspended").and_then(Value::as_object);
    let mut noted: Map<String, Value> = noted.cloned().unwrap_or_default();
    let now = time::text(time::now());
    for name in processes.iter().map(ToString::to_string) {
        if suspended {
            noted.entry(name).or_insert_with(|| now.clone().into());
        } else {
            noted.remove(&name);
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

/// Returns whether a process of a group is suspended.
pub(crate) fn held(world: &World, group: &ScalingGroupName, process: Process) -> bool {
    world.scaling_groups.get(group).is_some_and(|group| group.suspended.contains(&process))
}
