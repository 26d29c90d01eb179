//! The published limits of calls: token buckets of an account in a region.
//!
//! # Limits
//!
//! Auto Scaling, STS and `CloudWatch` publish no such buckets, so their calls are never too many.
//! EC2 counts what calls touch as well (`RunInstances`, `TerminateInstances`); here only calls count.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::control::{Params, Service, is_mutating};
use super::site::Site;

/// The buckets of every account and region.
#[derive(Debug)]
pub(super) struct Buckets {
    limited: bool,
    filled: Mutex<BTreeMap<Key, Bucket>>,
}

/// An account, a region, and the name of a bucket.
type Key = (String, String, String);

/// A bucket as it was when somebody last looked.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// How many calls a bucket holds, and how many a second it gets back.
#[derive(Clone, Copy, Debug)]
struct Size {
    most: f64,
    refill: f64,
}

const fn size(most: f64, refill: f64) -> Size {
    Size { most, refill }
}

impl Buckets {
    /// Makes full buckets; if calls are not limited, they never get empty.
    pub(super) fn new(limited: bool) -> Self {
        Self { limited, filled: Mutex::default() }
    }

    /// Returns whether a call is one too many; otherwise it is paid for.
    pub(super) fn refuses(
        &self,
        site: &Site,
        service: Service,
        action: &str,
        params: &Params,
    ) -> bool {
        if !self.limited {
            return false;
        }
        let now = Instant::now();
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let paid_from: Vec<(Key, Bucket)> = buckets_of(service, action, params)
            .into_iter()
            .map(|(name, size)| {
                let key = (site.account.clone(), site.region.clone(), name);
                let full = Bucket { tokens: size.most, at: now };
                let bucket = filled.get(&key).copied().unwrap_or(full);
                let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
                let tokens = (bucket.tokens + passed * size.refill).min(size.most);
                (key, Bucket { tokens, at: now })
            })
            .collect();
        // A call that is refused by one bucket takes nothing from the others.
        let refused = paid_from.iter().any(|(_, bucket)| bucket.tokens < 1.0);
        let price = if refused { 0.0 } else { 1.0 };
        for (key, Bucket { tokens, at }) in paid_from {
            filled.insert(key, Bucket { tokens: tokens - price, at });
        }
        refused
    }
}

/// Returns from which buckets a call is paid, each with its size.
fn buckets_of(service: Service, action: &str, params: &Params) -> Vec<(String, Size)> {
    match service {
        Service::LoadBalancing => {
            let (name, of_kind) = match action {
                "RegisterTargets" | "DeregisterTargets" => ("registration", size(20.0, 4.0)),
                "CreateLoadBalancer" | "SetSubnets" => ("resource-intensive", size(10.0, 0.2)),
                _ if is_mutating(action) => ("mutating", size(20.0, 3.0)),
                _ => ("non-mutating", size(40.0, 10.0)),
            };
            let named = |name: &str| format!("elasticloadbalancing/{name}");
            vec![(named("account"), size(40.0, 10.0)), (named(name), of_kind)]
        }
        Service::Compute => vec![(format!("ec2/{action}"), of_compute(action, params))],
        Service::AutoScaling
        | Service::SecurityToken
        | Service::Monitoring
        | Service::Permission => vec![],
    }
}

/// EC2 counts every action apart.
fn of_compute(action: &str, params: &Params) -> Size {
    let narrowed = ["Filter", "MaxResults", "InstanceId", "GroupId", "GroupName"];
    match action {
        "DescribeInstances" | "DescribeInstanceStatus" | "DescribeSecurityGroups"
            if !narrowed.iter().any(|name| params.has(name)) =>
        {
            size(50.0, 10.0)
        }
        "CreateLaunchTemplateVersion" | "ModifyLaunchTemplate" | "TerminateInstances" => {
            size(100.0, 5.0)
        }
        "CreateTags" | "DeleteTags" => size(100.0, 10.0),
        "RunInstances" => size(5.0, 2.0),
        _ if is_mutating(action) => size(50.0, 5.0),
        _ => size(100.0, 20.0),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fake::FakeCloud;

    fn site(account: &str) -> Site {
        Site::new(account, "us-east-1", 10, 0, FakeCloud::default())
    }

    fn taken(buckets: &Buckets, site: &Site, action: &str) -> usize {
        let call =
            |_: &usize| !buckets.refuses(site, Service::LoadBalancing, action, &Params::default());
        (0..100).take_while(call).count()
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_changes_pass_at_once_and_three_a_second_after_that() {
        let buckets = Buckets::new(true);
        let site = site("111111111111");
        assert_eq!(taken(&buckets, &site, "ModifyListener"), 20);
        // What is left of the account's bucket is for reads.
        assert_eq!(taken(&buckets, &site, "DescribeListeners"), 20);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(&buckets, &site, "ModifyRule"), 3);
        assert_eq!(taken(&buckets, &site, "DescribeRules"), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn registrations_and_accounts_are_counted_apart() {
        let buckets = Buckets::new(true);
        let (site, other) = (site("111111111111"), site("222222222222"));
        assert_eq!(taken(&buckets, &site, "RegisterTargets"), 20);
        assert_eq!(taken(&buckets, &site, "CreateListener"), 20);
        assert_eq!(taken(&buckets, &other, "CreateListener"), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn without_limits_nothing_is_refused() {
        assert_eq!(taken(&Buckets::new(false), &site("111111111111"), "ModifyListener"), 100);
    }
}
