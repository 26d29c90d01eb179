//! Remembers which ARN a name stands for, and nothing else.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use bluegreen_core::model::{ListenerKey, LoadBalancerName, RouteKey, TargetGroupName};

use crate::arn;

/// The ARNs that answers have taught.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) load_balancers: ArnMap<LoadBalancerName>,
    pub(crate) listeners: ArnMap<ListenerKey>,
    /// Rules only: a listener's default action is the listener's.
    pub(crate) rules: ArnMap<RouteKey>,
    pub(crate) target_groups: ArnMap<TargetGroupName>,
}

impl Names {
    /// Learns a target group from its ARN, wherever it stood.
    pub(crate) fn learn_target_group(&self, arn: &str) -> Option<TargetGroupName> {
        let name = arn::target_group(arn)?;
        self.target_groups.learn(name.clone(), arn);
        Some(name)
    }

    /// Learns a load balancer from its ARN, wherever it stood.
    pub(crate) fn learn_load_balancer(&self, arn: &str) -> Option<LoadBalancerName> {
        let name = arn::load_balancer(arn)?;
        self.load_balancers.learn(name.clone(), arn);
        Some(name)
    }
}

/// One kind of names.
#[derive(Debug)]
pub(crate) struct ArnMap<K>(Mutex<HashMap<K, String>>);

impl<K> Default for ArnMap<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash> ArnMap<K> {
    pub(crate) fn find(&self, name: &K) -> Option<String> {
        self.lock().get(name).cloned()
    }

    pub(crate) fn learn(&self, name: K, arn: &str) {
        self.lock().insert(name, arn.to_owned());
    }

    pub(crate) fn forget(&self, name: &K) {
        self.lock().remove(name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, String>> {
        // A map is whole at any moment, whoever panicked with the lock in hand.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
