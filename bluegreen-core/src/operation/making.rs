use std::collections::BTreeSet;

use futures_util::future::try_join;

use crate::cloud::{CloudError, ReadCloud};
use crate::model::ScalingGroupName;
use crate::plan::Making;

/// Reads what would make a scaling group again; `None` if it is gone.
pub(super) async fn making(
    cloud: &dyn ReadCloud,
    name: &ScalingGroupName,
) -> Result<Option<Making>, CloudError> {
    let Some(settings) = cloud.scaling_group_settings(name).await? else { return Ok(None) };
    let ((policies, schedules), can_launch) = try_join(
        try_join(cloud.policies(name), cloud.schedules(name)),
        cloud.launch_source_exists(&settings.launch),
    )
    .await?;
    let names: BTreeSet<_> = policies.iter().flat_map(|policy| &policy.alarms).cloned().collect();
    let alarms = if names.is_empty() {
        Vec::new()
    } else {
        cloud.alarms(&names.into_iter().collect::<Vec<_>>()).await?
    };
    Ok(Some(Making { settings, policies, schedules, alarms, can_launch }))
}
