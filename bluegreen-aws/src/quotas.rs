//! How much there may be of what operations make.

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadQuotas};
use bluegreen_core::model::{Quota, QuotaKind};

use crate::AwsCloud;
use crate::error::read_error;

const OPERATION: &str = "DescribeAccountLimits";

#[async_trait]
impl ReadQuotas for AwsCloud {
    async fn quotas(&self) -> Result<Vec<Quota>, CloudError> {
        let mut quotas = self.scaling_quotas().await?;
        quotas.extend(self.load_balancing_quotas().await?);
        quotas.sort_by_key(|quota| quota.of);
        Ok(quotas)
    }
}

impl AwsCloud {
    /// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAccountLimits.html>
    async fn scaling_quotas(&self) -> Result<Vec<Quota>, CloudError> {
        let found = match self.scaling().await.describe_account_limits().send().await {
            Ok(found) => found,
            Err(error) if self.is_not_offered(OPERATION, &error) => return Ok(Vec::new()),
            Err(error) => return Err(read_error(OPERATION, "the account", error)),
        };
        let groups = (found.max_number_of_auto_scaling_groups, found.number_of_auto_scaling_groups);
        let configurations =
            (found.max_number_of_launch_configurations, found.number_of_launch_configurations);
        let quota = |of, (limit, used): (Option<i32>, Option<i32>)| {
            let limit = u64::try_from(limit?).ok()?;
            Some(Quota { of, limit, used: used.and_then(|used| u64::try_from(used).ok()) })
        };
        let both = [
            quota(QuotaKind::ScalingGroups, groups),
            quota(QuotaKind::LaunchConfigurations, configurations),
        ];
        Ok(both.into_iter().flatten().collect())
    }

    async fn load_balancing_quotas(&self) -> Result<Vec<Quota>, CloudError> {
        let limits = self.describe_load_balancing_limits().await?.into_iter();
        let quota = |(name, limit): (String, u32)| {
            Some(Quota { of: kind(&name)?, limit: limit.into(), used: None })
        };
        let mut quotas: Vec<Quota> = limits.filter_map(quota).collect();
        if let Some(quota) = quotas.iter_mut().find(|one| one.of == QuotaKind::TargetGroups) {
            let there = self.target_groups_exactly(None).await?.len();
            quota.used = u64::try_from(there).ok();
        }
        Ok(quotas)
    }
}

fn kind(name: &str) -> Option<QuotaKind> {
    Some(match name {
        "target-groups" => QuotaKind::TargetGroups,
        "listeners-per-application-load-balancer" => QuotaKind::Listeners,
        "target-groups-per-application-load-balancer" => QuotaKind::TargetGroupsOfOne,
        "targets-per-application-load-balancer" => QuotaKind::Targets,
        _ => return None,
    })
}
