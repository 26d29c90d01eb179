//! Who can reach a load balancer.

use std::collections::BTreeMap;
use std::net::IpAddr;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::{CloudError, ReadNetwork};
use bluegreen_core::model::{LoadBalancerName, PortRange};

use crate::AwsCloud;
use crate::ec2::{IpPermission, SecurityGroup};
use crate::error::{not_found, read_error};

#[async_trait]
impl ReadNetwork for AwsCloud {
    async fn open_ports(
        &self,
        load_balancer: &LoadBalancerName,
        ports: PortRange,
    ) -> Result<BTreeMap<u16, String>, CloudError> {
        let found = self.describe_load_balancers(std::slice::from_ref(load_balancer)).await?;
        let found = found.into_iter().next();
        let found = found.ok_or_else(|| not_found("DescribeLoadBalancers", load_balancer))?;
        if is_unreachable(&found) {
            return Ok(BTreeMap::new());
        }
        let ids = found.security_groups();
        // AWS gives every application load balancer a security group; an emulator that does not
        // has none that could let anybody in.
        if ids.is_empty() && found.r#type() == Some(&sdk::LoadBalancerTypeEnum::Application) {
            return Ok(BTreeMap::new());
        }
        if ids.is_empty() {
            let why = "the load balancer has no security group".to_owned();
            return Ok(ports.ports().map(|port| (port, why.clone())).collect());
        }
        let groups = self.ec2().describe_security_groups(ids).await;
        let groups =
            groups.map_err(|error| read_error("DescribeSecurityGroups", load_balancer, error))?;
        Ok(ports.ports().filter_map(|port| Some((port, opened_by(&groups, port)?))).collect())
    }
}

/// An internal load balancer has private addresses only.
///
/// With IPv6, whose addresses are all public, that cannot be told.
fn is_unreachable(found: &sdk::LoadBalancer) -> bool {
    found.scheme() == Some(&sdk::LoadBalancerSchemeEnum::Internal)
        && found.ip_address_type() == Some(&sdk::IpAddressType::Ipv4)
}

fn opened_by(groups: &[SecurityGroup], port: u16) -> Option<String> {
    groups.iter().find_map(|group| {
        let what = group.ingress().iter().filter(|one| one.covers(port)).find_map(lets_in)?;
        Some(format!("security group {} lets in {what}", group.group_id))
    })
}

/// Returns what a permission lets in from outside, if anything.
fn lets_in(permission: &IpPermission) -> Option<String> {
    let range = permission.ranges().find(|range| !is_private(range)).map(str::to_owned);
    // What a list holds would take a further call to tell.
    range.or_else(|| permission.prefix_lists().next().map(|list| format!("prefix list {list}")))
}

/// Returns whether a range of addresses is one of a private network.
///
/// <https://www.rfc-editor.org/rfc/rfc1918>, <https://www.rfc-editor.org/rfc/rfc6598>,
/// <https://www.rfc-editor.org/rfc/rfc4193>.
fn is_private(range: &str) -> bool {
    let parsed = || {
        let (address, bits) = range.split_once('/')?;
        Some((address.parse().ok()?, bits.parse().ok()?))
    };
    let Some((address, bits)) = parsed() else { return false };
    let bits: u32 = bits;
    match address {
        IpAddr::V4(address) => {
            let within = |network: [u8; 4], size: u32| {
                let shift = 32 - size;
                bits >= size && u32::from(address) >> shift == u32::from_be_bytes(network) >> shift
            };
            within([10, 0, 0, 0], 8)
                || within([172, 16, 0, 0], 12)
                || within([192, 168, 0, 0], 16)
                || within([100, 64, 0, 0], 10)
                || within([127, 0, 0, 0], 8)
                || within([169, 254, 0, 0], 16)
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            let unique_local = bits >= 7 && first & 0xfe00 == 0xfc00;
            let link_local = bits >= 10 && first & 0xffc0 == 0xfe80;
            unique_local || link_local || (bits == 128 && address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_ranges_are_not_outside() {
        for range in ["10.0.0.0/8", "10.1.2.3/32", "172.31.0.0/16", "192.168.1.0/24", "fd00::/8"] {
            assert!(is_private(range), "{range}");
        }
        for range in ["0.0.0.0/0", "10.0.0.0/7", "172.32.0.0/16", "8.8.8.8/32", "::/0", "nonsense"]
        {
            assert!(!is_private(range), "{range}");
        }
    }
}
