//! Which machines may answer on which route, moment by moment.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluegreen_core::model::{Actions, TargetGroupName};
use tokio::time::Instant;

use crate::playground::Site;
use crate::playground::topology::Topology;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(20);

/// For how long what was true still counts: load balancers follow a change a moment later, and it
/// is noticed a moment later.
const LAG: Duration = Duration::from_millis(250);

/// For how long what was true is kept.
const MEMORY: Duration = Duration::from_secs(30);

/// Who may answer, over the last half a minute.
#[derive(Debug, Default)]
pub(in crate::playground) struct Truth {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Since when, and who; the newest last.
    moments: VecDeque<(Instant, Arc<Moment>)>,
}

/// Who may answer on each route, by `load balancer:port`: the machines of every target group that
/// its rules or its default name with a weight.
type Moment = BTreeMap<String, BTreeSet<String>>;

impl Truth {
    /// Looks at a site until it is aborted.
    pub(in crate::playground) async fn keep_looking(self: Arc<Self>, site: Arc<Site>) {
        loop {
            self.note(moment(&site.topology()));
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn note(&self, moment: Moment) {
        let now = Instant::now();
        let mut inner = self.inner();
        if inner.moments.back().is_none_or(|(_, last)| **last != moment) {
            inner.moments.push_back((now, Arc::new(moment)));
        }
        // The oldest one holds until the next one begins.
        while inner.moments.get(1).is_some_and(|(since, _)| *since + MEMORY < now) {
            inner.moments.pop_front();
        }
    }

    /// Returns whether a machine was one of a route's at any time from `sent` to `received`;
    /// `true` if nobody knows.
    pub(super) fn was_right(
        &self,
        route: &str,
        instance: &str,
        sent: Instant,
        received: Instant,
    ) -> bool {
        let inner = self.inner();
        let (from, to) = (sent.checked_sub(LAG).unwrap_or(sent), received + INTERVAL * 2);
        let mut known = false;
        for (at, (since, moment)) in inner.moments.iter().enumerate() {
            let until = inner.moments.get(at + 1).map(|(next, _)| *next);
            if *since > to || until.is_some_and(|until| until < from) {
                continue;
            }
            let Some(machines) = moment.get(route) else { continue };
            known = true;
            if machines.contains(instance) {
                return true;
            }
        }
        !known
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn moment(topology: &Topology) -> Moment {
    let reached = |actions: &Actions| -> Vec<TargetGroupName> {
        let forward = actions.forward();
        let weights = forward
            .into_iter()
            .flat_map(|forward| forward.weights().keys().filter(|name| forward.reaches(name)));
        weights.cloned().collect()
    };
    topology
        .listeners
        .iter()
        .map(|listener| {
            let rules = listener.rules.iter().map(|rule| &rule.actions);
            let names = rules.chain([&listener.actions]).flat_map(reached);
            let machines = names
                .filter_map(|name| topology.target_groups.get(&name))
                .flat_map(|group| &group.targets)
                .map(|target| target.instance.to_string());
            (format!("{}:{}", listener.load_balancer, listener.port), machines.collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_machine_is_right_if_it_was_so_while_the_request_was_under_way() {
        let truth = Truth::default();
        let only =
            |instance: &str| Moment::from([("a:80".to_owned(), [instance.to_owned()].into())]);
        truth.note(only("i-1"));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let switched = Instant::now();
        truth.note(only("i-2"));
        let before = switched - Duration::from_millis(500);
        let after = switched + Duration::from_millis(500);
        assert!(truth.was_right("a:80", "i-1", before, after));
        assert!(truth.was_right("a:80", "i-2", before, after));
        assert!(!truth.was_right("a:80", "i-1", after, after));
        assert!(!truth.was_right("a:80", "i-2", before, before));
        assert!(truth.was_right("b:80", "i-9", before, after), "nobody knows");
    }
}
