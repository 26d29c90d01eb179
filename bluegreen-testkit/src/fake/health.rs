//! What load balancers think of their targets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluegreen_core::model::{HealthState, ImageId, InstanceId, LoadBalancerName, TargetGroupName};

use super::machines::{Machine, Machinery, Phase};
use super::timing::Timing;
use super::world::World;

/// A machine that is registered in a target group.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) state: HealthState,
    pub(super) reason: Option<&'static str>,
    /// When the state changes by itself, and to what.
    due: Option<(Duration, HealthState)>,
    drained: Option<Duration>,
    /// How many checks in a row went the other way.
    against: u32,
}

/// How many checks in a row change what is thought of a target; a new one needs one to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Of a sick target that must pass.
    pub healthy: u32,
    /// Of a target that must fail.
    pub unhealthy: u32,
}

impl Target {
    /// Registers a machine; nobody knows yet whether it is well.
    pub(super) fn new() -> Self {
        Self { state: HealthState::Unused, reason: None, due: None, drained: None, against: 0 }
    }

    /// Returns when the target moves on by itself.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.drained.or(self.due.map(|(at, _)| at))
    }

    /// Moves on if it is time; `false` if the target is gone.
    pub(super) fn tick(&mut self, now: Duration) -> bool {
        if let Some((at, state)) = self.due
            && at <= now
        {
            (self.state, self.reason, self.due) = (state, reason(state), None);
        }
        self.drained.is_none_or(|until| now < until)
    }

    /// Comes to a good end at once, unless a bad one is due.
    pub(super) fn settle(&mut self) {
        if let Some((_, state)) = self.due.take() {
            (self.state, self.reason) = (state, reason(state));
        }
    }

    /// Begins to drain, if it has not begun yet; returns when it is done.
    pub(super) fn drain(&mut self, world: &World, of: &TargetGroupName, now: Duration) -> Duration {
        let delay =
            world.target_groups.get(of).map_or(Duration::ZERO, |one| one.deregistration_delay);
        (self.state, self.reason) = (HealthState::Draining, reason(HealthState::Draining));
        self.due = None;
        *self.drained.get_or_insert(now + delay)
    }

    /// Returns whether it was let go of and only its connections come to an end.
    #[cfg(feature = "playground")]
    pub(super) fn is_leaving(&self) -> bool {
        self.drained.is_some()
    }

    /// Forgets what was to come, so that it is worked out again.
    pub(super) fn forget_due(&mut self) {
        self.due = None;
    }

    /// Takes a check that was really made into account.
    #[cfg(feature = "playground")]
    pub(super) fn checked(&mut self, passed: bool, thresholds: Thresholds) {
        let (agrees, needed, next) = match self.state {
            HealthState::Initial if passed => (false, 1, HealthState::Healthy),
            HealthState::Initial => (false, thresholds.unhealthy, HealthState::Unhealthy),
            HealthState::Healthy => (passed, thresholds.unhealthy, HealthState::Unhealthy),
            HealthState::Unhealthy => (!passed, thresholds.healthy, HealthState::Healthy),
            _ => return,
        };
        self.against = if agrees { 0 } else { self.against + 1 };
        if self.against >= needed {
            (self.state, self.reason, self.against) = (next, reason(next), 0);
        }
    }

    /// Waits for checks that somebody else makes.
    fn await_checks(&mut self) {
        if self.state == HealthState::Unused {
            (self.state, self.reason) = (HealthState::Initial, reason(HealthState::Initial));
            self.against = 0;
        }
    }

    fn leave_unused(&mut self, reason: &'static str) {
        (self.state, self.reason, self.due) = (HealthState::Unused, Some(reason), None);
    }

    /// Works out what the checks will find.
    fn look_ahead(&mut self, patient: &Patient, timing: &Timing, now: Duration) {
        if self.state == HealthState::Unused {
            // What was known about it was forgotten.
            (self.state, self.reason) = (HealthState::Initial, reason(HealthState::Initial));
        }
        if self.due.is_some() {
            return;
        }
        let failing = timing.check_interval * timing.unhealthy_threshold;
        let first = now.max(patient.well_from);
        self.due = match self.state {
            HealthState::Initial if patient.is_well_at(first + timing.check_interval) => {
                Some((first + timing.check_interval, HealthState::Healthy))
            }
            HealthState::Initial => Some((first + failing, HealthState::Unhealthy)),
            HealthState::Healthy => {
                patient.sick_from.map(|sick| (now.max(sick) + failing, HealthState::Unhealthy))
            }
            HealthState::Unhealthy if patient.is_well_at(now) => {
                let passing = timing.check_interval * timing.healthy_threshold;
                Some((now + passing, HealthState::Healthy))
            }
            _ => None,
        };
    }
}

/// When the application of a machine answers.
pub(super) struct Patient {
    well_from: Duration,
    sick_from: Option<Duration>,
}

impl Patient {
    fn of(machine: &Machine, broken_images: &BTreeMap<ImageId, Duration>) -> Self {
        let lasts =
            if machine.broken { Some(&Duration::ZERO) } else { broken_images.get(&machine.image) };
        let well_from = machine.answers_from;
        Self { well_from, sick_from: lasts.map(|lasts| well_from + *lasts) }
    }

    fn is_well_at(&self, at: Duration) -> bool {
        self.well_from <= at && self.sick_from.is_none_or(|sick| at < sick)
    }
}

impl Machinery {
    /// Brings the checks up to date with the routes and the machines.
    pub(super) fn recheck(&mut self, world: &World, timing: &Timing, now: Duration) {
        let references = world.references();
        for (name, targets) in &mut self.targets {
            for (id, target) in targets {
                if target.drained.is_some() {
                    continue;
                }
                let machine = self.machines.get(id).filter(|machine| !machine.stopped);
                match machine {
                    _ if !is_referenced(&references, name) => {
                        target.leave_unused("Target.NotInUse");
                    }
                    None => target.leave_unused("Target.InvalidState"),
                    Some(_) if self.driven => target.await_checks(),
                    Some(machine) => {
                        let patient = Patient::of(machine, &self.broken_images);
                        target.look_ahead(&patient, timing, now);
                    }
                }
            }
        }
    }

    /// Returns how many targets of a group pass their checks.
    pub(super) fn healthy(&self, of: &TargetGroupName) -> usize {
        let targets = self.targets.get(of).into_iter().flat_map(BTreeMap::values);
        targets.filter(|target| target.state == HealthState::Healthy).count()
    }

    /// Returns how many targets of a group would answer, whatever the checks say.
    pub(super) fn answering(&self, of: &TargetGroupName, now: Duration) -> usize {
        let targets = self.targets.get(of).into_iter().flatten();
        targets.filter(|(id, target)| target.drained.is_none() && self.answers(id, now)).count()
    }

    fn answers(&self, id: &InstanceId, now: Duration) -> bool {
        self.machines.get(id).is_some_and(|machine| {
            machine.phase == Phase::InService
                && !machine.stopped
                && Patient::of(machine, &self.broken_images).is_well_at(now)
        })
    }

    /// Works out anew what every check will find.
    pub(super) fn forget_checks(&mut self) {
        for target in self.targets.values_mut().flat_map(BTreeMap::values_mut) {
            target.forget_due();
        }
    }
}

fn is_referenced(
    references: &BTreeMap<TargetGroupName, BTreeSet<LoadBalancerName>>,
    name: &TargetGroupName,
) -> bool {
    references.contains_key(name)
}

fn reason(state: HealthState) -> Option<&'static str> {
    match state {
        HealthState::Initial => Some("Elb.InitialHealthChecking"),
        HealthState::Unhealthy => Some("Target.FailedHealthChecks"),
        HealthState::Draining => Some("Target.DeregistrationInProgress"),
        HealthState::Healthy | HealthState::Unused | HealthState::Unavailable => None,
    }
}
