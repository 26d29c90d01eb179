//! From a configured environment to a cloud, and to a bucket: profiles, regions, roles and endpoints end here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_types::sdk_config::SharedCredentialsProvider;
use bluegreen_aws::{AwsCloud, InvalidConfig, S3Objects};
use bluegreen_core::cloud::Cloud;

use crate::args::Global;
use crate::config::Environment;
use crate::failure::Failure;
use crate::store::BucketUrl;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(15);
/// How long a call may take with all its attempts.
const CALL: Duration = Duration::from_mins(1);
/// The same for a bucket: a lock is renewed every ten seconds, and objects are small.
const BUCKET_ATTEMPT: Duration = Duration::from_secs(5);
const BUCKET_CALL: Duration = Duration::from_secs(20);

/// Connects to clouds; environments of the same account and region share one, and its budget.
#[derive(Debug)]
pub(crate) struct Connector {
    endpoint_url: Option<String>,
    profile: Option<String>,
    region: Option<String>,
    known: BTreeMap<Way, AwsCloud>,
}

/// What leads to an account and a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    profile: Option<String>,
    role: Option<String>,
    region: String,
}

impl Connector {
    /// Takes from the command line what goes before the configuration.
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            endpoint_url: global.endpoint_url.clone(),
            profile: global.profile.clone(),
            region: global.region.clone(),
            known: BTreeMap::new(),
        }
    }

    /// Returns the region that an environment is looked for in.
    pub(crate) fn region<'a>(&'a self, environment: &'a Environment) -> &'a str {
        self.region.as_deref().unwrap_or(&environment.region)
    }

    /// Returns the cloud of an environment. No call is made yet.
    pub(crate) async fn connect(
        &mut self,
        environment: &Environment,
    ) -> Result<Arc<dyn Cloud>, Failure> {
        let way = Way {
            profile: self.profile.clone().or_else(|| environment.account.profile.clone()),
            role: environment.account.role.clone(),
            region: self.region(environment).to_owned(),
        };
        if let Some(cloud) = self.known.get(&way) {
            return Ok(Arc::new(cloud.clone()));
        }
        let config = self.sdk_config(&way).await;
        let cloud = AwsCloud::new(&config).map_err(|error| Failure::refused(error.to_string()))?;
        self.known.insert(way, cloud.clone());
        Ok(Arc::new(cloud))
    }

    async fn sdk_config(&self, way: &Way) -> SdkConfig {
        let endpoint_url = self.endpoint_url.as_deref();
        let config = load(way.profile.as_deref(), Some(&way.region), endpoint_url).await;
        match &way.role {
            Some(role) => assuming(&config, role).await,
            None => config,
        }
    }
}

/// Returns the objects of a bucket. No call is made yet.
///
/// What its URL says goes before the command line, and an endpoint for S3 alone before one for
/// everything.
pub(crate) async fn bucket(global: &Global, url: &BucketUrl) -> Result<S3Objects, InvalidConfig> {
    let profile = url.profile.as_deref().or(global.profile.as_deref());
    let region = url.region.as_deref().or(global.region.as_deref());
    let config = load(profile, region, global.endpoint_url.as_deref()).await;
    let endpoint = S3Objects::endpoint_of_its_own(&config);
    let mut config = config.to_builder().timeout_config(timeouts(BUCKET_ATTEMPT, BUCKET_CALL));
    if let Some(endpoint) = endpoint {
        config.set_endpoint_url(Some(endpoint));
    }
    S3Objects::new(&config.build(), &url.bucket)
}

/// Loads what AWS's own tools would, with what was asked for going before.
async fn load(
    profile: Option<&str>,
    region: Option<&str>,
    endpoint_url: Option<&str>,
) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .app_name(AppName::new("bluegreen").expect("a plain word is a name"))
        .timeout_config(timeouts(ATTEMPT, CALL));
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

fn timeouts(attempt: Duration, call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(call)
        .build()
}

/// Returns the same configuration with the credentials of a role.
async fn assuming(config: &SdkConfig, role: &str) -> SdkConfig {
    let provider = aws_config::sts::AssumeRoleProvider::builder(role)
        .session_name("bluegreen")
        .configure(config)
        .build()
        .await;
    config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}
