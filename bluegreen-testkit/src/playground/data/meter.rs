//! What went through listeners: counted where it happens, read by the page and the scorecard.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bluegreen_core::model::{LoadBalancerName, TargetGroupName};

/// The statuses that HTTP has.
const FIRST: u16 = 100;
const STATUSES: usize = 500;

/// What one listener sent to the machines of one version in one target group.
///
/// What a load balancer answered itself has no version; it has a target group if it would have been
/// sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meter {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The load balancer.
    pub load_balancer: LoadBalancerName,
    /// The port of the listener.
    pub port: u16,
    /// The target group.
    pub target_group: Option<TargetGroupName>,
    /// The image of the machines that answered.
    pub version: Option<String>,
    /// The colour of the machines that answered.
    pub color: Option<String>,
    /// How many requests, or flows of a network load balancer, are open.
    pub active: u64,
    /// How many requests were sent on, or flows begun.
    pub begun: u64,
    /// How many requests were answered, by status.
    pub answered: BTreeMap<u16, u64>,
    /// How many requests or flows were broken off after the answer had begun.
    pub broken: u64,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) load_balancer: LoadBalancerName,
    pub(super) port: u16,
    pub(super) target_group: Option<TargetGroupName>,
    pub(super) version: Option<String>,
    pub(super) color: Option<String>,
}

/// The counters of one [`Label`].
#[derive(Debug)]
pub(super) struct Tally {
    active: AtomicU64,
    begun: AtomicU64,
    broken: AtomicU64,
    answered: Box<[AtomicU64]>,
}

/// Every counter of a site.
#[derive(Debug, Default)]
pub(super) struct Meters(Mutex<BTreeMap<Label, Arc<Tally>>>);

/// Something that is under way; it has ended when this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Tally>);

impl Meters {
    /// Returns the counters of a label; those that it had before, if it had any.
    pub(super) fn tally(&self, label: Label) -> Arc<Tally> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(label).or_default())
    }

    pub(super) fn read(&self, account: &str, region: &str) -> Vec<Meter> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |(label, tally): (&Label, &Arc<Tally>)| Meter {
            account: account.to_owned(),
            region: region.to_owned(),
            load_balancer: label.load_balancer.clone(),
            port: label.port,
            target_group: label.target_group.clone(),
            version: label.version.clone(),
            color: label.color.clone(),
            active: tally.active.load(Ordering::Relaxed),
            begun: tally.begun.load(Ordering::Relaxed),
            answered: tally.answered(),
            broken: tally.broken.load(Ordering::Relaxed),
        };
        all.iter().map(read).collect()
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            active: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            answered: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Tally {
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.active.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    pub(super) fn answer(&self, status: u16) {
        let place = usize::from(status.saturating_sub(FIRST));
        if let Some(count) = self.answered.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn answered(&self) -> BTreeMap<u16, u64> {
        let counts = self.answered.iter().map(|count| count.load(Ordering::Relaxed));
        (FIRST..).zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

impl UnderWay {
    pub(super) fn break_off(&self) {
        self.0.broken.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}
