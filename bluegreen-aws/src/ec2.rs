//! The few EC2 calls that are needed, on the SDK's own runtime.
//!
//! The EC2 SDK takes 8 GB and four minutes to compile, for some six calls. Here
//! they are small: a form is posted, XML comes back. Signing, credentials,
//! retries, timeouts and the HTTP client are the SDK's, configured by the same
//! [`SdkConfig`] as the other clients.

mod client;
mod endpoint;
mod error;
mod form;
mod images;
mod launch_templates;
mod reply;
mod security_groups;

use std::sync::Arc;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_types::SdkConfig;
use serde::de::DeserializeOwned;

use crate::InvalidConfig;
use crate::budget::{Budget, Call};

pub(crate) use error::Ec2Error;
use form::Form;
pub(crate) use launch_templates::{NewTemplateVersion, NotDeleted, TemplateVersionData};
use reply::Reply;
pub(crate) use security_groups::{IpPermission, SecurityGroup};

/// A failed EC2 call, as the SDK's own clients would report it.
pub(crate) type CallError = SdkError<Ec2Error, HttpResponse>;

/// A client of the Amazon EC2 query API.
#[derive(Clone, Debug)]
pub(crate) struct Ec2 {
    operation: Operation<Form, Reply, Ec2Error>,
    budget: Arc<Budget>,
}

impl Ec2 {
    /// Makes a client that is configured as the SDK's own would be.
    pub(crate) fn new(config: &SdkConfig, budget: &Arc<Budget>) -> Result<Self, InvalidConfig> {
        Ok(Self { operation: client::operation(config, budget)?, budget: Arc::clone(budget) })
    }

    /// Posts a form and reads the reply.
    async fn call<T: DeserializeOwned>(&self, form: Form) -> Result<T, CallError> {
        self.budget.take(Call::Compute).await;
        let reply = self.operation.invoke(form).await?;
        // The call landed, but what it did cannot be told: no refusal.
        reply.parse().map_err(|error| SdkError::response_error(error, reply.into_response()))
    }
}
