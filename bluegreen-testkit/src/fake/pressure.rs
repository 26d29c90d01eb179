//! Policies that shrink a group for lack of requests.

use std::time::Duration;

use bluegreen_core::model::Process;

use super::state::State;
use super::traffic;
use super::world::ScalingGroupState;

impl State {
    /// Finds the groups that a policy will shrink for lack of requests.
    pub(super) fn note_quiet_groups(&mut self) {
        let quiet: Vec<_> = self
            .world
            .scaling_groups
            .iter()
            .filter(|(name, group)| {
                group.capacity.desired > group.capacity.min
                    && group.follows_requests()
                    && !group.suspended.contains(&Process::AlarmNotification)
                    && !traffic::has_requests(&self.world, name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        self.machinery.quiet_since.retain(|name, _| quiet.contains(name));
        for name in quiet {
            self.machinery.quiet_since.entry(name).or_insert(self.now);
        }
    }

    /// Shrinks the groups that have had no requests for long.
    pub(super) fn shrink_quiet_groups(&mut self) {
        let long_ago = |since: Duration| since + self.timing.idle_scale_in <= self.now;
        for (name, since) in &self.machinery.quiet_since {
            if let Some(group) =
                self.world.scaling_groups.get_mut(name).filter(|_| long_ago(*since))
            {
                group.capacity.desired = group.capacity.min;
            }
        }
    }
}

impl ScalingGroupState {
    /// Returns whether a policy follows the requests that the group gets.
    fn follows_requests(&self) -> bool {
        self.policies.values().any(|policy| {
            policy.counts_requests_of.is_some()
                || policy.details.value().to_string().contains("TargetTracking")
        })
    }
}
