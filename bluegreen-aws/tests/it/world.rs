//! What every test starts from.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use bluegreen_aws::AwsCloud;
use bluegreen_testkit::emulator::stack::Stack;
use bluegreen_testkit::emulator::{Emulator, Proxy};

/// A service on an emulator, and the adapter that looks at it through a proxy.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) cloud: AwsCloud,
    pub(crate) proxy: Arc<Proxy>,
    _emulator: Emulator,
}

impl World {
    /// Makes the service `web` and an adapter that knows nothing of it yet.
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::start().await;
        let proxy = emulator.proxy().await;
        let stack = Stack::create(&emulator.url(), "web").await.expect("the service is made");
        let cloud = AwsCloud::new(&config(&proxy.url()).await).expect("a region is set");
        Self { stack, cloud, proxy: Arc::new(proxy), _emulator: emulator }
    }

    /// Returns the actions that were called since the last time.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.proxy.calls().into_iter().map(|call| call.action).collect();
        self.proxy.clear();
        calls
    }
}

/// Returns what a program has at hand that was told an endpoint.
pub(crate) async fn config(url: &str) -> SdkConfig {
    let credentials = aws_credential_types::Credentials::new("testing", "testing", None, None, "");
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .load()
        .await
}
