//! Keeps below the rates at which AWS begins to refuse calls.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::time::{Instant, sleep_until};

/// How many calls may be made, per account and region.
///
/// Shared by the clouds that work on one account and region; clouds of
/// different ones should have one each, since AWS counts them apart. A burst
/// goes out at once, so that a switch of ten listeners is not spread over
/// seconds; what comes after it is held to the rate.
#[derive(Debug)]
pub struct Budget {
    load_balancing: Bucket,
    load_balancing_writes: Bucket,
    scaling: Bucket,
    compute: Bucket,
    alarms: Bucket,
    identity: Bucket,
}

/// The families of calls that AWS counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Reads of Elastic Load Balancing.
    LoadBalancingRead,
    /// Writes of Elastic Load Balancing.
    LoadBalancingWrite,
    /// Auto Scaling.
    Scaling,
    /// EC2.
    Compute,
    /// `CloudWatch`.
    Alarms,
    /// IAM.
    Identity,
}

impl Default for Budget {
    /// Makes a budget somewhat below the published limits, which others share.
    ///
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>
    /// (40 at once and 10/s for all calls together, 20 and 3/s for writes),
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
    /// (50 and 10/s, 50 and 5/s for most writes). Auto Scaling and the burst of
    /// `CloudWatch` are not published.
    fn default() -> Self {
        Self {
            load_balancing: Bucket::new(36, 8.0),
            load_balancing_writes: Bucket::new(18, 2.5),
            scaling: Bucket::new(20, 5.0),
            compute: Bucket::new(40, 4.0),
            alarms: Bucket::new(8, 2.5),
            // Nothing is published; it is shared with everybody who signs in.
            identity: Bucket::new(10, 2.0),
        }
    }
}

impl Budget {
    /// Waits until a call may be made, and counts it.
    pub(crate) async fn take(&self, call: Call) {
        // All are charged before the first wait, so that none is charged twice by a slow one.
        let due = self.charge(call);
        if due > Instant::now() {
            sleep_until(due).await;
        }
    }

    /// Counts a call and returns when it may be made.
    fn charge(&self, call: Call) -> Instant {
        match call {
            Call::LoadBalancingRead => self.load_balancing.charge(),
            Call::LoadBalancingWrite => {
                self.load_balancing.charge().max(self.load_balancing_writes.charge())
            }
            Call::Scaling => self.scaling.charge(),
            Call::Compute => self.compute.charge(),
            Call::Alarms => self.alarms.charge(),
            Call::Identity => self.identity.charge(),
        }
    }
}

/// Holds tokens, of which each call takes one; what is missing is waited for.
#[derive(Debug)]
struct Bucket {
    capacity: f64,
    per_second: f64,
    state: Mutex<Level>,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    /// Below zero, it is owed to those who wait.
    tokens: f64,
    /// `None` before the first call: there is no clock without a runtime.
    at: Option<Instant>,
}

impl Bucket {
    fn new(capacity: u32, per_second: f64) -> Self {
        let tokens = f64::from(capacity);
        Self { capacity: tokens, per_second, state: Mutex::new(Level { tokens, at: None }) }
    }

    /// Takes a token and returns when it is there.
    fn charge(&self) -> Instant {
        let now = Instant::now();
        // A level is whole at any moment, whoever panicked with the lock in hand.
        let mut level = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = level.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let refilled = elapsed.as_secs_f64().mul_add(self.per_second, level.tokens);
        level.tokens = refilled.min(self.capacity) - 1.0;
        level.at = Some(now);
        now + Duration::from_secs_f64((-level.tokens).max(0.0) / self.per_second)
    }
}

/// Counts what the SDK sends again by itself.
///
/// It cannot wait: it makes later calls wait longer.
#[derive(Debug)]
pub(crate) struct ChargeRetries {
    budget: Arc<Budget>,
    service: fn(&str) -> Call,
}

impl ChargeRetries {
    /// Counts retries of a client; `service` sorts its calls by their names.
    pub(crate) fn new(budget: &Arc<Budget>, service: fn(&str) -> Call) -> Self {
        Self { budget: Arc::clone(budget), service }
    }
}

/// Sorts the calls of Elastic Load Balancing.
pub(crate) fn load_balancing(operation: &str) -> Call {
    if operation.starts_with("Describe") {
        Call::LoadBalancingRead
    } else {
        Call::LoadBalancingWrite
    }
}

#[dyn_dispatch_hint]
impl Intercept for ChargeRetries {
    fn name(&self) -> &'static str {
        "ChargeRetries"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempts = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        if attempts > 1
            && let Some(metadata) = config.load::<Metadata>()
        {
            self.budget.charge((self.service)(metadata.name()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds(budget: &Budget, calls: &[Call]) -> f64 {
        let start = Instant::now();
        for call in calls {
            budget.take(*call).await;
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn a_switch_of_ten_listeners_goes_out_at_once() {
        let budget = Budget::default();
        assert!(seconds(&budget, &[Call::LoadBalancingWrite; 10]).await < 0.001);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_after_the_burst_is_held_to_the_rate() {
        let budget = Budget::default();
        let waited = seconds(&budget, &[Call::LoadBalancingWrite; 28]).await;
        assert!((3.9..4.2).contains(&waited), "{waited}");
        // An hour later there is no more than one burst.
        tokio::time::advance(Duration::from_hours(1)).await;
        let waited = seconds(&budget, &[Call::LoadBalancingWrite; 28]).await;
        assert!((3.9..4.2).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn writes_count_as_load_balancing_calls_too() {
        let budget = Budget::default();
        seconds(&budget, &[Call::LoadBalancingWrite; 18]).await;
        let waited = seconds(&budget, &[Call::LoadBalancingRead; 26]).await;
        assert!((0.9..1.2).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_families_do_not_wait_for_each_other() {
        let budget = Budget::default();
        seconds(&budget, &[Call::LoadBalancingRead; 40]).await;
        assert!(seconds(&budget, &[Call::Scaling; 20]).await < 0.001);
    }
}
