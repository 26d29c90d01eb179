use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadTraffic};
use bluegreen_core::model::{Requests, TargetGroupName};

use super::FakeCloud;
use super::refusal::joined;

/// How many requests a second a route gets.
const RATE: u64 = 100;

#[async_trait]
impl ReadTraffic for FakeCloud {
    async fn requests(
        &self,
        names: &[TargetGroupName],
        window: Duration,
    ) -> Result<Requests, CloudError> {
        self.read("requests", joined(names), |state| {
            let known = names.iter().filter(|name| {
                let settings = state.world.target_groups.get(*name);
                // Flows are counted for each load balancer, not for each target group.
                settings.is_some_and(|settings| settings.protocol.starts_with("HTTP"))
                    && !state.unmeasured.contains(*name)
            });
            let count = |name: &TargetGroupName| {
                let begin = state.now.saturating_sub(window);
                let last = state.last_request(name)?;
                // Of a whole second at least: there were some.
                (last > begin || last == state.now)
                    .then(|| RATE * last.saturating_sub(begin).as_secs().max(1))
            };
            Ok(known.map(|name| (name.clone(), count(name).unwrap_or(0))).collect())
        })
        .await
    }
}

impl FakeCloud {
    /// Keeps the requests to a target group from being measured.
    pub fn unmeasure(&self, name: &TargetGroupName) {
        self.present().unmeasured.insert(name.clone());
    }
}
