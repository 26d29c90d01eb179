//! Launch templates.

use bluegreen_core::model::{LaunchTemplateName, Tags};
use serde_json::Value;

use super::filter::{self, Filters};
use super::versions::{self, Token};
use super::{Call, Params, WireError, Xml, need, tags};
use crate::fake::{TemplateState, World};
use crate::playground::control::{names, time};
use crate::playground::site::Site;

/// The kind under which facts of launch templates are noted.
const TEMPLATE: &str = "launch-template";

fn unknown_name() -> WireError {
    let message = "At least one of the launch templates specified in the request does not exist.";
    WireError::new("InvalidLaunchTemplateName.NotFoundException", message)
}

fn unknown_id(id: &str) -> WireError {
    let message = format!("The specified launch template, with template ID {id}, does not exist.");
    WireError::new("InvalidLaunchTemplateId.NotFound", message)
}

/// Returns the template of an id.
fn of_id(site: &Site, world: &World, id: &str) -> Result<LaunchTemplateName, WireError> {
    let mut names = world.templates.keys();
    let found = names.find(|name| names::template_id(site, name) == id);
    found.cloned().ok_or_else(|| unknown_id(id))
}

/// Finds the template that a request is about, by id or by name.
pub(super) fn find(
    site: &Site,
    world: &World,
    params: &Params,
) -> Result<LaunchTemplateName, WireError> {
    match (params.text("LaunchTemplateId"), params.text("LaunchTemplateName")) {
        (Some(id), None) => of_id(site, world, id),
        (None, Some(name)) => {
            let name = LaunchTemplateName::new(name);
            let found = world.templates.contains_key(&name);
            found.then_some(name).ok_or_else(unknown_name)
        }
        (Some(_), Some(_)) => {
            let message = "Either the LaunchTemplateId or the LaunchTemplateName may be specified, \
                           not both";
            Err(WireError::new("InvalidParameterCombination", message))
        }
        (None, None) => Err(super::missing("LaunchTemplateId or LaunchTemplateName")),
    }
}

/// Makes a template with its first version.
pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = need(params, "LaunchTemplateName")?;
    check_name(name)?;
    let name = LaunchTemplateName::new(name);
    let token = Token::read(params, name.as_str());
    if token.as_ref().map(|token| token.known(site)).transpose()?.flatten().is_some() {
        let template = site.cloud().world().templates.get(&name).cloned();
        if let Some(template) = template {
            return Ok(Xml::new().node("launchTemplate", show(site, &name, &template)));
        }
    }
    if !params.has("LaunchTemplateData") {
        return Err(super::missing("LaunchTemplateData"));
    }
    let version = versions::read(site, params, None)?;
    let template = TemplateState { versions: [(1, version)].into(), default: 1, tags: Tags::new() };
    let refuse_name = || {
        let message = "Launch template name already in use.";
        WireError::new("InvalidLaunchTemplateName.AlreadyExistsException", message)
    };
    site.cloud().amend(|world| {
        if world.templates.contains_key(&name) {
            return Err(refuse_name());
        }
        world.templates.insert(name.clone(), template.clone());
        Ok(())
    })?;
    {
        let mut facts = site.facts();
        facts.forget(TEMPLATE, name.as_str());
        facts.note(TEMPLATE, name.as_str(), "created", time::text(time::now()));
    }
    versions::note(site, &name, 1, params);
    if let Some(token) = token {
        token.keep(site, 1);
    }
    let id = names::template_id(site, &name);
    tags::specify(&mut site.facts(), params, "launch-template", &id);
    Ok(Xml::new().node("launchTemplate", show(site, &name, &template)))
}

fn check_name(name: &str) -> Result<(), WireError> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "().-/_".contains(letter);
    if (3..=128).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let message =
        "A launch template name has 3 to 128 characters: letters, digits, and ( ) . - / _";
    Err(WireError::new("InvalidLaunchTemplateName.MalformedException", message))
}

/// Deletes a template with all of its versions.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let world = site.cloud().world();
    let name = find(site, &world, params)?;
    let shown = world.templates.get(&name).map(|template| show(site, &name, template));
    let numbers = world.templates.get(&name).into_iter().flat_map(|one| one.versions.keys());
    site.cloud().delete_template(&name);
    for number in numbers {
        versions::forget(site, &name, *number);
    }
    site.facts().forget(TEMPLATE, name.as_str());
    Ok(Xml::new().node("launchTemplate", shown.unwrap_or_default()))
}

/// Makes another version the default one.
pub(super) fn modify(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = find(site, &site.cloud().world(), params)?;
    let wanted = params.text("SetDefaultVersion").or(params.text("DefaultVersion"));
    let wanted = wanted.ok_or_else(|| super::missing("SetDefaultVersion"))?;
    let id = names::template_id(site, &name);
    let template = site.cloud().amend(|world| {
        let template = world.templates.get_mut(&name).ok_or_else(unknown_name)?;
        let number = versions::parse(wanted)?;
        let number = template.number(&number);
        template.default = number.ok_or_else(|| versions::unknown(wanted, &id))?;
        Ok::<_, WireError>(template.clone())
    })?;
    Ok(Xml::new().node("launchTemplate", show(site, &name, &template)))
}

/// Describes templates; one that is asked for and not there fails the call.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let world = site.cloud().glimpse(World::clone);
    let mut wanted = vec![];
    for id in params.list("LaunchTemplateId") {
        wanted.push(of_id(site, &world, &id)?);
    }
    for name in params.list("LaunchTemplateName") {
        let name = LaunchTemplateName::new(name);
        if !world.templates.contains_key(&name) {
            return Err(unknown_name());
        }
        wanted.push(name);
    }
    let filters = Filters::read(params);
    let mut shown = vec![];
    for (name, template) in &world.templates {
        let id = names::template_id(site, name);
        let tags = tags::of(&site.facts(), &id);
        let admitted = filters.admit(|field| match field {
            "launch-template-name" => Some(vec![name.to_string()]),
            _ => filter::of_tags(field, tags.iter()),
        })?;
        if admitted && (wanted.is_empty() || wanted.contains(name)) {
            shown.push(show(site, name, template));
        }
    }
    super::listed(params, "launchTemplates", shown)
}

fn show(site: &Site, name: &LaunchTemplateName, template: &TemplateState) -> Xml {
    let id = names::template_id(site, name);
    let tags = tags::of(&site.facts(), &id);
    let newest = template.versions.keys().next_back();
    Xml::new()
        .text("launchTemplateId", &id)
        .text("launchTemplateName", name)
        .text("createTime", created(site, name))
        .text("createdBy", format!("arn:aws:iam::{}:user/playground", site.account))
        .text("defaultVersionNumber", template.default)
        .maybe("latestVersionNumber", newest)
        .with(tags::show(&tags))
}

/// Returns when a template was made.
fn created(site: &Site, name: &LaunchTemplateName) -> String {
    let noted = site.facts().noted(TEMPLATE, name.as_str(), "created").cloned();
    let noted = noted.as_ref().and_then(Value::as_str).map(str::to_owned);
    noted.unwrap_or_else(|| time::text(time::of(site, std::time::Duration::ZERO)))
}
