//! Tags of groups.

use std::collections::BTreeMap;

use bluegreen_core::model::{GroupTag, ScalingGroupName};

use super::refusal::invalid;
use super::{Call, Params, WireError, Xml, show};

/// Reads the tags that a request gives to a new group.
pub(super) fn read(params: &Params) -> Result<BTreeMap<String, GroupTag>, WireError> {
    params.structs("Tags").iter().map(tag).collect()
}

fn tag(params: &Params) -> Result<(String, GroupTag), WireError> {
    let key = params.need("Key")?.to_owned();
    if key.is_empty() || key.chars().count() > 128 {
        return Err(invalid("A tag key has 1 to 128 characters"));
    }
    if key.starts_with("aws:") {
        return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
    }
    let value = params.text("Value").unwrap_or_default().to_owned();
    let propagate = params.flag("PropagateAtLaunch")?.unwrap_or(false);
    Ok((key, GroupTag { value, propagate }))
}

/// Sorts the tags of a request by their groups.
fn by_group(params: &Params) -> Result<BTreeMap<ScalingGroupName, Vec<Params>>, WireError> {
    let mut all: BTreeMap<_, Vec<Params>> = BTreeMap::new();
    for one in params.structs("Tags") {
        if let Some(kind) = one.text("ResourceType").filter(|kind| *kind != "auto-scaling-group") {
            return Err(invalid(format!("The type {kind} is not supported: auto-scaling-group")));
        }
        let group = ScalingGroupName::new(one.need("ResourceId")?);
        all.entry(group).or_default().push(one);
    }
    Ok(all)
}

/// Sets tags.
pub(super) fn put(call: &Call<'_>) -> Result<Xml, WireError> {
    for (group, tags) in by_group(call.params)? {
        let tags = tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        super::amend(call.site, &group, |state| {
            state.tags.extend(tags);
            if state.tags.len() > 50 {
                return Err(WireError::new(
                    "LimitExceeded",
                    "You have reached the limit of 50 tags of an AutoScalingGroup",
                ));
            }
            Ok(())
        })?;
    }
    Ok(Xml::new())
}

/// Takes tags away; one that is not there is no error.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    for (group, tags) in by_group(call.params)? {
        super::amend(call.site, &group, |state| {
            for key in tags.iter().filter_map(|tag| tag.text("Key")) {
                state.tags.remove(key);
            }
            Ok(())
        })?;
    }
    Ok(Xml::new())
}

/// Lists tags of all groups.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let filters = call.params.structs("Filters");
    let mut shown = vec![];
    for group in call.site.cloud().visible_groups() {
        for (key, tag) in &group.state.tags {
            if admits(&filters, &group.name, key, tag)? {
                shown.push(show::tag(&group.name, key, tag));
            }
        }
    }
    super::listed(call.params, "Tags", 50, shown)
}

fn admits(
    filters: &[Params],
    group: &ScalingGroupName,
    key: &str,
    tag: &GroupTag,
) -> Result<bool, WireError> {
    for filter in filters {
        let name = filter.text("Name").unwrap_or_default();
        let propagate = tag.propagate.to_string();
        let found = match name {
            "auto-scaling-group" => group.as_str(),
            "key" => key,
            "value" => &tag.value,
            "propagate-at-launch" => &propagate,
            _ => return Err(invalid(format!("Filter type {name} is not correct."))),
        };
        if !filter.list("Values").iter().any(|value| value == found) {
            return Ok(false);
        }
    }
    Ok(true)
}
