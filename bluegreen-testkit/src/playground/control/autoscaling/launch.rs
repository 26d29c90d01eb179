//! What groups launch from, in requests and replies.

use bluegreen_core::model::{
    LaunchConfigurationName, LaunchSource, LaunchTemplateName, Opaque, TemplateVersion,
};
use serde_json::Value;

use super::refusal::invalid;
use super::{Params, WireError, Xml, handed_through, tree};
use crate::fake::World;
use crate::playground::control::names;
use crate::playground::site::Site;

/// What every refusal of a launch template begins with.
const FORM: &str = "You must use a valid fully-formed launch template.";

/// Reads what a group is to launch from, if a request says so, and checks that it is there.
pub(super) fn read(site: &Site, params: &Params) -> Result<Option<LaunchSource>, WireError> {
    if params.has("InstanceId") {
        return Err(invalid("The playground does not launch from an InstanceId"));
    }
    let named = params.text("LaunchConfigurationName");
    match (named, params.has("LaunchTemplate"), params.has("MixedInstancesPolicy")) {
        (Some(name), false, false) => configuration(site, name).map(Some),
        (None, true, false) => template(site, &params.part("LaunchTemplate")).map(Some),
        (None, false, true) => mixed(site, params).map(Some),
        (None, false, false) => Ok(None),
        _ => Err(invalid(
            "Valid requests must contain either launchTemplate, launchConfigurationName, \
             instanceId or mixedInstancesPolicy parameter.",
        )),
    }
}

/// Reads a policy of mixed instances; all but its launch template is handed through.
fn mixed(site: &Site, params: &Params) -> Result<LaunchSource, WireError> {
    let specification = params.part("MixedInstancesPolicy.LaunchTemplate");
    if !specification.has("LaunchTemplateSpecification") {
        return Err(invalid("A MixedInstancesPolicy needs a LaunchTemplateSpecification"));
    }
    for one in specification.structs("Overrides") {
        if one.has("LaunchTemplateSpecification") {
            template(site, &one.part("LaunchTemplateSpecification"))?;
        }
    }
    let found = template(site, &specification.part("LaunchTemplateSpecification"))?;
    let mut policy = tree::read(params, "MixedInstancesPolicy").unwrap_or_default();
    if let Some(members) = policy.get_mut("LaunchTemplate").and_then(Value::as_object_mut) {
        members.remove("LaunchTemplateSpecification");
    }
    match found {
        LaunchSource::Template { template, version } => {
            Ok(LaunchSource::Mixed { template, version, policy: Opaque::new(policy) })
        }
        other => Ok(other),
    }
}

fn configuration(site: &Site, name: &str) -> Result<LaunchSource, WireError> {
    let name = LaunchConfigurationName::new(name);
    if !site.cloud().world().configurations.contains_key(&name) {
        let message =
            format!("Launch configuration name not found - Launch configuration {name} not found");
        return Err(invalid(message));
    }
    Ok(LaunchSource::Configuration(name))
}

fn template(site: &Site, params: &Params) -> Result<LaunchSource, WireError> {
    let world = site.cloud().world();
    let (id, name) = (params.text("LaunchTemplateId"), params.text("LaunchTemplateName"));
    let template = match (id, name) {
        (Some(_), Some(_)) | (None, None) => {
            return Err(invalid(
                "Valid requests must contain either launchTemplateId or LaunchTemplateName",
            ));
        }
        (Some(id), None) => of_id(site, &world, id).ok_or_else(|| {
            invalid(format!(
                "{FORM} The specified launch template, with template ID {id}, does not exist."
            ))
        })?,
        (None, Some(name)) => LaunchTemplateName::new(name),
    };
    let version = match params.text("Version") {
        None | Some("" | "$Default") => TemplateVersion::Default,
        Some("$Latest") => TemplateVersion::Latest,
        Some(number) => number.parse().map(TemplateVersion::Number).map_err(|_| {
            invalid(format!("{FORM} '{number}' is not a version of a launch template."))
        })?,
    };
    let Some(found) = world.templates.get(&template) else {
        return Err(invalid(format!(
            "{FORM} The specified launch template, with template name {template}, does not exist."
        )));
    };
    if found.number(&version).is_none() {
        return Err(invalid(format!(
            "{FORM} The specified launch template version {version} of {template} does not exist."
        )));
    }
    Ok(LaunchSource::Template { template, version })
}

/// Returns the template of an id.
fn of_id(site: &Site, world: &World, id: &str) -> Option<LaunchTemplateName> {
    world.templates.keys().find(|name| names::template_id(site, name) == id).cloned()
}

/// Writes what a group launches from.
pub(super) fn show(site: &Site, launch: &LaunchSource) -> Xml {
    match launch {
        LaunchSource::Configuration(name) => Xml::new().text("LaunchConfigurationName", name),
        LaunchSource::Template { template, version } => {
            Xml::new().node("LaunchTemplate", specification(site, template, version))
        }
        LaunchSource::Mixed { template, version, policy } => {
            let mut policy = policy.value().as_object().cloned().unwrap_or_default();
            let more = policy.remove("LaunchTemplate");
            let inner = Xml::new()
                .node("LaunchTemplateSpecification", specification(site, template, version));
            let more = more.as_ref().and_then(Value::as_object).into_iter().flatten();
            let inner = more.fold(inner, |xml, (member, value)| handed_through(xml, member, value));
            let xml = Xml::new().node("LaunchTemplate", inner);
            let xml =
                policy.iter().fold(xml, |xml, (member, value)| handed_through(xml, member, value));
            Xml::new().node("MixedInstancesPolicy", xml)
        }
        // What the playground cannot launch can only be named.
        LaunchSource::Unsupported(_) | _ => Xml::new().node("MixedInstancesPolicy", Xml::new()),
    }
}

fn specification(
    site: &Site,
    template: &LaunchTemplateName,
    version: &impl std::fmt::Display,
) -> Xml {
    Xml::new()
        .text("LaunchTemplateId", names::template_id(site, template))
        .text("LaunchTemplateName", template)
        .text("Version", version)
}

/// Writes what a machine was launched from.
pub(super) fn show_launched(site: &Site, source: Option<&(String, Option<u64>)>) -> Xml {
    match source {
        Some((name, Some(version))) => {
            let template = LaunchTemplateName::new(name.as_str());
            Xml::new().node("LaunchTemplate", specification(site, &template, version))
        }
        Some((name, None)) => Xml::new().text("LaunchConfigurationName", name),
        None => Xml::new(),
    }
}
