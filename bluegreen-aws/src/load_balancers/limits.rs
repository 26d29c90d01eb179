//! What an account may have.

use std::collections::BTreeMap;

use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{BalancerLimits, Limits};

use crate::AwsCloud;
use crate::error::{read_error, refused};
use crate::page::Pages;

/// Reads the quotas of the account; those that AWS does not tell are unknown.
pub(super) async fn read(cloud: &AwsCloud) -> Result<Limits, CloudError> {
    let found = cloud.describe_load_balancing_limits().await?;
    let of = |kind: &str| {
        let limit = |name: &str| found.get(&format!("{name}-{kind}-load-balancer")).copied();
        BalancerLimits {
            listeners: limit("listeners-per"),
            rules: limit("rules-per"),
            target_groups: limit("target-groups-per"),
            target_groups_per_action: limit("target-groups-per-action-on"),
        }
    };
    Ok(Limits { application: of("application"), network: of("network") })
}

impl AwsCloud {
    /// Describes the quotas of Elastic Load Balancing, by the names that AWS gives them; none where
    /// they are not told.
    ///
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Limit.html>
    pub(crate) async fn describe_load_balancing_limits(
        &self,
    ) -> Result<BTreeMap<String, u32>, CloudError> {
        const OPERATION: &str = "DescribeAccountLimits";
        let mut found = BTreeMap::new();
        let (mut pages, mut marker) = (Pages::new(), None);
        loop {
            let request = self.load_balancing_read().await.describe_account_limits();
            let answer = match request.set_marker(marker).send().await {
                Ok(answer) => answer,
                Err(error) if self.is_not_offered(OPERATION, &error) => return Ok(found),
                Err(error) => return Err(read_error(OPERATION, "the account", error)),
            };
            let limits = answer.limits().iter();
            found.extend(
                limits.filter_map(|limit| {
                    Some((limit.name()?.to_owned(), limit.max()?.parse().ok()?))
                }),
            );
            marker = answer.next_marker.filter(|next| !next.is_empty());
            let Some(next) = &marker else { return Ok(found) };
            pages.turn(next).map_err(|why| refused(OPERATION, "the account", why))?;
        }
    }
}
