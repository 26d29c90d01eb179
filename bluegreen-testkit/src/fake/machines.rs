//! The machines of scaling groups: launched, put in service, terminated.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluegreen_core::model::{
    HealthState, ImageId, Instance, InstanceId, Lifecycle, Process, ScalingGroupName,
    TargetGroupName,
};

use super::health::Target;
use super::timestamp;
use super::timing::Timing;
use super::world::World;

/// A machine.
#[expect(clippy::struct_excessive_bools, reason = "each can be so without the others")]
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) id: InstanceId,
    /// The group that launched it; nobody's if it was registered by hand.
    pub(super) group: Option<ScalingGroupName>,
    pub(super) image: ImageId,
    pub(super) launched: Duration,
    /// When its application answers for the first time.
    pub(super) answers_from: Duration,
    pub(super) phase: Phase,
    /// Whether somebody stopped it behind its group's back.
    pub(super) stopped: bool,
    /// Whether its application was broken by hand.
    pub(super) broken: bool,
    /// Whether its group does not register it: it came into service while that was suspended.
    pub(super) kept_out: bool,
    /// Whether it stays when its group shrinks.
    pub(super) protected: bool,
}

/// Where a machine stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending { until: Duration },
    InService,
    Terminating { until: Duration },
}

/// Everything that moves by itself: the machines and what load balancers think of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Machinery {
    pub(super) machines: BTreeMap<InstanceId, Machine>,
    pub(super) targets: BTreeMap<TargetGroupName, BTreeMap<InstanceId, Target>>,
    /// Images whose application breaks after it has answered for so long.
    pub(super) broken_images: BTreeMap<ImageId, Duration>,
    /// Groups that get no requests although a policy follows them, and since when.
    pub(super) quiet_since: BTreeMap<ScalingGroupName, Duration>,
    /// Whether somebody else makes the checks and reports them.
    pub(super) driven: bool,
    launched: u32,
}

impl Machine {
    fn is_wanted(&self) -> bool {
        !matches!(self.phase, Phase::Terminating { .. })
    }

    /// Returns the machine as its group shows it.
    pub(super) fn as_instance(&self) -> Instance {
        Instance {
            id: self.id.clone(),
            lifecycle: match self.phase {
                Phase::Pending { .. } => Lifecycle::Pending,
                Phase::InService => Lifecycle::InService,
                Phase::Terminating { .. } => Lifecycle::Terminating,
            },
            healthy: !self.stopped,
            protected: self.protected,
            launched: Some(timestamp(self.launched)),
        }
    }
}

impl Machinery {
    /// Returns the machines of a group, oldest first.
    pub(super) fn of_group(&self, group: &ScalingGroupName) -> Vec<&Machine> {
        let mut machines: Vec<_> =
            self.machines.values().filter(|one| one.group.as_ref() == Some(group)).collect();
        machines.sort_by(|a, b| (a.launched, &a.id).cmp(&(b.launched, &b.id)));
        machines
    }

    /// Brings every group to its size and every machine into its target groups.
    pub(super) fn reconcile(&mut self, world: &World, timing: &Timing, now: Duration) {
        for group in world.scaling_groups.keys() {
            self.launch_missing(world, group, timing, now);
        }
        for id in self.surplus(world) {
            self.terminate(world, &id, timing, now);
        }
        self.register(world);
        self.deregister(world, now);
        self.recheck(world, timing, now);
    }

    /// Makes everything that is under way come to its good end at once.
    pub(super) fn settle(&mut self, world: &World, timing: &Timing, now: Duration) {
        self.reconcile(world, timing, now);
        for machine in self.machines.values_mut().filter(|one| one.is_wanted()) {
            machine.phase = Phase::InService;
            machine.answers_from = now;
        }
        self.reconcile(world, timing, now);
        for target in self.targets.values_mut().flat_map(BTreeMap::values_mut) {
            if target.state == HealthState::Initial {
                target.settle();
            }
        }
        self.recheck(world, timing, now);
    }

    /// Registers a running machine of no group.
    pub(super) fn register_stray(
        &mut self,
        target_group: &TargetGroupName,
        instance: &InstanceId,
        now: Duration,
    ) {
        self.machines.entry(instance.clone()).or_insert_with(|| Machine {
            id: instance.clone(),
            group: None,
            image: ImageId::new("ami-stray"),
            launched: now,
            answers_from: now,
            phase: Phase::InService,
            stopped: false,
            broken: false,
            kept_out: false,
            protected: false,
        });
        let targets = self.targets.entry(target_group.clone()).or_default();
        targets.entry(instance.clone()).or_insert_with(Target::new);
    }

    /// Returns when the next machine moves on by itself.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let phases = self.machines.values().filter_map(|machine| match machine.phase {
            Phase::Pending { until } | Phase::Terminating { until } => Some(until),
            Phase::InService => None,
        });
        let targets = self.targets.values().flat_map(BTreeMap::values).filter_map(Target::next_due);
        phases.chain(targets).min()
    }

    /// Moves on whatever is due.
    pub(super) fn tick(&mut self, world: &World, now: Duration) {
        for machine in self.machines.values_mut() {
            if matches!(machine.phase, Phase::Pending { until } if until <= now) {
                let process = Process::AddToLoadBalancer;
                let group = machine.group.as_ref();
                machine.kept_out = group.is_some_and(|group| holds(world, group, process));
                machine.phase = Phase::InService;
            }
        }
        self.machines.retain(
            |_, machine| !matches!(machine.phase, Phase::Terminating { until } if until <= now),
        );
        for targets in self.targets.values_mut() {
            targets.retain(|_, target| target.tick(now));
        }
    }

    fn launch_missing(
        &mut self,
        world: &World,
        group: &ScalingGroupName,
        timing: &Timing,
        now: Duration,
    ) {
        let state = &world.scaling_groups[group];
        if holds(world, group, Process::Launch) {
            return;
        }
        let Some(image) = launchable(world, group) else { return };
        let wanted = state.capacity.desired as usize;
        let have = self.of_group(group).iter().filter(|one| one.is_wanted()).count();
        for _ in have..wanted {
            self.launched += 1;
            let id = InstanceId::new(format!("i-{:04}", self.launched));
            let machine = Machine {
                id: id.clone(),
                group: Some(group.clone()),
                image: image.clone(),
                launched: now,
                answers_from: now + timing.boot,
                phase: Phase::Pending { until: now + timing.pending },
                stopped: false,
                broken: false,
                kept_out: false,
                protected: false,
            };
            self.machines.insert(id, machine);
        }
    }

    /// Returns the machines that their groups no longer want, the oldest of each group first.
    fn surplus(&self, world: &World) -> Vec<InstanceId> {
        let groups: BTreeSet<_> =
            self.machines.values().filter_map(|one| one.group.as_ref()).collect();
        let mut surplus = vec![];
        for group in groups.into_iter().filter(|group| !holds(world, group, Process::Terminate)) {
            let wanted = world.scaling_groups.get(group).map_or(0, |one| one.capacity.desired);
            let machines = self.of_group(group).into_iter().filter(|one| one.is_wanted());
            let have = machines.clone().count();
            let ids = machines.filter(|one| !one.protected).map(|one| one.id.clone());
            surplus.extend(ids.take(have.saturating_sub(wanted as usize)));
        }
        surplus
    }

    /// Begins to terminate a machine: it drains before it goes.
    pub(super) fn terminate(
        &mut self,
        world: &World,
        id: &InstanceId,
        timing: &Timing,
        now: Duration,
    ) {
        let mut drained = now;
        for (target_group, targets) in &mut self.targets {
            if let Some(target) = targets.get_mut(id) {
                drained = drained.max(target.drain(world, target_group, now));
            }
        }
        if let Some(machine) = self.machines.get_mut(id) {
            machine.phase = Phase::Terminating { until: drained + timing.termination };
        }
    }

    /// Registers the machines in service in the target groups of their groups.
    fn register(&mut self, world: &World) {
        let ready = |one: &&Machine| one.phase == Phase::InService && !one.kept_out;
        for machine in self.machines.values().filter(ready) {
            let group = machine.group.as_ref().and_then(|group| world.scaling_groups.get(group));
            let names = group.into_iter().flat_map(|group| &group.target_groups);
            for name in names.filter(|name| world.target_groups.contains_key(*name)) {
                let targets = self.targets.entry(name.clone()).or_default();
                targets.entry(machine.id.clone()).or_insert_with(Target::new);
            }
        }
    }

    /// Lets go of the machines whose group has let go of a target group.
    fn deregister(&mut self, world: &World, now: Duration) {
        self.targets.retain(|name, _| world.target_groups.contains_key(name));
        for (name, targets) in &mut self.targets {
            for (id, target) in targets {
                let group = self.machines.get(id).and_then(|machine| machine.group.as_ref());
                let group = group.and_then(|group| world.scaling_groups.get(group));
                if group.is_some_and(|group| !group.target_groups.contains(name)) {
                    target.drain(world, name, now);
                }
            }
        }
    }
}

/// Returns whether a process of a group is suspended; a group that is deleted holds nothing.
fn holds(world: &World, group: &ScalingGroupName, process: Process) -> bool {
    world.scaling_groups.get(group).is_some_and(|group| group.suspended.contains(&process))
}

/// Returns the image that a group would launch; `None` if a launch would fail.
fn launchable(world: &World, group: &ScalingGroupName) -> Option<ImageId> {
    let group = world.scaling_groups.get(group)?;
    let data = world.launch_data(&group.launch)?;
    // A target group that is gone blocks every launch of the groups that name it.
    let registrable = group.target_groups.iter().all(|name| world.target_groups.contains_key(name));
    (registrable && world.images.contains(&data.image)).then(|| data.image.clone())
}
