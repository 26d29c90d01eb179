//! Tags of whatever has an id.

use std::collections::BTreeMap;

use super::filter::Filters;
use super::{Call, Params, WireError, Xml, missing};
use crate::playground::facts::Facts;

/// The kind under which the tags of things are noted.
const TAGS: &str = "tags";

/// How many tags a thing has at most.
const MOST: usize = 50;

/// Returns the tags of a thing.
pub(super) fn of(facts: &Facts, id: &str) -> BTreeMap<String, String> {
    if let Some(group) = facts.security_groups.get(id) {
        return group.tags.clone();
    }
    let notes = facts.notes.get(&format!("{TAGS}/{id}")).into_iter().flatten();
    notes.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Writes the tags of a thing.
pub(super) fn show(tags: &BTreeMap<String, String>) -> Xml {
    let items = tags.iter().map(|(key, value)| Xml::new().text("key", key).text("value", value));
    Xml::new().list("tagSet", "item", items)
}

/// Gives a thing the tags that a request has for things of its kind.
pub(super) fn specify(facts: &mut Facts, params: &Params, kind: &str, id: &str) {
    let specifications = params.structs("TagSpecification");
    for one in specifications.iter().filter(|one| one.text("ResourceType") == Some(kind)) {
        for (key, value) in read(one) {
            set(facts, id, key, value.unwrap_or_default());
        }
    }
}

fn read(params: &Params) -> Vec<(String, Option<String>)> {
    let tags = params.structs("Tag").into_iter();
    let tags = tags.filter_map(|tag| {
        Some((tag.text("Key")?.to_owned(), tag.text("Value").map(str::to_owned)))
    });
    tags.collect()
}

fn set(facts: &mut Facts, id: &str, key: String, value: String) {
    match facts.security_groups.get_mut(id) {
        Some(group) => drop(group.tags.insert(key, value)),
        None => facts.note(TAGS, id, &key, value),
    }
}

/// Sets tags.
pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let (ids, tags) = (params.list("ResourceId"), read(params));
    if ids.is_empty() {
        return Err(missing("resourceIdSet"));
    }
    if tags.iter().any(|(key, _)| key.starts_with("aws:")) {
        let message = "Tag keys starting with 'aws:' are reserved for internal use";
        return Err(WireError::new("InvalidParameterValue", message));
    }
    let mut facts = site.facts();
    if ids.iter().any(|id| of(&facts, id).len() + tags.len() > MOST) {
        let message = "The maximum number of tags for a resource has been reached";
        return Err(WireError::new("TagLimitExceeded", message));
    }
    for id in &ids {
        for (key, value) in &tags {
            set(&mut facts, id, key.clone(), value.clone().unwrap_or_default());
        }
    }
    Ok(super::done())
}

/// Takes tags away: of a name, or of a name with one value; all of them if none is named.
pub(super) fn delete(call: &Call<'_>) -> Xml {
    let Call { site, params, .. } = call;
    let wanted = read(params);
    let mut facts = site.facts();
    for id in params.list("ResourceId") {
        let gone: Vec<String> = of(&facts, &id)
            .into_iter()
            .filter(|(key, value)| {
                let is_meant = |(name, of): &(String, Option<String>)| {
                    name == key && of.as_ref().is_none_or(|of| of == value)
                };
                let named = wanted.iter().any(is_meant);
                named || (wanted.is_empty() && !key.starts_with("aws:"))
            })
            .map(|(key, _)| key)
            .collect();
        for key in gone {
            match facts.security_groups.get_mut(&id) {
                Some(group) => drop(group.tags.remove(&key)),
                None => facts.erase(TAGS, &id, &key),
            }
        }
    }
    super::done()
}

/// Lists tags of everything.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let filters = Filters::read(call.params);
    let facts = call.site.facts();
    let prefix = format!("{TAGS}/");
    let noted = facts.notes.keys().filter_map(|key| key.strip_prefix(&prefix));
    let groups = facts.security_groups.keys().map(String::as_str);
    let mut shown = vec![];
    for id in noted.chain(groups) {
        for (key, value) in of(&facts, id) {
            let admitted = filters.admit(|name| {
                Some(vec![match name {
                    "resource-id" => id.to_owned(),
                    "resource-type" => kind(id).to_owned(),
                    "key" => key.clone(),
                    "value" => value.clone(),
                    _ => return None,
                }])
            })?;
            if admitted {
                shown.push(
                    Xml::new()
                        .text("resourceId", id)
                        .text("resourceType", kind(id))
                        .text("key", &key)
                        .text("value", &value),
                );
            }
        }
    }
    super::listed(call.params, "tagSet", shown)
}

/// Returns what kind of thing an id is of.
fn kind(id: &str) -> &'static str {
    match id.split('-').next() {
        Some("i") => "instance",
        Some("ami") => "image",
        Some("lt") => "launch-template",
        Some("sg") => "security-group",
        Some("sgr") => "security-group-rule",
        Some("subnet") => "subnet",
        Some("vpc") => "vpc",
        _ => "unknown",
    }
}
