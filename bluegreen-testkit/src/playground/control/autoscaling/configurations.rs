//! Launch configurations.

use bluegreen_core::model::{ImageId, LaunchConfigurationName, LaunchSource, Opaque};
use serde_json::{Map, Value, json};

use super::refusal::invalid;
use super::{Call, Params, WireError, Xml, handed_through, tree};
use crate::fake::{LaunchData, World};
use crate::playground::control::compute::user_data;
use crate::playground::control::{names, time};
use crate::playground::site::Site;

/// The kind under which facts of launch configurations are noted.
const CONFIGURATION: &str = "launch-configuration";

/// The members that are handed through.
const MEMBERS: [&str; 15] = [
    "AssociatePublicIpAddress",
    "BlockDeviceMappings",
    "ClassicLinkVPCId",
    "ClassicLinkVPCSecurityGroups",
    "EbsOptimized",
    "IamInstanceProfile",
    "InstanceMonitoring",
    "InstanceType",
    "KernelId",
    "KeyName",
    "MetadataOptions",
    "PlacementTenancy",
    "RamdiskId",
    "SecurityGroups",
    "SpotPrice",
];

/// Makes a launch configuration.
pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = LaunchConfigurationName::new(params.need("LaunchConfigurationName")?);
    if params.has("InstanceId") {
        return Err(invalid("The playground does not launch from an InstanceId"));
    }
    let image = params.text("ImageId").filter(|image| !image.is_empty()).ok_or_else(|| {
        invalid(
            "Valid requests must contain either the InstanceID parameter or both the ImageId and \
             InstanceType parameters.",
        )
    })?;
    let data = LaunchData {
        image: ImageId::new(image),
        user_data: user_data::keep(site, params.text("UserData"))
            .map_err(|error| invalid(error.message))?,
        details: details(params),
    };
    site.cloud().amend(|world| {
        if world.configurations.contains_key(&name) {
            let message = format!(
                "Launch Configuration by this name already exists - A launch configuration already \
                 exists with the name {name}"
            );
            return Err(WireError::new("AlreadyExists", message));
        }
        world.configurations.insert(name.clone(), data);
        Ok(())
    })?;
    let mut facts = site.facts();
    facts.forget(CONFIGURATION, name.as_str());
    facts.note(CONFIGURATION, name.as_str(), "created", time::text(time::now()));
    Ok(Xml::new())
}

/// Takes what is handed through, without what AWS has by default.
fn details(params: &Params) -> Opaque {
    let named =
        MEMBERS.iter().filter_map(|name| Some(((*name).to_owned(), tree::read(params, name)?)));
    let mut details: Map<String, Value> =
        named.filter(|(_, value)| value.as_str() != Some("")).collect();
    details.retain(|name, value| !is_usual(name, value));
    if details.is_empty() { Opaque::default() } else { Opaque::new(Value::Object(details)) }
}

fn is_usual(name: &str, value: &Value) -> bool {
    match name {
        "InstanceMonitoring" => *value == json!({"Enabled": "true"}),
        "EbsOptimized" => value == "false",
        _ => false,
    }
}

/// Deletes a launch configuration that no group launches from.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = LaunchConfigurationName::new(call.params.need("LaunchConfigurationName")?);
    call.site.cloud().amend(|world| {
        let source = LaunchSource::Configuration(name.clone());
        if world.scaling_groups.values().any(|group| group.launch == source) {
            let message = format!(
                "Cannot delete launch configuration {name} because it is attached to AutoScalingGroup"
            );
            return Err(WireError::new("ResourceInUse", message));
        }
        world.configurations.remove(&name).map(drop).ok_or_else(|| {
            let message = format!(
                "Launch configuration name not found - Launch configuration {name} not found"
            );
            invalid(message)
        })
    })?;
    Ok(Xml::new())
}

/// Describes launch configurations; unknown names are ignored.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let wanted = params.list("LaunchConfigurationNames");
    let world = site.cloud().glimpse(World::clone);
    let found = world
        .configurations
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|one| one == name.as_str()));
    let shown = found.map(|(name, data)| show(site, name, data)).collect();
    super::listed(params, "LaunchConfigurations", 50, shown)
}

fn show(site: &Site, name: &LaunchConfigurationName, data: &LaunchData) -> Xml {
    let id = names::uuid(&site.facts().identity(CONFIGURATION, name.as_str()));
    let rest = format!("launchConfiguration:{id}:launchConfigurationName/{name}");
    let created = site.facts().noted(CONFIGURATION, name.as_str(), "created").cloned();
    let created = created.as_ref().and_then(Value::as_str).map(str::to_owned);
    let created = created.unwrap_or_else(|| time::text(time::of(site, std::time::Duration::ZERO)));
    let content = data.user_data.as_ref().and_then(|digest| user_data::content(site, digest));
    let mut all = json!({
        "InstanceMonitoring": {"Enabled": "true"}, "EbsOptimized": "false", "KeyName": "",
        "KernelId": "", "RamdiskId": "", "SecurityGroups": [], "BlockDeviceMappings": [],
        "ClassicLinkVPCSecurityGroups": [],
    });
    if let (Some(all), Some(details)) = (all.as_object_mut(), data.details.value().as_object()) {
        all.extend(details.clone());
    }
    let members = all.as_object().into_iter().flatten();
    let xml = Xml::new()
        .text("LaunchConfigurationName", name)
        .text("LaunchConfigurationARN", names::scaling_arn(site, &rest))
        .text("ImageId", &data.image)
        .text("UserData", content.unwrap_or_default())
        .text("CreatedTime", created);
    members.fold(xml, |xml, (name, value)| handed_through(xml, name, value))
}
