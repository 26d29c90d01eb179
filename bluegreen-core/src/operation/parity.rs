use futures_util::future::try_join;

use super::survey::{alarms, settings};
use super::{EnvironmentSpec, OperationError};
use crate::cloud::{CloudError, ReadCloud};
use crate::model::{Environment, ScalingGroup};
use crate::plan::{Disparity, GroupWhole, Names, parity};

/// Reads both colours whole and compares them; nothing if the environment has one only.
pub async fn compare(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
    environment: &Environment,
) -> Result<Vec<Disparity>, OperationError> {
    let Some(green) = &environment.green else { return Ok(Vec::new()) };
    let (blue, green) =
        try_join(whole(cloud, &environment.blue.group), whole(cloud, &green.group)).await?;
    Ok(parity(environment, &Names::new(&spec.green_suffix), &blue, &green))
}

async fn whole(cloud: &dyn ReadCloud, group: &ScalingGroup) -> Result<GroupWhole, CloudError> {
    let name = &group.name;
    let ((settings, fittings), (policies, schedules)) = try_join(
        try_join(settings(cloud, name), cloud.fittings(name)),
        try_join(cloud.policies(name), cloud.schedules(name)),
    )
    .await?;
    let alarms = alarms(cloud, &policies).await?;
    let suspended = group.suspended.clone();
    Ok(GroupWhole { settings, suspended, fittings, policies, alarms, schedules })
}
