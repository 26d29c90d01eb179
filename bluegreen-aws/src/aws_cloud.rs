use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use bluegreen_core::model::Mark;

use crate::budget::{self, Budget, Call, ChargeRetries};
use crate::cloudwatch::CloudWatch;
use crate::ec2::Ec2;
use crate::error::Failure;
use crate::iam::Iam;
use crate::names::Names;
use crate::retry::OnlyThrottles;

/// How long one attempt of a call may take, unless the caller's configuration says so.
///
/// The SDK's default is no limit: a call into a dead connection would hold up a
/// rollback for ever.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// AWS as a cloud of `bluegreen-core`.
///
/// Cheap to clone: clones share clients, budget and what they know of ARNs.
#[derive(Clone, Debug)]
pub struct AwsCloud {
    shared: Arc<Shared>,
}

struct Shared {
    load_balancing: aws_sdk_elasticloadbalancingv2::Client,
    scaling: aws_sdk_autoscaling::Client,
    scaling_once: aws_sdk_autoscaling::Client,
    cloudwatch: CloudWatch,
    identity: aws_sdk_sts::Client,
    ec2: Ec2,
    iam: Iam,
    region: String,
    budget: Arc<Budget>,
    names: Names,
    /// Whether the endpoint is somebody else's than AWS's.
    foreign_endpoint: bool,
    /// Marks of template versions that such an endpoint was asked to delete and cannot.
    undeletable: Mutex<BTreeSet<Mark>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("budget", &self.budget)
            .field("names", &self.names)
            .field("foreign_endpoint", &self.foreign_endpoint)
            .finish_non_exhaustive()
    }
}

/// Says what a configuration lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// There is no region.
    #[error("the AWS configuration names no region")]
    NoRegion,
    /// There is nothing that could give credentials.
    #[error("the AWS configuration has no credentials provider")]
    NoCredentials,
}

impl AwsCloud {
    /// Makes a cloud of the account and region that `config` leads to.
    ///
    /// Reads nothing from the environment or from profiles: what `config` has
    /// is what counts. Attempts without a time limit get one of 15 seconds.
    pub fn new(config: &SdkConfig) -> Result<Self, InvalidConfig> {
        Self::with_budget(config, Arc::new(Budget::default()))
    }

    /// Makes a cloud that shares its rate budget with others of the same account and region.
    pub fn with_budget(config: &SdkConfig, budget: Arc<Budget>) -> Result<Self, InvalidConfig> {
        let region = config.region().ok_or(InvalidConfig::NoRegion)?.to_string();
        if config.credentials_provider().is_none() {
            return Err(InvalidConfig::NoCredentials);
        }
        let config = bounded(config);
        let ec2 = Ec2::new(&config, &budget)?;
        let scaling = scaling(&config, &budget);
        let shared = Shared {
            load_balancing: load_balancing(&config, &budget),
            scaling_once: once(&scaling),
            scaling,
            cloudwatch: CloudWatch::new(&config, &budget)?,
            identity: aws_sdk_sts::Client::new(&config),
            ec2,
            iam: Iam::new(&config, &budget)?,
            region,
            budget,
            names: Names::default(),
            foreign_endpoint: config.endpoint_url().is_some(),
            undeletable: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns the marks of versions that an emulator was asked to delete and cannot; never AWS.
    ///
    /// They are unused and harmless, and count as deleted: a rollback could never end otherwise.
    pub(crate) fn undeletable(&self) -> MutexGuard<'_, BTreeSet<Mark>> {
        self.shared.undeletable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the client for one read of Elastic Load Balancing, once the budget allows it.
    pub(crate) async fn load_balancing_read(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        self.shared.budget.take(Call::LoadBalancingRead).await;
        &self.shared.load_balancing
    }

    /// Returns the client for one write of Elastic Load Balancing, once the budget allows it.
    pub(crate) async fn load_balancing_write(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        self.shared.budget.take(Call::LoadBalancingWrite).await;
        &self.shared.load_balancing
    }

    /// Returns the client for one call of Auto Scaling, once the budget allows it.
    pub(crate) async fn scaling(&self) -> &aws_sdk_autoscaling::Client {
        self.shared.budget.take(Call::Scaling).await;
        &self.shared.scaling
    }

    /// Returns the client for one call of Auto Scaling that must not be repeated if it may have
    /// landed, once the budget allows it.
    pub(crate) async fn scaling_once(&self) -> &aws_sdk_autoscaling::Client {
        self.shared.budget.take(Call::Scaling).await;
        &self.shared.scaling_once
    }

    /// Returns the client of `CloudWatch`, which keeps to the budget by itself.
    pub(crate) fn cloudwatch(&self) -> &CloudWatch {
        &self.shared.cloudwatch
    }

    /// Returns the client of EC2, which keeps to the budget by itself.
    pub(crate) fn ec2(&self) -> &Ec2 {
        &self.shared.ec2
    }

    /// Returns the client of IAM, which keeps to the budget by itself.
    pub(crate) fn iam(&self) -> &Iam {
        &self.shared.iam
    }

    /// Returns the region that calls are made in.
    pub(crate) fn region(&self) -> &str {
        &self.shared.region
    }

    /// Returns the client of STS, which is asked once.
    pub(crate) fn identity(&self) -> &aws_sdk_sts::Client {
        &self.shared.identity
    }

    /// Returns what pays for further pages of an answer.
    pub(crate) fn paying(&self, call: Call) -> (&Budget, Call) {
        (&self.shared.budget, call)
    }

    pub(crate) fn names(&self) -> &Names {
        &self.shared.names
    }

    /// Returns whether the endpoint is somebody else's than AWS's.
    pub(crate) fn foreign_endpoint(&self) -> bool {
        self.shared.foreign_endpoint
    }

    /// Returns whether a failed read means that an emulator does not offer the operation.
    ///
    /// AWS itself offers them all.
    pub(crate) fn is_not_offered(&self, operation: &'static str, error: &impl Failure) -> bool {
        let server_error = error.status().is_some_and(|status| status >= 500);
        let absent = self.foreign_endpoint() && server_error && error.code().is_none();
        if absent {
            tracing::warn!(operation, "this endpoint does not offer the operation: taken as empty");
        }
        absent
    }
}

/// Sees to it that no call can hang, and that the SDK knows how to behave.
pub(crate) fn bounded(config: &SdkConfig) -> SdkConfig {
    let mut timeouts =
        config.timeout_config().cloned().unwrap_or_else(|| TimeoutConfig::builder().build());
    timeouts.take_defaults_from(
        &TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build(),
    );
    let version = config.behavior_version().unwrap_or_else(BehaviorVersion::latest);
    config.to_builder().timeout_config(timeouts).behavior_version(version).build()
}

fn load_balancing(
    config: &SdkConfig,
    budget: &Arc<Budget>,
) -> aws_sdk_elasticloadbalancingv2::Client {
    let charge = ChargeRetries::new(budget, budget::load_balancing);
    let config =
        aws_sdk_elasticloadbalancingv2::config::Builder::from(config).interceptor(charge).build();
    aws_sdk_elasticloadbalancingv2::Client::from_conf(config)
}

fn scaling(config: &SdkConfig, budget: &Arc<Budget>) -> aws_sdk_autoscaling::Client {
    let charge = ChargeRetries::new(budget, |_| Call::Scaling);
    let config = aws_sdk_autoscaling::config::Builder::from(config).interceptor(charge).build();
    aws_sdk_autoscaling::Client::from_conf(config)
}

fn once(client: &aws_sdk_autoscaling::Client) -> aws_sdk_autoscaling::Client {
    let config = client.config().to_builder().retry_classifier(OnlyThrottles).build();
    aws_sdk_autoscaling::Client::from_conf(config)
}
