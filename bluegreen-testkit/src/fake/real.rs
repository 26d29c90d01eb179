//! The fake on real time: its machines are real servers, and somebody else makes the checks.

use std::time::Duration;

use bluegreen_core::model::{ImageId, InstanceId, ScalingGroupName, TargetGroupName, TargetHealth};

use super::FakeCloud;
use super::health::{Target, Thresholds};
use super::machines::Phase;
use super::world::World;

/// A machine as the playground must run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) id: InstanceId,
    /// The group that launched it; nobody's if it was registered by hand.
    pub(crate) group: Option<ScalingGroupName>,
    pub(crate) image: ImageId,
    /// When it was launched, counted from the start of the cloud.
    pub(crate) launched: Duration,
    pub(crate) phase: MachinePhase,
    /// Whether somebody stopped it behind its group's back.
    pub(crate) stopped: bool,
}

/// Where a machine stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MachinePhase {
    Pending,
    InService,
    Terminating,
}

impl FakeCloud {
    /// Leaves the checks of targets to whoever reports them.
    pub(crate) fn drive(&self) {
        self.present().machinery.driven = true;
    }

    /// Looks at the configuration as reads show it, which may lag.
    pub(crate) fn glimpse<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.present().look(|state| look(&state.world))
    }

    /// Changes the configuration, whole or not at all; the machines follow.
    pub(crate) fn amend<T, E>(
        &self,
        amend: impl FnOnce(&mut World) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.present();
        let mut world = state.world.clone();
        let result = amend(&mut world)?;
        if world != state.world {
            state.replace(world);
        }
        Ok(result)
    }

    /// Lets reads show only after that time what has changed since the world was like that.
    pub(crate) fn lag(&self, before: World, hidden: Duration) {
        self.present().hide_changes_since(before, hidden);
    }

    /// Returns every machine, oldest first.
    pub(crate) fn machines(&self) -> Vec<Machine> {
        let state = self.present();
        let mut machines: Vec<Machine> = state
            .machinery
            .machines
            .values()
            .map(|machine| Machine {
                id: machine.id.clone(),
                group: machine.group.clone(),
                image: machine.image.clone(),
                launched: machine.launched,
                phase: match machine.phase {
                    Phase::Pending { .. } => MachinePhase::Pending,
                    Phase::InService => MachinePhase::InService,
                    Phase::Terminating { .. } => MachinePhase::Terminating,
                },
                stopped: machine.stopped,
            })
            .collect();
        machines.sort_by(|one, other| (one.launched, &one.id).cmp(&(other.launched, &other.id)));
        machines
    }

    /// Takes a check that was made of a target into account.
    pub(crate) fn report_check(
        &self,
        target_group: &TargetGroupName,
        instance: &InstanceId,
        passed: bool,
        thresholds: Thresholds,
    ) {
        let mut state = self.present();
        let targets = state.machinery.targets.get_mut(target_group);
        if let Some(target) = targets.and_then(|targets| targets.get_mut(instance)) {
            target.checked(passed, thresholds);
            state.follow("a check");
        }
    }

    /// Terminates a machine; it drains first, and its group launches another one if it wants one.
    pub(crate) fn terminate(&self, instance: &InstanceId) {
        let mut state = self.present();
        let state = &mut *state;
        if !state.machinery.machines.contains_key(instance) {
            return;
        }
        state.machinery.terminate(&state.world, instance, &state.timing, state.now);
        state.follow("a machine is terminated");
    }

    /// Registers a machine in a target group by hand.
    pub(crate) fn register(&self, target_group: &TargetGroupName, instance: &InstanceId) {
        let mut state = self.present();
        let targets = state.machinery.targets.entry(target_group.clone()).or_default();
        let target = targets.entry(instance.clone()).or_insert_with(Target::new);
        if target.is_leaving() {
            // Whoever is registered while it drains begins anew.
            *target = Target::new();
        }
        state.follow("a target is registered");
    }

    /// Begins to let go of a target; it drains first.
    pub(crate) fn deregister(&self, target_group: &TargetGroupName, instance: &InstanceId) {
        let mut state = self.present();
        let state = &mut *state;
        let targets = state.machinery.targets.get_mut(target_group);
        if let Some(target) = targets.and_then(|targets| targets.get_mut(instance)) {
            target.drain(&state.world, target_group, state.now);
        }
        state.follow("a target is deregistered");
    }

    /// Returns whether a target group counts as used: some route names it, or one did just now.
    pub(crate) fn uses(&self, target_group: &TargetGroupName) -> bool {
        let state = self.present();
        let released = state.released.get(target_group).copied();
        let lingers = released.is_some_and(|at| state.now < at + state.timing.lingering_use);
        lingers || state.world.references().contains_key(target_group)
    }

    /// Returns what load balancers think of every target.
    pub(crate) fn all_health(&self) -> Vec<(TargetGroupName, Vec<TargetHealth>)> {
        let state = self.present();
        let names = state.world.target_groups.keys();
        names.map(|name| (name.clone(), state.health(name))).collect()
    }
}
