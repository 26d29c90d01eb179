use std::collections::{BTreeMap, BTreeSet};

use super::{CloudPlan, DowngradeFacts};
use crate::change::{CloudChange, Edit};
use crate::model::{
    Environment, LaunchSource, LoadBalancerName, ResourceKey, ScalingGroupName, Tags,
    TargetGroupName, TemplateVersion, tag_key,
};

/// Returns the changes that leave blue, and the load balancers, as they were before the upgrade.
pub(super) fn changes(environment: &Environment, facts: &DowngradeFacts) -> Vec<CloudChange> {
    let mut changes = tags(environment, facts);
    changes.extend(unpinned(environment, facts));
    changes.extend(unprotected(environment, facts));
    changes
}

/// Takes our tags away; a value that a key had before the upgrade comes back.
fn tags(environment: &Environment, facts: &DowngradeFacts) -> Vec<CloudChange> {
    let group = &environment.blue.group;
    let of_group: Tags =
        group.tags.iter().map(|(key, tag)| (key.clone(), tag.value.clone())).collect();
    let members = environment.blue.members.iter().filter_map(|member| {
        let name = &member.target_group.name;
        let settings = facts.target_groups.get(name)?;
        Some((ResourceKey::TargetGroup(name.clone()), settings.tags.clone()))
    });
    std::iter::once((ResourceKey::ScalingGroup(group.name.clone()), of_group))
        .chain(members)
        .filter_map(|(resource, tags)| {
            let had = had(&resource, facts);
            let ours = tags.into_iter().filter(|(key, _)| tag_key::is_ours(key));
            let before: BTreeMap<_, _> = ours.map(|(key, value)| (key, Some(value))).collect();
            let of = |key: &String| (key.clone(), had.get(key).cloned().flatten());
            let after: BTreeMap<_, _> = before.keys().map(of).collect();
            (before != after).then(|| CloudChange::Tags(Edit::new(resource, before, after)))
        })
        .collect()
}

/// Returns what the tags of a resource were that the upgrade set.
fn had(resource: &ResourceKey, facts: &DowngradeFacts) -> BTreeMap<String, Option<String>> {
    let changes = facts.upgrade.iter().flat_map(CloudPlan::changes);
    let mut edits = changes.filter_map(|(_, change)| match change {
        CloudChange::Tags(edit) if edit.of == *resource => Some(edit.before.clone()),
        _ => None,
    });
    edits.next().unwrap_or_default()
}

/// Lets the group follow a floating version again, if that means what it launches now.
fn unpinned(environment: &Environment, facts: &DowngradeFacts) -> Option<CloudChange> {
    let group = &environment.blue.group;
    let floating = launch_before(facts.upgrade.as_ref()?, &group.name)?.clone();
    let Some((_, TemplateVersion::Number(pinned))) = group.launch.template() else { return None };
    let is_same = facts.floats == Some(*pinned) && floating != group.launch;
    is_same
        .then(|| CloudChange::Launch(Edit::new(group.name.clone(), group.launch.clone(), floating)))
}

/// Returns what a group launched before a run that changed it.
pub(crate) fn launch_before<'a>(
    run: &'a CloudPlan,
    group: &ScalingGroupName,
) -> Option<&'a LaunchSource> {
    run.changes().find_map(|(_, change)| match change {
        CloudChange::Launch(edit) if edit.of == *group => Some(&edit.before),
        _ => None,
    })
}

/// Turns off the deletion protection that the upgrade turned on, unless others may count on it.
fn unprotected(
    environment: &Environment,
    facts: &DowngradeFacts,
) -> impl Iterator<Item = CloudChange> {
    let ours: BTreeSet<_> =
        environment.pairs.iter().flat_map(|pair| [&pair.blue, &pair.green]).collect();
    let is_on = move |name: &LoadBalancerName| {
        facts.load_balancers.iter().any(|one| one.name == *name && one.deletion_protection)
            && !is_shared(environment, name, &ours)
    };
    let changes = facts.upgrade.iter().flat_map(CloudPlan::changes);
    changes.filter_map(move |(_, change)| match change {
        CloudChange::DeletionProtection(edit) if edit.after && is_on(&edit.of) => {
            Some(CloudChange::DeletionProtection(Edit::new(edit.of.clone(), true, false)))
        }
        _ => None,
    })
}

/// Returns whether a listener of a load balancer sends requests to somebody else.
fn is_shared(
    environment: &Environment,
    load_balancer: &LoadBalancerName,
    ours: &BTreeSet<&TargetGroupName>,
) -> bool {
    let listeners = environment.listeners.iter();
    let mut forwards = listeners
        .filter(|listener| listener.key.load_balancer == *load_balancer)
        .filter_map(|listener| listener.actions.forward());
    forwards.any(|forward| forward.weights().keys().any(|name| !ours.contains(name)))
}
