//! Images.

use bluegreen_core::model::{ImageId, InstanceId};
use serde_json::Value;

use super::filter::{self, Filters};
use super::{Call, WireError, Xml, need, tags};
use crate::playground::control::time;
use crate::playground::site::Site;

/// The kind under which facts of images are noted.
const IMAGE: &str = "image";

fn unknown(id: &str) -> WireError {
    WireError::new("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"))
}

/// Makes an image out of nothing.
pub(super) fn register(call: &Call<'_>) -> Result<Xml, WireError> {
    make(call)
}

/// Makes an image of a machine.
pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let id = need(call.params, "InstanceId")?;
    super::instances::known(call.site, &[InstanceId::new(id)])?;
    make(call)
}

fn make(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = need(params, "Name")?;
    let images = site.cloud().world().images;
    let id = {
        let mut facts = site.facts();
        let named = |id: &&ImageId| {
            facts.noted(IMAGE, id.as_str(), "name").and_then(Value::as_str) == Some(name)
        };
        if let Some(taken) = images.iter().find(named) {
            let message = format!("AMI name {name} is already in use by AMI {taken}");
            return Err(WireError::new("InvalidAMIName.Duplicate", message));
        }
        let number = facts.next().to_string();
        let id = format!("ami-0{}", facts.identity("new-image", &number));
        facts.note(IMAGE, &id, "name", name);
        facts.note(IMAGE, &id, "created", time::text(time::now()));
        let description = params.text("Description").unwrap_or_default();
        facts.note(IMAGE, &id, "description", description);
        tags::specify(&mut facts, params, "image", &id);
        id
    };
    let added = |world: &mut crate::fake::World| {
        world.images.insert(ImageId::new(id.as_str()));
        Ok::<(), std::convert::Infallible>(())
    };
    let Ok(()) = site.cloud().amend(added);
    Ok(Xml::new().text("imageId", &id))
}

/// Takes an image away; what runs of it goes on.
pub(super) fn deregister(call: &Call<'_>) -> Result<Xml, WireError> {
    let id = need(call.params, "ImageId")?;
    call.site.cloud().amend(|world| {
        let removed = world.images.remove(&ImageId::new(id));
        if removed { Ok(()) } else { Err(unknown(id)) }
    })?;
    call.site.facts().forget(IMAGE, id);
    Ok(super::done())
}

/// Describes images; one that is asked for and not there fails the call.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let images = site.cloud().glimpse(|world| world.images.clone());
    let wanted = params.list("ImageId");
    for id in &wanted {
        if !id.starts_with("ami-") {
            let message = format!("Invalid id: \"{id}\" (expecting \"ami-...\")");
            return Err(WireError::new("InvalidAMIID.Malformed", message));
        }
        if !images.contains(&ImageId::new(id.as_str())) {
            return Err(unknown(id));
        }
    }
    let filters = Filters::read(params);
    let mut shown = vec![];
    for image in images {
        let id = image.as_str();
        let is_wanted = wanted.is_empty() || wanted.iter().any(|one| one == id);
        let (name, tags) = {
            let facts = site.facts();
            let name = facts.noted(IMAGE, id, "name").and_then(Value::as_str).unwrap_or(id);
            (name.to_owned(), tags::of(&facts, id))
        };
        let admitted = filters.admit(|field| match field {
            "name" => Some(vec![name.clone()]),
            "image-id" => Some(vec![id.to_owned()]),
            "state" => Some(vec!["available".to_owned()]),
            "architecture" => Some(vec!["x86_64".to_owned()]),
            "owner-id" => Some(vec![site.account.clone()]),
            "is-public" => Some(vec!["false".to_owned()]),
            _ => filter::of_tags(field, tags.iter()),
        })?;
        if is_wanted && admitted {
            shown.push(show(site, id, &name).with(tags::show(&tags)));
        }
    }
    super::listed(params, "imagesSet", shown)
}

fn show(site: &Site, id: &str, name: &str) -> Xml {
    let facts = site.facts();
    let noted = |field: &str| facts.noted(IMAGE, id, field).and_then(Value::as_str);
    Xml::new()
        .text("imageId", id)
        .text("name", name)
        .text("imageState", "available")
        .text("imageOwnerId", &site.account)
        .text("isPublic", false)
        .text("architecture", "x86_64")
        .text("imageType", "machine")
        .text("rootDeviceType", "ebs")
        .text("virtualizationType", "hvm")
        .maybe("description", noted("description").filter(|text| !text.is_empty()))
        .maybe("creationDate", noted("created"))
}
