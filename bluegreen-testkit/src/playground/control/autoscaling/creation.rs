//! How groups are made.

use bluegreen_core::model::{Capacity, Opaque, ScalingGroupSettings};

use super::refusal::{exists, exists_pending_delete, invalid, refused};
use super::{
    Call, GROUP, WireError, Xml, attachments, condition, fittings, groups, launch, settings, tags,
};
use crate::playground::control::time;

/// Makes a group.
pub(super) fn create(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = super::group_name(params)?;
    if site.cloud().is_dying(&name) {
        return Err(exists_pending_delete(&name));
    }
    if site.cloud().world().scaling_groups.contains_key(&name) {
        return Err(exists(&name));
    }
    let launch = launch::read(site, params)?.ok_or_else(|| {
        invalid(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, \
             InstanceId or MixedInstancesPolicy parameter.",
        )
    })?;
    let min = needed_size(params.number("MinSize")?, "MinSize")?;
    let max = needed_size(params.number("MaxSize")?, "MaxSize")?;
    let desired = params.number("DesiredCapacity")?.unwrap_or(min);
    let capacity = Capacity::new(min, desired, max);
    groups::check_capacity(capacity)?;
    let details = settings::of_creation(params)?;
    settings::check_subnets(site, &details)?;
    let sources = attachments::read_sources(site, params)?;
    let settings = ScalingGroupSettings {
        launch,
        capacity,
        target_groups: sources.target_groups.clone(),
        tags: tags::read(params)?,
        details: Opaque::new(details),
        uncarried: vec![],
        unknown: vec![],
    };
    // Whatever was known of an earlier group of the name is not true of this one.
    {
        let mut facts = site.facts();
        facts.forget(GROUP, name.as_str());
        facts.activities.remove(name.as_str());
        facts.note(GROUP, name.as_str(), "created", time::text(time::now()));
    }
    site.cloud().create_group(&name, settings).map_err(|error| refused(&error))?;
    condition::take(site, &name, params);
    fittings::take_protection(call, params)?;
    attachments::note_created(site, &name, &sources);
    if let Some(operator) = params.text("Operator.Principal") {
        let operated = |world: &mut crate::fake::World| {
            if let Some(group) = world.scaling_groups.get_mut(&name) {
                group.operator = Some(operator.to_owned());
            }
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = site.cloud().amend(operated);
    }
    condition::restate(site, &name);
    Ok(Xml::new())
}

fn needed_size(size: Option<u32>, name: &str) -> Result<u32, WireError> {
    size.ok_or_else(|| invalid(format!("The parameter {name} is required")))
}
