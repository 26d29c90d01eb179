//! The few EC2 calls that are needed.

mod images;
mod launch_templates;
mod network_acls;
mod security_groups;

use std::sync::Arc;

use aws_types::SdkConfig;

use crate::InvalidConfig;
use crate::budget::{Budget, Call};
use crate::query::{Query, Service};

pub(crate) use launch_templates::{
    NewTemplate, NewTemplateVersion, NotDeleted, TemplateVersionData,
};
pub(crate) use network_acls::NetworkAcl;
pub(crate) use security_groups::SecurityGroup;

/// Amazon EC2.
pub(crate) const SERVICE: Service = Service {
    id: "EC2",
    prefix: "ec2",
    version: "2016-11-15",
    global: false,
    call: Call::Compute,
    charge: |_| Call::Compute,
};

/// A client of EC2.
#[derive(Clone, Debug)]
pub(crate) struct Ec2(Query);

impl Ec2 {
    /// Makes a client that is configured as the SDK's own would be.
    pub(crate) fn new(config: &SdkConfig, budget: &Arc<Budget>) -> Result<Self, InvalidConfig> {
        Query::new(config, budget, SERVICE).map(Self)
    }
}

#[cfg(test)]
mod tests;
