//! What a control plane needs of the fake without waiting: the same rules as behind the traits.

use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{
    FittingKey, InstanceId, LaunchTemplateName, Opaque, Policy, PolicyKey, ScalingGroupName,
    ScalingGroupSettings,
};

use super::FakeCloud;
use super::machines::Phase;
use super::piece::Piece;
use super::state::State;
use super::world::{ScalingGroupState, VersionState};

/// A scaling group as reads show it.
#[derive(Clone, Debug)]
pub(crate) struct VisibleGroup {
    pub(crate) name: ScalingGroupName,
    pub(crate) state: ScalingGroupState,
    /// Whether it is being deleted.
    pub(crate) dying: bool,
}

impl FakeCloud {
    /// Makes a scaling group.
    pub(crate) fn create_group(
        &self,
        name: &ScalingGroupName,
        settings: ScalingGroupSettings,
    ) -> Result<(), CloudError> {
        let (piece, name) = (Piece::ScalingGroup(name.clone()), name.clone());
        self.order("create_scaling_group", &piece, move |state| {
            state.create_scaling_group(&name, settings)
        })
    }

    /// Deletes a scaling group that has no machines.
    pub(crate) fn delete_group(&self, name: &ScalingGroupName) -> Result<(), CloudError> {
        let (piece, name) = (Piece::ScalingGroup(name.clone()), name.clone());
        self.order("delete_scaling_group", &piece, move |state| state.delete_scaling_group(&name))
    }

    /// Deletes a scaling group and its machines, which do not drain.
    pub(crate) fn raze_group(&self, name: &ScalingGroupName) -> Result<(), CloudError> {
        let (piece, name) = (Piece::ScalingGroup(name.clone()), name.clone());
        self.order("delete_scaling_group", &piece, move |state| {
            state.group_to_change("delete_scaling_group", &name)?;
            let until = state.now + state.timing.termination;
            let machinery = &mut state.machinery;
            let of_group = |group: &Option<ScalingGroupName>| group.as_ref() == Some(&name);
            for machine in machinery.machines.values_mut().filter(|one| of_group(&one.group)) {
                machine.phase = Phase::Terminating { until };
                for targets in machinery.targets.values_mut() {
                    targets.remove(&machine.id);
                }
            }
            state.bury_scaling_group(&name);
            if let Some(dying) = state.dying.get_mut(&name) {
                dying.until = dying.until.max(until);
            }
            Ok(())
        })
    }

    /// Returns the scaling groups as reads show them, those that are being deleted too.
    pub(crate) fn visible_groups(&self) -> Vec<VisibleGroup> {
        self.present().look(|state| {
            let living = state.world.scaling_groups.iter();
            let living = living.map(|(name, state)| (name, state, false));
            let dying = state.dying.iter().map(|(name, dying)| (name, &dying.group, true));
            let dying = dying.filter(|(name, ..)| !state.world.scaling_groups.contains_key(*name));
            let mut all: Vec<_> = living
                .chain(dying)
                .map(|(name, state, dying)| VisibleGroup {
                    name: name.clone(),
                    state: state.clone(),
                    dying,
                })
                .collect();
            all.sort_by(|one, other| one.name.cmp(&other.name));
            all
        })
    }

    /// Returns whether a group is being deleted.
    pub(crate) fn is_dying(&self, name: &ScalingGroupName) -> bool {
        self.present().dying.contains_key(name)
    }

    /// Returns the state of the instance refresh that is under way in a group, if one is.
    pub(crate) fn refresh_of(&self, name: &ScalingGroupName) -> Option<String> {
        self.present().refreshes.get(name).cloned()
    }

    /// Terminates a machine of a group, which wants one machine less from now on.
    pub(crate) fn discharge(&self, instance: &InstanceId) {
        let mut state = self.present();
        let state = &mut *state;
        let group = state.machinery.machines.get(instance).and_then(|one| one.group.clone());
        state.machinery.terminate(&state.world, instance, &state.timing, state.now);
        state.edit(|world| {
            if let Some(group) = group.and_then(|name| world.scaling_groups.get_mut(&name)) {
                group.capacity.desired = group.capacity.desired.saturating_sub(1);
            }
        });
    }

    /// Adds a version to a launch template; `None` if there is no such template.
    pub(crate) fn add_version(
        &self,
        template: &LaunchTemplateName,
        version: VersionState,
    ) -> Option<u64> {
        let mut number = None;
        let mut state = self.present();
        let before = state.world.clone();
        if let Some(added) = state.add_template_version(template, version) {
            number = Some(added);
            let world = std::mem::replace(&mut state.world, before);
            state.replace(world);
        }
        number
    }

    /// Deletes a launch template with its versions; the next of the name counts from 1.
    pub(crate) fn delete_template(&self, template: &LaunchTemplateName) {
        let mut state = self.present();
        let mut world = state.world.clone();
        world.templates.remove(template);
        state.replace(world);
        state.burned.remove(template);
    }

    /// Makes or replaces a scaling policy.
    pub(crate) fn place_policy(&self, key: &PolicyKey, policy: Policy) -> Result<(), CloudError> {
        let (piece, key) = (Piece::Policy(key.clone()), key.clone());
        self.order("put_policy", &piece, move |state| {
            // What a clone could not carry may yet be put by hand.
            let uncarried = policy.uncarried.clone();
            state.put_policy(&key, Policy { uncarried: None, ..policy })?;
            let group = state.world.scaling_groups.get_mut(&key.group);
            if let Some(placed) = group.and_then(|group| group.policies.get_mut(&key.policy)) {
                placed.uncarried = uncarried;
            }
            Ok(())
        })
    }

    /// Deletes a scaling policy, and takes it out of the alarms that set it off.
    pub(crate) fn remove_policy(&self, key: &PolicyKey) -> Result<(), CloudError> {
        let (piece, key) = (Piece::Policy(key.clone()), key.clone());
        self.order("delete_policy", &piece, move |state| {
            state.group_to_change("delete_policy", &key.group)?.policies.remove(&key.policy);
            state.forget_policies(&key.group, &[key.policy].into(), false);
            Ok(())
        })
    }

    /// Fits a scaling group with something, or takes it away.
    pub(crate) fn set_fitting_now(
        &self,
        key: &FittingKey,
        value: Option<Opaque>,
    ) -> Result<(), CloudError> {
        let (piece, key) = (Piece::Fitting(key.clone()), key.clone());
        let method = if value.is_some() { "put_fitting" } else { "remove_fitting" };
        self.order(method, &piece, move |state| state.set_fitting(method, &key, value))
    }

    fn order(
        &self,
        method: &str,
        piece: &Piece,
        edit: impl FnOnce(&mut State) -> Result<(), CloudError> + Send + 'static,
    ) -> Result<(), CloudError> {
        self.present().change(&format!("{method} {piece}"), piece, Box::new(edit))
    }
}
