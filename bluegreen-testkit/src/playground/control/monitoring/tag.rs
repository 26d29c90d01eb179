//! Tags of alarms, which the world does not know: no clone carries them.

use bluegreen_core::model::{AlarmName, Tags};
use serde_json::{Map, Value};

use super::super::{Call, Params, WireError, Xml};
use super::{KIND, invalid};
use crate::playground::site::Site;

/// The most tags of an alarm.
const MOST: usize = 50;

pub(super) fn list(call: &Call<'_>) -> Result<Xml, WireError> {
    let tags = of_alarm(call.site, &wanted(call)?);
    let members = tags.iter().map(|(key, value)| Xml::new().text("Key", key).text("Value", value));
    Ok(Xml::new().list("Tags", "member", members))
}

pub(super) fn add(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = wanted(call)?;
    let mut tags = of_alarm(call.site, &name);
    tags.extend(read(call.params)?);
    check(&tags)?;
    keep(call.site, &name, &tags);
    Ok(Xml::new())
}

pub(super) fn remove(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = wanted(call)?;
    let keys = call.params.list("TagKeys");
    let mut tags = of_alarm(call.site, &name);
    tags.retain(|key, _| !keys.contains(key));
    keep(call.site, &name, &tags);
    Ok(Xml::new())
}

/// Reads the tags that an alarm is to have.
pub(super) fn read(params: &Params) -> Result<Tags, WireError> {
    let mut tags = Tags::new();
    for tag in params.structs("Tags") {
        let key = tag.need("Key")?;
        if key.is_empty() || key.len() > 128 || key.starts_with("aws:") {
            return Err(invalid(format!("'{key}' is not a key that a tag can have")));
        }
        tags.insert(key.to_owned(), tag.text("Value").unwrap_or_default().to_owned());
    }
    check(&tags)?;
    Ok(tags)
}

/// Notes the tags of an alarm.
pub(super) fn keep(site: &Site, name: &str, tags: &Tags) {
    let tags = tags.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
    site.facts().note(KIND, name, "tags", tags.collect::<Map<String, Value>>());
}

fn of_alarm(site: &Site, name: &str) -> Tags {
    let facts = site.facts();
    let noted = facts.noted(KIND, name, "tags").and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    noted.map(|(key, value)| (key.clone(), text(value))).collect()
}

fn check(tags: &Tags) -> Result<(), WireError> {
    if tags.len() > MOST {
        return Err(invalid(format!("An alarm cannot have more than {MOST} tags")));
    }
    Ok(())
}

/// Returns the alarm that a call names by its ARN: `arn:aws:cloudwatch:R:A:alarm:NAME`.
fn wanted(call: &Call<'_>) -> Result<String, WireError> {
    let Call { site, params, .. } = call;
    let arn = params.need("ResourceARN")?;
    let Site { region, account, .. } = *site;
    let name = arn.strip_prefix(&format!("arn:aws:cloudwatch:{region}:{account}:alarm:"));
    name.filter(|name| {
        site.cloud().glimpse(|world| world.alarms.contains_key(&AlarmName::new(*name)))
    })
    .map(str::to_owned)
    .ok_or_else(|| {
        let message = format!("Unknown resource: {arn}");
        WireError::new("ResourceNotFoundException", message).with_status(404)
    })
}
