//! Versions of launch templates.
//!
//! The description of a version that a run of ours made is the run's mark, and the world knows it
//! as such; every other description is noted beside the world.

use bluegreen_core::model::{ImageId, LaunchTemplateName, Mark, Opaque, RunId, TemplateVersion};
use serde_json::{Map, Value};

use super::{Call, Params, WireError, Xml, invalid, need, templates, user_data};
use crate::fake::{LaunchData, TemplateState, VersionState, World};
use crate::playground::control::{names, time, tree};
use crate::playground::site::Site;

/// The kind under which facts of versions are noted.
const VERSION: &str = "launch-template-version";

/// The kind under which client tokens are noted.
const TOKEN: &str = "launch-template-token";

/// What the descriptions of versions that a run made begin with.
const MARK: &str = "bluegreen ";

const DATA: &str = "LaunchTemplateData";

/// What makes a repeat of a creation harmless.
pub(super) struct Token {
    text: String,
    /// Everything that the request says.
    request: Value,
}

impl Token {
    /// Reads the token of a request about a template, if it has one.
    pub(super) fn read(params: &Params, template: &str) -> Option<Self> {
        let text = format!("{template}/{}", params.text("ClientToken")?);
        let request: Map<String, Value> =
            params.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        Some(Self { text, request: Value::Object(request) })
    }

    /// Returns the version that was made by this token; another request with it is refused.
    pub(super) fn known(&self, site: &Site) -> Result<Option<u64>, WireError> {
        let facts = site.facts();
        let Some(noted) = facts.noted(TOKEN, &self.text, "request") else { return Ok(None) };
        if *noted != self.request {
            let message = "The client token has already been used with other parameters";
            return Err(WireError::new("IdempotentParameterMismatch", message));
        }
        Ok(facts.noted(TOKEN, &self.text, "number").and_then(Value::as_u64))
    }

    /// Notes the version that was made by this token.
    pub(super) fn keep(self, site: &Site, number: u64) {
        let mut facts = site.facts();
        facts.note(TOKEN, &self.text, "request", self.request);
        facts.note(TOKEN, &self.text, "number", number);
    }
}

/// Refuses a version that is not there.
pub(super) fn unknown(version: &str, template_id: &str) -> WireError {
    let message = format!(
        "Could not find the specified version {version} for the launch template with ID {template_id}."
    );
    WireError::new("InvalidLaunchTemplateId.VersionNotFound", message)
}

/// Reads what names a version.
pub(super) fn parse(text: &str) -> Result<TemplateVersion, WireError> {
    match text {
        "$Latest" => Ok(TemplateVersion::Latest),
        "$Default" => Ok(TemplateVersion::Default),
        number => number.parse().map(TemplateVersion::Number).map_err(|_| {
            invalid(format!("Invalid launch template version: '{text}' is no number"))
        }),
    }
}

/// Reads a version; what is not said of it is as in another one.
pub(super) fn read(
    site: &Site,
    params: &Params,
    source: Option<&LaunchData>,
) -> Result<VersionState, WireError> {
    let said = tree::read(params, DATA).unwrap_or_default();
    let said = said.as_object().cloned().unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|one| !one.is_empty());
    let mut data = source.cloned().unwrap_or_else(|| LaunchData::of(""));
    if let Some(image) = text("ImageId") {
        data.image = ImageId::new(image);
    }
    if let Some(content) = text("UserData") {
        data.user_data = user_data::keep(site, Some(content))?;
    }
    let mut others = said.clone();
    others.retain(|name, _| !matches!(name.as_str(), "ImageId" | "UserData"));
    if !others.is_empty() {
        let mut all = data.details.value().as_object().cloned().unwrap_or_default();
        all.extend(others);
        data.details = Opaque::new(Value::Object(all));
    }
    Ok(VersionState { data, mark: params.text("VersionDescription").and_then(mark) })
}

fn mark(description: &str) -> Option<Mark> {
    let (run, step) = description.strip_prefix(MARK)?.split_once(' ')?;
    Some(Mark::new(&RunId::new(run), step))
}

fn key(template: &LaunchTemplateName, number: u64) -> String {
    format!("{template}/{number}")
}

/// Notes what the world does not hold of a version.
pub(super) fn note(site: &Site, template: &LaunchTemplateName, number: u64, params: &Params) {
    let mut facts = site.facts();
    let key = key(template, number);
    facts.note(VERSION, &key, "created", time::text(time::now()));
    if let Some(description) = params.text("VersionDescription").filter(|one| mark(one).is_none()) {
        facts.note(VERSION, &key, "description", description);
    }
}

/// Forgets a version.
pub(super) fn forget(site: &Site, template: &LaunchTemplateName, number: u64) {
    site.facts().forget(VERSION, &key(template, number));
}

/// Makes a version, all of it or on top of another one.
pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let world = site.cloud().world();
    let name = templates::find(site, &world, params)?;
    let token = Token::read(params, name.as_str());
    if let Some(number) = token.as_ref().map(|token| token.known(site)).transpose()?.flatten()
        && let Some(template) = world.templates.get(&name)
        && template.versions.contains_key(&number)
    {
        return Ok(Xml::new().node("launchTemplateVersion", show(site, &name, template, number)));
    }
    if !params.has(DATA) {
        return Err(super::missing(DATA));
    }
    let template = world.templates.get(&name);
    let source = match params.text("SourceVersion") {
        None => None,
        Some(text) => {
            let id = names::template_id(site, &name);
            let number = template.and_then(|template| template.number(&parse(text).ok()?));
            let found = template.zip(number).and_then(|(one, number)| one.versions.get(&number));
            Some(&found.ok_or_else(|| unknown(text, &id))?.data)
        }
    };
    let version = read(site, params, source)?;
    let number = site.cloud().add_version(&name, version);
    let world = site.cloud().world();
    let (Some(number), Some(template)) = (number, world.templates.get(&name)) else {
        // Gone meanwhile.
        return Err(templates::find(site, &world, params).err().unwrap_or_else(|| {
            WireError::new("InternalError", "The version is lost").with_status(500)
        }));
    };
    note(site, &name, number, params);
    if let Some(token) = token {
        token.keep(site, number);
    }
    Ok(Xml::new().node("launchTemplateVersion", show(site, &name, template, number)))
}

/// Deletes versions; what is wrong with one of them is said of it alone.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = templates::find(site, &site.cloud().world(), params)?;
    let wanted = params.list("LaunchTemplateVersion");
    if wanted.is_empty() {
        return Err(super::missing("LaunchTemplateVersion"));
    }
    let numbers = wanted.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let id = names::template_id(site, &name);
    let (gone, absent) = site.cloud().amend(|world| {
        let Some(template) = world.templates.get_mut(&name) else {
            return Ok((vec![], wanted.clone()));
        };
        let (mut gone, mut absent) = (vec![], vec![]);
        for (text, version) in wanted.iter().zip(&numbers) {
            match template.number(version) {
                Some(number) if number == template.default => {
                    let message = "The default version of a launch template cannot be deleted";
                    return Err(invalid(message));
                }
                Some(number) if template.versions.remove(&number).is_some() => gone.push(number),
                _ => absent.push(text.clone()),
            }
        }
        Ok((gone, absent))
    })?;
    for number in &gone {
        forget(site, &name, *number);
    }
    let item = |version: &dyn std::fmt::Display| {
        Xml::new()
            .text("launchTemplateId", &id)
            .text("launchTemplateName", &name)
            .text("versionNumber", version)
    };
    let absent = absent.iter().map(|version| {
        let error = Xml::new()
            .text("code", "launchTemplateVersionDoesNotExist")
            .text("message", format!("Launch template version {version} does not exist"));
        item(version).node("responseError", error)
    });
    let gone = gone.iter().map(|number| item(number));
    Ok(Xml::new().list("successfullyDeletedLaunchTemplateVersionSet", "item", gone).list(
        "unsuccessfullyDeletedLaunchTemplateVersionSet",
        "item",
        absent,
    ))
}

/// Describes versions, the newest first; one that is asked for and not there fails the call.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let world = site.cloud().glimpse(World::clone);
    let wanted = params.list("LaunchTemplateVersion");
    let one = params.has("LaunchTemplateName") || params.has("LaunchTemplateId");
    if !one && wanted.is_empty() {
        // Of all templates only the latest and the default versions can be described.
        need(params, "LaunchTemplateId")?;
    }
    let named = if one {
        vec![templates::find(site, &world, params)?]
    } else {
        world.templates.keys().cloned().collect()
    };
    let (least, most) = (params.number("MinVersion")?, params.number("MaxVersion")?);
    let mut shown = vec![];
    for name in &named {
        let Some(template) = world.templates.get(name) else { continue };
        let mut numbers: Vec<u64> = if wanted.is_empty() {
            template.versions.keys().copied().collect()
        } else {
            let id = names::template_id(site, name);
            let number = |text: &String| {
                let number = template.number(&parse(text)?);
                number.ok_or_else(|| unknown(text, &id))
            };
            wanted.iter().map(number).collect::<Result<_, _>>()?
        };
        numbers.sort_unstable();
        numbers.dedup();
        let in_range = |number: &u64| {
            least.is_none_or(|least| *number >= least) && most.is_none_or(|most| *number <= most)
        };
        let numbers = numbers.iter().rev().filter(|number| in_range(number));
        shown.extend(numbers.map(|number| show(site, name, template, *number)));
    }
    super::listed(params, "launchTemplateVersionSet", shown)
}

fn show(site: &Site, name: &LaunchTemplateName, template: &TemplateState, number: u64) -> Xml {
    let id = names::template_id(site, name);
    let Some(version) = template.versions.get(&number) else { return Xml::new() };
    let noted = |field: &str| {
        let facts = site.facts();
        let noted = facts.noted(VERSION, &key(name, number), field);
        noted.and_then(Value::as_str).map(str::to_owned)
    };
    let mark = version.mark.as_ref().map(|mark| mark.as_str().to_owned());
    let description = mark.or_else(|| noted("description"));
    let created = noted("created");
    let created = created.unwrap_or_else(|| time::text(time::of(site, std::time::Duration::ZERO)));
    Xml::new()
        .text("launchTemplateId", id)
        .text("launchTemplateName", name)
        .text("versionNumber", number)
        .maybe("versionDescription", description)
        .text("createTime", created)
        .text("createdBy", format!("arn:aws:iam::{}:user/playground", site.account))
        .text("defaultVersion", number == template.default)
        .node("launchTemplateData", show_data(site, &version.data))
}

fn show_data(site: &Site, data: &LaunchData) -> Xml {
    let content = data.user_data.as_ref().and_then(|digest| user_data::content(site, digest));
    let image = Some(data.image.as_str()).filter(|image| !image.is_empty());
    let details = data.details.value().as_object().into_iter().flatten();
    let xml = Xml::new().maybe("imageId", image).maybe("userData", content);
    details.fold(xml, |xml, (member, value)| {
        let spelling = tree::Spelling::Compute;
        tree::write(xml, &tree::spelled("", member, value, spelling), value, spelling)
    })
}
