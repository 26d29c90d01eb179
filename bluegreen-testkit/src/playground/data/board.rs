//! What a data plane shows of itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bluegreen_core::model::LoadBalancerName;

use super::meter::Meters;

/// How many troubles are kept.
const KEPT: usize = 200;

/// What a data plane shows of itself.
#[derive(Debug, Default)]
pub(super) struct Board {
    pub(super) meters: Meters,
    listening: Mutex<BTreeMap<(LoadBalancerName, u16), SocketAddr>>,
    troubles: Mutex<Vec<String>>,
}

impl Board {
    /// Says where the listeners really are.
    pub(super) fn show_listening(&self, listening: BTreeMap<(LoadBalancerName, u16), SocketAddr>) {
        *lock(&self.listening) = listening;
    }

    /// Returns where a listener really is.
    pub(super) fn address(
        &self,
        load_balancer: &LoadBalancerName,
        port: u16,
    ) -> Option<SocketAddr> {
        lock(&self.listening).get(&(load_balancer.clone(), port)).copied()
    }

    /// Says what people should hear of, once.
    pub(super) fn complain(&self, trouble: String) {
        let mut troubles = lock(&self.troubles);
        if troubles.len() < KEPT && !troubles.contains(&trouble) {
            tracing::error!("{trouble}");
            troubles.push(trouble);
        }
    }

    pub(super) fn troubles(&self) -> Vec<String> {
        lock(&self.troubles).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
