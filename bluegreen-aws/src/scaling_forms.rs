//! The calls of Auto Scaling whose parameters are carried as they came: the SDK's types would drop
//! what is newer than themselves.

use std::sync::Arc;

use aws_types::SdkConfig;

use crate::InvalidConfig;
use crate::budget::{Budget, Call};
use crate::query::{CallError, Form, Query, Service};

/// Amazon EC2 Auto Scaling.
const SERVICE: Service = Service {
    id: "Auto Scaling",
    prefix: "autoscaling",
    version: "2011-01-01",
    global: false,
    call: Call::Scaling,
    charge: |_| Call::Scaling,
};

/// A client for such calls.
#[derive(Clone, Debug)]
pub(crate) struct ScalingForms {
    repeating: Query,
    once: Query,
}

impl ScalingForms {
    /// Makes a client that is configured as the SDK's own would be.
    pub(crate) fn new(config: &SdkConfig, budget: &Arc<Budget>) -> Result<Self, InvalidConfig> {
        Ok(Self {
            repeating: Query::new(config, budget, SERVICE)?,
            once: Query::once(config, budget, SERVICE)?,
        })
    }

    /// Makes a call that does the same the second time.
    pub(crate) async fn send(&self, form: Form) -> Result<(), CallError> {
        self.repeating.send(form).await
    }

    /// Makes a call that must not be repeated if it may have landed.
    pub(crate) async fn send_once(&self, form: Form) -> Result<(), CallError> {
        self.once.send(form).await
    }
}
