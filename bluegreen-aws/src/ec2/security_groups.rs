use serde::Deserialize;

use super::Ec2;
use crate::page::Pages;
use crate::query::{CallError, Form, Set, filled};

/// A security group, as far as it is needed.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityGroup {
    /// Its id.
    pub(crate) group_id: String,
    #[serde(default)]
    ip_permissions: Set<IpPermission>,
}

impl SecurityGroup {
    /// Returns what it lets in.
    pub(crate) fn ingress(&self) -> &[IpPermission] {
        &self.ip_permissions.items
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IpPermission {
    /// `tcp`, `udp`, a number, or `-1` for all.
    ip_protocol: String,
    /// The first port; absent if the protocol has none or all are meant.
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(default)]
    ip_ranges: Set<IpRange>,
    #[serde(default)]
    ipv6_ranges: Set<Ipv6Range>,
    #[serde(default)]
    prefix_list_ids: Set<PrefixList>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IpRange {
    cidr_ip: String,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Ipv6Range.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ipv6Range {
    cidr_ipv6: String,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PrefixListId.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrefixList {
    prefix_list_id: String,
}

impl IpPermission {
    /// Returns whether it covers a port, of TCP or UDP.
    pub(crate) fn covers(&self, port: u16) -> bool {
        match self.ip_protocol.as_str() {
            "-1" => true,
            "tcp" | "udp" | "6" | "17" => match (self.from_port, self.to_port) {
                (Some(first), Some(last)) => {
                    // -1 stands for all.
                    first == -1 || (first..=last).contains(&i32::from(port))
                }
                // All ports, or a range that cannot be told.
                _ => true,
            },
            _ => false,
        }
    }

    /// Returns the numbers of the protocols that it is about, of TCP and UDP.
    pub(crate) fn protocols(&self) -> &'static [&'static str] {
        match self.ip_protocol.as_str() {
            "tcp" | "6" => &["6"],
            "udp" | "17" => &["17"],
            _ => &["6", "17"],
        }
    }

    /// Returns the address ranges that it lets in.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = &str> {
        let v4 = self.ip_ranges.items.iter().map(|range| range.cidr_ip.as_str());
        v4.chain(self.ipv6_ranges.items.iter().map(|range| range.cidr_ipv6.as_str()))
    }

    /// Returns the lists of address ranges that it lets in.
    pub(crate) fn prefix_lists(&self) -> impl Iterator<Item = &str> {
        self.prefix_list_ids.items.iter().map(|list| list.prefix_list_id.as_str())
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeSecurityGroupsReply {
    #[serde(default)]
    security_group_info: Set<SecurityGroup>,
    next_token: Option<String>,
}

impl Ec2 {
    /// Describes security groups by their ids; one that is unknown fails the call.
    pub(crate) async fn describe_security_groups(
        &self,
        ids: &[String],
    ) -> Result<Vec<SecurityGroup>, CallError> {
        let mut pages = Pages::new();
        let mut token: Option<String> = None;
        let mut groups = Vec::new();
        loop {
            let form = Form::new("DescribeSecurityGroups")
                .with_list("GroupId", ids)
                .with_some("NextToken", token);
            let reply: DescribeSecurityGroupsReply = self.0.call(form).await?;
            groups.extend(reply.security_group_info.items);
            let Some(next) = filled(reply.next_token) else { return Ok(groups) };
            pages.turn(&next).map_err(CallError::construction_failure)?;
            token = Some(next);
        }
    }
}
