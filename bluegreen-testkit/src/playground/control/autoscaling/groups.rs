//! Groups: described, resized, given other settings, deleted.

use bluegreen_core::model::{Capacity, Fitting, Opaque, ScalingGroupName};
use serde_json::Value;

use super::refusal::{invalid, operated, out_of_range, refused, unknown_group, unknown_token};
use super::{Call, Params, WireError, Xml, condition, fittings, launch, settings, show};
use crate::fake::{MachinePhase, VisibleGroup};
use crate::playground::control::paging;
use crate::playground::site::Site;

/// Describes groups.
///
/// As at AWS, filters are applied to pages: a page may be short, or empty, and have a next one.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let size = params.number("MaxRecords")?.unwrap_or(50);
    if !(1..=100).contains(&size) {
        return Err(out_of_range("maxRecords", 1, 100));
    }
    let names = params.list("AutoScalingGroupNames");
    let mut groups = site.cloud().visible_groups();
    groups.retain(|group| names.is_empty() || names.iter().any(|name| name == group.name.as_str()));
    let (page, next) = paging::page(groups, size, params.text("NextToken"))
        .map_err(|paging::UnknownToken| unknown_token())?;
    let with_instances = params.flag("IncludeInstances")?.unwrap_or(true);
    let filters = params.structs("Filters");
    let mut shown = vec![];
    for group in &page {
        if admits(&filters, group)? {
            shown.push(show::group(site, group, with_instances));
        }
    }
    Ok(Xml::new().list("AutoScalingGroups", "member", shown).maybe("NextToken", next))
}

fn admits(filters: &[Params], group: &VisibleGroup) -> Result<bool, WireError> {
    for filter in filters {
        let name = filter.text("Name").unwrap_or_default();
        let values = filter.list("Values");
        let mut tags = group.state.tags.iter();
        let admitted = match name.split_once(':') {
            None if name == "tag-key" => tags.any(|(key, _)| values.contains(key)),
            None if name == "tag-value" => tags.any(|(_, tag)| values.contains(&tag.value)),
            Some(("tag", wanted)) => {
                tags.any(|(key, tag)| key == wanted && values.contains(&tag.value))
            }
            _ => return Err(invalid(format!("Filter type {name} is not correct."))),
        };
        if !admitted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Changes settings of a group: those that are named, and no others.
pub(super) fn update(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    let launch = launch::read(site, params)?;
    let min = params.number("MinSize")?;
    let desired = params.number("DesiredCapacity")?;
    let max = params.number("MaxSize")?;
    let old = super::find(site, &name)?.state.details;
    let details = settings::updated(params, old.value())?;
    settings::check_subnets(site, &details)?;
    super::amend(site, &name, |group| {
        let capacity = resized(group.capacity, min, desired, max);
        check_capacity(capacity)?;
        group.capacity = capacity;
        if let Some(launch) = launch {
            group.launch = launch;
        }
        group.details = Opaque::new(details);
        Ok(())
    })?;
    condition::take(site, &name, params);
    fittings::take_protection(call, params)?;
    condition::restate(site, &name);
    Ok(Xml::new())
}

/// Works out new sizes: a desired one that is not said gives way to the others.
fn resized(old: Capacity, min: Option<u32>, desired: Option<u32>, max: Option<u32>) -> Capacity {
    let (min, max) = (min.unwrap_or(old.min), max.unwrap_or(old.max));
    // Not `clamp`: sizes that contradict each other are refused later.
    let desired = desired.unwrap_or_else(|| old.desired.max(min).min(max));
    Capacity::new(min, desired, max)
}

/// Refuses sizes that contradict each other.
pub(super) fn check_capacity(capacity: Capacity) -> Result<(), WireError> {
    let Capacity { min, desired, max } = capacity;
    if min > max {
        let message =
            format!("Max bound, {max}, must be greater than or equal to min bound, {min}");
        return Err(invalid(message));
    }
    if desired < min || desired > max {
        let message = format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        );
        return Err(invalid(message));
    }
    Ok(())
}

/// Sets how many machines a group is to have.
pub(super) fn set_desired_capacity(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    let desired = params.number::<u32>("DesiredCapacity")?;
    let desired = desired.ok_or_else(|| invalid("The parameter DesiredCapacity is required"))?;
    super::amend(site, &name, |group| {
        let Capacity { min, max, .. } = group.capacity;
        let limit = if desired > max {
            Some(format!("above max value {max}"))
        } else {
            (desired < min).then(|| format!("below min value {min}"))
        };
        if let Some(limit) = limit {
            let message = format!(
                "New SetDesiredCapacity value {desired} is {limit} for the AutoScalingGroup."
            );
            return Err(invalid(message));
        }
        group.capacity.desired = desired;
        Ok(())
    })?;
    Ok(Xml::new())
}

/// Deletes a group.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    let force = params.flag("ForceDelete")?.unwrap_or(false);
    let group = super::find(site, &name)?;
    if group.dying {
        // It is on its way already.
        return Ok(Xml::new());
    }
    if let Some(operator) = &group.state.operator {
        return Err(operated(&name, operator));
    }
    check_protection(&group, force)?;
    if !force {
        check_empty(site, &name)?;
    }
    let cloud = site.cloud();
    let deleted = if force { cloud.raze_group(&name) } else { cloud.delete_group(&name) };
    deleted.map_err(|error| refused(&error))?;
    Ok(Xml::new())
}

fn check_protection(group: &VisibleGroup, force: bool) -> Result<(), WireError> {
    let (name, fittings) = (&group.name, &group.state.fittings);
    let protection = fittings.get(&Fitting::DeletionProtection).map(Opaque::value);
    let protection = protection.and_then(Value::as_str).unwrap_or("none");
    if protection == "prevent-all-deletion" || (force && protection == "prevent-force-deletion") {
        let message =
            format!("The AutoScalingGroup {name} has the deletion protection {protection}");
        return Err(WireError::new("ResourceInUse", message));
    }
    Ok(())
}

fn check_empty(site: &Site, name: &ScalingGroupName) -> Result<(), WireError> {
    if !site.cloud().world().scaling_groups.contains_key(name) {
        return Err(unknown_group(name));
    }
    let machines = site.cloud().machines().into_iter();
    let phases: Vec<_> =
        machines.filter(|one| one.group.as_ref() == Some(name)).map(|one| one.phase).collect();
    if phases.iter().any(|phase| *phase != MachinePhase::Terminating) {
        let message = "You cannot delete an AutoScalingGroup while there are instances or pending \
                       Spot instance request(s) still in the group.";
        return Err(WireError::new("ResourceInUse", message));
    }
    if !phases.is_empty() {
        let message = "You cannot delete an AutoScalingGroup while there are scaling activities in \
                       progress for that group.";
        return Err(WireError::new("ScalingActivityInProgress", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desired_size_that_is_not_said_gives_way() {
        let old = Capacity::new(1, 2, 4);
        assert_eq!(resized(old, Some(3), None, None), Capacity::new(3, 3, 4));
        assert_eq!(resized(old, None, None, Some(1)), Capacity::new(1, 1, 1));
        assert_eq!(resized(old, Some(0), Some(4), None), Capacity::new(0, 4, 4));
        assert!(check_capacity(resized(old, Some(5), None, None)).is_err());
        assert!(check_capacity(Capacity::new(1, 5, 4)).is_err());
    }
}
