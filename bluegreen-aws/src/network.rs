//! Who can reach a load balancer: whom its security groups let in, and the network ACLs of its
//! subnets do not shut out.

mod acl;
mod cidr;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::{CloudError, CloudErrorKind, ReadNetwork};
use bluegreen_core::model::{LoadBalancerName, PortRange};

use crate::AwsCloud;
use crate::ec2::{NetworkAcl, SecurityGroup};
use crate::error::{not_found, read_error};
use cidr::Cidr;

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
        let mut open: BTreeMap<u16, Vec<Opening>> = ports
            .ports()
            .map(|port| (port, openings(&groups, port)))
            .filter(|(_, openings)| !openings.is_empty())
            .collect();
        if !open.is_empty() {
            let zones = found.availability_zones().iter();
            let subnets: Vec<String> =
                zones.filter_map(|zone| zone.subnet_id().map(str::to_owned)).collect();
            let acls = self.network_acls(load_balancer, &subnets).await?;
            for (port, openings) in &mut open {
                openings.retain(|opening| !acl::closes(&acls, &subnets, opening, *port));
            }
        }
        let first =
            |(port, openings): (u16, Vec<Opening>)| Some((port, openings.into_iter().next()?.why));
        Ok(open.into_iter().filter_map(first).collect())
    }
}

impl AwsCloud {
    /// Describes the network ACLs of subnets; none if that is not allowed, which leaves to the
    /// security groups what is open.
    async fn network_acls(
        &self,
        load_balancer: &LoadBalancerName,
        subnets: &[String],
    ) -> Result<Vec<NetworkAcl>, CloudError> {
        const OPERATION: &str = "DescribeNetworkAcls";
        if subnets.is_empty() {
            return Ok(Vec::new());
        }
        match self.ec2().describe_network_acls(subnets).await {
            Ok(acls) => Ok(acls),
            Err(error) if self.is_not_offered(OPERATION, &error) => Ok(Vec::new()),
            Err(error) => {
                let error = read_error(OPERATION, load_balancer, error);
                if error.kind() == CloudErrorKind::Denied { Ok(Vec::new()) } else { Err(error) }
            }
        }
    }
}

/// Something that a security group lets in from outside.
#[derive(Debug)]
struct Opening {
    /// From where, if that is a range of addresses.
    range: Option<String>,
    /// The numbers of the protocols.
    protocols: &'static [&'static str],
    /// What it is, in words.
    why: String,
}

/// An internal load balancer has private addresses only.
///
/// With IPv6, whose addresses are all public, that cannot be told.
fn is_unreachable(found: &sdk::LoadBalancer) -> bool {
    found.scheme() == Some(&sdk::LoadBalancerSchemeEnum::Internal)
        && found.ip_address_type() == Some(&sdk::IpAddressType::Ipv4)
}

/// Returns everything from outside that security groups let in to a port.
fn openings(groups: &[SecurityGroup], port: u16) -> Vec<Opening> {
    let mut all = Vec::new();
    for group in groups {
        for permission in group.ingress().iter().filter(|one| one.covers(port)) {
            let protocols = permission.protocols();
            let let_in = |what: &str| format!("security group {} lets in {what}", group.group_id);
            let outside = permission
                .ranges()
                .filter(|range| Cidr::parse(range).is_none_or(|range| !range.is_private()));
            all.extend(outside.map(|range| Opening {
                range: Some(range.to_owned()),
                protocols,
                why: let_in(range),
            }));
            // What a list holds would take a further call to tell.
            all.extend(permission.prefix_lists().map(|list| Opening {
                range: None,
                protocols,
                why: let_in(&format!("prefix list {list}")),
            }));
        }
    }
    all
}
