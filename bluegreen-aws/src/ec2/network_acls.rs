use serde::Deserialize;

use super::Ec2;
use crate::page::Pages;
use crate::query::{CallError, Form, Set, filled};

/// A network ACL, as far as it is needed.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAcl.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkAcl {
    #[serde(default)]
    entry_set: Set<AclEntry>,
    #[serde(default)]
    association_set: Set<Association>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAclAssociation.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Association {
    subnet_id: String,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAclEntry.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AclEntry {
    /// Entries are looked at in this order; the first that fits decides.
    pub(crate) rule_number: i32,
    /// A number, or `-1` for all.
    protocol: String,
    rule_action: String,
    egress: bool,
    cidr_block: Option<String>,
    ipv6_cidr_block: Option<String>,
    port_range: Option<Ports>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PortRange.html>
#[derive(Debug, Deserialize)]
struct Ports {
    from: Option<i32>,
    to: Option<i32>,
}

impl NetworkAcl {
    /// Returns whether a subnet lives by it.
    pub(crate) fn is_of(&self, subnet: &str) -> bool {
        self.association_set.items.iter().any(|one| one.subnet_id == subnet)
    }

    /// Returns what it says about what comes in, in the order in which it is looked at.
    pub(crate) fn ingress(&self) -> Vec<&AclEntry> {
        let mut entries: Vec<_> = self.entry_set.items.iter().filter(|one| !one.egress).collect();
        entries.sort_by_key(|entry| entry.rule_number);
        entries
    }
}

impl AclEntry {
    /// Returns whether it lets in what it is about.
    pub(crate) fn allows(&self) -> bool {
        self.rule_action == "allow"
    }

    /// Returns whether it is about a port of a protocol.
    pub(crate) fn covers(&self, protocol: &str, port: u16) -> bool {
        if self.protocol == "-1" {
            return true;
        }
        self.protocol == protocol
            && self.port_range.as_ref().is_none_or(|range| {
                let (from, to) = (range.from.unwrap_or(0), range.to.unwrap_or(i32::from(u16::MAX)));
                (from..=to).contains(&i32::from(port))
            })
    }

    /// Returns the addresses that it is about.
    pub(crate) fn range(&self) -> &str {
        self.cidr_block.as_deref().or(self.ipv6_cidr_block.as_deref()).unwrap_or_default()
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkAcls.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeNetworkAclsReply {
    #[serde(default)]
    network_acl_set: Set<NetworkAcl>,
    next_token: Option<String>,
}

impl Ec2 {
    /// Describes the network ACLs of subnets.
    pub(crate) async fn describe_network_acls(
        &self,
        subnets: &[String],
    ) -> Result<Vec<NetworkAcl>, CallError> {
        let mut pages = Pages::new();
        let mut token: Option<String> = None;
        let mut acls = Vec::new();
        loop {
            let form = Form::new("DescribeNetworkAcls")
                .with("Filter.1.Name", "association.subnet-id")
                .with_list("Filter.1.Value", subnets)
                .with_some("NextToken", token);
            let reply: DescribeNetworkAclsReply = self.0.call(form).await?;
            acls.extend(reply.network_acl_set.items);
            let Some(next) = filled(reply.next_token) else { return Ok(acls) };
            pages.turn(&next).map_err(CallError::construction_failure)?;
            token = Some(next);
        }
    }
}
