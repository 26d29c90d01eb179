//! From a configured environment to a cloud: profiles, regions, roles and endpoints end here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_types::sdk_config::SharedCredentialsProvider;
use bluegreen_aws::AwsCloud;
use bluegreen_core::cloud::Cloud;

use crate::args::Global;
use crate::config::Environment;
use crate::failure::Failure;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(15);
/// How long a call may take with all its attempts.
const CALL: Duration = Duration::from_mins(1);

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
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(CALL)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .app_name(AppName::new("bluegreen").expect("a plain word is a name"))
            .region(Region::new(way.region.clone()))
            .timeout_config(timeouts);
        if let Some(profile) = &way.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = loader.load().await;
        match &way.role {
            Some(role) => assuming(&config, role).await,
            None => config,
        }
    }
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
