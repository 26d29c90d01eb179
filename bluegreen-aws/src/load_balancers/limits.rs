//! What an account may have.

use std::collections::BTreeMap;

use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{BalancerLimits, Limits};

use crate::AwsCloud;
use crate::error::read_error;
use crate::page::Pages;

/// Reads the quotas of the account; those that AWS does not tell are unknown.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Limit.html>
pub(super) async fn read(cloud: &AwsCloud) -> Result<Limits, CloudError> {
    const OPERATION: &str = "DescribeAccountLimits";
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    let (mut pages, mut marker) = (Pages::new(), None);
    loop {
        let request = cloud.load_balancing_read().await.describe_account_limits();
        let answer = match request.set_marker(marker).send().await {
            Ok(answer) => answer,
            Err(error) if cloud.is_not_offered(OPERATION, &error) => break,
            Err(error) => return Err(read_error(OPERATION, "the account", error)),
        };
        found.extend(
            answer
                .limits()
                .iter()
                .filter_map(|limit| Some((limit.name()?.to_owned(), limit.max()?.parse().ok()?))),
        );
        let Some(next) = answer.next_marker().filter(|next| !next.is_empty()) else { break };
        if pages.turn(next).is_err() {
            break;
        }
        marker = Some(next.to_owned());
    }
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
