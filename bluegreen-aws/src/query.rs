//! A small client of AWS's query protocol, on the SDK's own runtime.
//!
//! For two services whose SDKs do not fit here. That of EC2 takes 8 GB and four
//! minutes to compile, for some six calls; that of `CloudWatch` speaks a protocol
//! that emulators do not. A form is posted, XML comes back. Signing,
//! credentials, retries, timeouts and the HTTP client are the SDK's, configured
//! by the same [`SdkConfig`] as the other clients.

mod client;
mod endpoint;
mod error;
mod form;
mod reply;

use std::sync::Arc;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_types::SdkConfig;
use serde::de::DeserializeOwned;

use crate::InvalidConfig;
use crate::budget::{Budget, Call};

pub(crate) use error::QueryError;
pub(crate) use form::Form;
use reply::Reply;
pub(crate) use reply::{Set, filled};

/// A failed call, as the SDK's own clients would report it.
pub(crate) type CallError = SdkError<QueryError, HttpResponse>;

/// What tells one service from the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// Its name in the SDK's configuration.
    pub(crate) id: &'static str,
    /// What its endpoints and its signatures begin with.
    pub(crate) prefix: &'static str,
    /// The version of the API that requests and replies are written for.
    pub(crate) version: &'static str,
    /// Whether one endpoint answers for all regions.
    pub(crate) global: bool,
    /// What its calls count as.
    pub(crate) call: Call,
    /// Sorts its calls, for the SDK's own retries.
    pub(crate) charge: fn(&str) -> Call,
}

/// A client of one service.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    service: Service,
    operation: Operation<Form, Reply, QueryError>,
    budget: Arc<Budget>,
}

impl Query {
    /// Makes a client that is configured as the SDK's own would be.
    pub(crate) fn new(
        config: &SdkConfig,
        budget: &Arc<Budget>,
        service: Service,
    ) -> Result<Self, InvalidConfig> {
        let operation = client::operation(config, budget, service)?;
        Ok(Self { service, operation, budget: Arc::clone(budget) })
    }

    /// Posts a form and reads the reply.
    pub(crate) async fn call<T: DeserializeOwned>(&self, form: Form) -> Result<T, CallError> {
        let reply = self.post(form).await?;
        // The call landed, but what it did cannot be told: no refusal.
        reply.parse().map_err(|error| SdkError::response_error(error, reply.into_response()))
    }

    /// Posts a form whose reply says nothing.
    pub(crate) async fn send(&self, form: Form) -> Result<(), CallError> {
        self.post(form).await.map(drop)
    }

    async fn post(&self, form: Form) -> Result<Reply, CallError> {
        self.budget.take(self.service.call).await;
        self.operation.invoke(form).await
    }
}
