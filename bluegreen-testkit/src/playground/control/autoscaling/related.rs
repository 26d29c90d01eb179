//! What belongs to groups and stands in answers of its own.

use super::{Call, WireError, Xml};
use crate::playground::control::{names, time};

/// Describes the instance refresh of a group that is under way, if one is.
pub(super) fn refreshes(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    super::find(call.site, &name)?;
    let status = call.site.cloud().refresh_of(&name);
    let shown = status.map(|status| {
        let id = call.site.facts().identity("instance-refresh", name.as_str());
        Xml::new()
            .text("InstanceRefreshId", names::uuid(&id))
            .text("AutoScalingGroupName", &name)
            .text("Status", status)
    });
    super::listed(call.params, "InstanceRefreshes", 50, shown.into_iter().collect())
}

/// Describes how much there may be.
pub(super) fn limits(call: &Call<'_>) -> Xml {
    let world = call.site.cloud().world();
    Xml::new()
        .text("MaxNumberOfAutoScalingGroups", 500)
        .text("MaxNumberOfLaunchConfigurations", 200)
        .text("NumberOfAutoScalingGroups", world.scaling_groups.len())
        .text("NumberOfLaunchConfigurations", world.configurations.len())
}

/// Reads a moment that a request gives.
pub(super) fn moment(text: &str) -> Result<bluegreen_core::model::Timestamp, WireError> {
    bluegreen_core::model::Timestamp::try_from(text.to_owned())
        .map_err(|error| super::refusal::invalid(format!("Invalid time: {error}")))
}

/// Returns whether a moment is over.
pub(super) fn is_past(moment: bluegreen_core::model::Timestamp) -> bool {
    moment < time::now()
}
