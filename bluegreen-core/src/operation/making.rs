use futures_util::future::try_join;

use super::survey::alarms;
use crate::cloud::{CloudError, ReadCloud};
use crate::model::ScalingGroupName;
use crate::plan::Making;

/// Reads what would make a scaling group again; `None` if it is gone.
pub(super) async fn making(
    cloud: &dyn ReadCloud,
    name: &ScalingGroupName,
) -> Result<Option<Making>, CloudError> {
    let Some(settings) = cloud.scaling_group_settings(name).await? else { return Ok(None) };
    let launch = settings.launch.bare();
    let ((policies, (schedules, fittings)), can_launch) = try_join(
        try_join(cloud.policies(name), try_join(cloud.schedules(name), cloud.fittings(name))),
        cloud.launch_source_exists(&launch),
    )
    .await?;
    let alarms = alarms(cloud, &policies).await?;
    Ok(Some(Making { settings, policies, schedules, alarms, fittings, can_launch }))
}
