//! What load balancers measure: requests to target groups, second by second.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluegreen_core::model::{TargetGroupName, Timestamp};
use bluegreen_core::transaction::{Clock as _, SystemClock};

use super::Shared;

/// How often is measured.
const EVERY: Duration = Duration::from_secs(1);
/// For how many seconds measures are kept: a quarter of an hour.
const KEPT: usize = 900;

/// What was measured in one site.
#[derive(Debug, Default)]
pub(super) struct Measures(Mutex<BTreeMap<TargetGroupName, Series>>);

#[derive(Debug, Default)]
struct Series {
    /// How many requests there were in all.
    total: u64,
    /// How many there were in each second, the newest last.
    seconds: VecDeque<(Timestamp, u64)>,
}

impl Measures {
    /// Takes note of how many requests each target group has had in all.
    fn note(&self, now: Timestamp, totals: BTreeMap<TargetGroupName, u64>) {
        let mut all = self.lock();
        all.retain(|name, _| totals.contains_key(name));
        for (name, total) in totals {
            let series = all.entry(name).or_default();
            series.seconds.push_back((now, total.saturating_sub(series.total)));
            series.total = total;
            while series.seconds.len() > KEPT {
                series.seconds.pop_front();
            }
        }
    }

    /// Returns the requests of a target group between two moments, in steps that begin with whole
    /// multiples of `period`; steps without a measure are left out.
    pub(super) fn read(
        &self,
        name: &TargetGroupName,
        (start, end): (Timestamp, Timestamp),
        period: Duration,
    ) -> BTreeMap<Timestamp, u64> {
        let step = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut steps = BTreeMap::new();
        let all = self.lock();
        let seconds = all.get(name).into_iter().flat_map(|series| &series.seconds);
        for (at, count) in seconds.filter(|(at, _)| (start..end).contains(at)) {
            let begin = Timestamp::from_millis(at.as_millis() / step * step);
            *steps.entry(begin).or_default() += count;
        }
        steps
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TargetGroupName, Series>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Measures until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let meters = shared.data.meters();
        for site in shared.all_sites() {
            let world = site.cloud().world();
            // One that no load balancer knows has nobody who would measure it.
            let mut totals: BTreeMap<TargetGroupName, u64> =
                world.references().into_keys().map(|name| (name, 0)).collect();
            let ours = meters
                .iter()
                .filter(|meter| meter.account == site.account && meter.region == site.region);
            for meter in ours {
                let total = meter.target_group.as_ref().and_then(|name| totals.get_mut(name));
                if let Some(total) = total {
                    *total += meter.begun;
                }
            }
            site.measures().note(SystemClock.now(), totals);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_in_steps_and_what_is_not_measured_is_left_out() {
        let (measures, name) = (Measures::default(), TargetGroupName::new("web"));
        let at = |second: u64| Timestamp::from_millis(1_800_000_000_000 + second * 1000);
        for (second, total) in [(0, 5), (1, 5), (2, 9), (60, 10)] {
            measures.note(at(second), [(name.clone(), total)].into());
        }
        let minutes = measures.read(&name, (at(0), at(120)), Duration::from_mins(1));
        assert_eq!(minutes, [(at(0), 9), (at(60), 1)].into());
        let seconds = measures.read(&name, (at(1), at(60)), Duration::from_secs(1));
        assert_eq!(seconds, [(at(1), 0), (at(2), 4)].into());
        let unknown = TargetGroupName::new("other");
        assert!(measures.read(&unknown, (at(0), at(120)), Duration::from_mins(1)).is_empty());
    }
}
