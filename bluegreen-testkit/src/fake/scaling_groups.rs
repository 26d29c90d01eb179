use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadScalingGroups, WriteScalingGroups};
use bluegreen_core::model::{
    Capacity, Fitting, FittingKey, LaunchSource, Opaque, Process, ScalingGroup, ScalingGroupName,
    ScalingGroupSettings, TemplateVersion,
};

use super::FakeCloud;
use super::machines::Machine;
use super::piece::Piece;
use super::refusal::{busy, denied, joined, not_found, rejected};
use super::state::{Dying, State};
use super::world::ScalingGroupState;

/// The most topics that hear of a group.
const MOST_TOPICS: usize = 10;

#[async_trait]
impl ReadScalingGroups for FakeCloud {
    async fn scaling_groups(
        &self,
        names: &[ScalingGroupName],
    ) -> Result<Vec<ScalingGroup>, CloudError> {
        self.read("scaling_groups", joined(names), |state| {
            Ok(names
                .iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .filter_map(|name| state.scaling_group(name))
                .collect())
        })
        .await
    }

    async fn scaling_group_settings(
        &self,
        name: &ScalingGroupName,
    ) -> Result<Option<ScalingGroupSettings>, CloudError> {
        self.read("scaling_group_settings", name.to_string(), |state| {
            let dying = state.dying.get(name).map(|dying| &dying.group);
            Ok(state.world.scaling_groups.get(name).or(dying).map(settings))
        })
        .await
    }

    async fn fittings(
        &self,
        name: &ScalingGroupName,
    ) -> Result<BTreeMap<Fitting, Opaque>, CloudError> {
        self.read("fittings", name.to_string(), |state| {
            let found = state.world.scaling_groups.get(name);
            Ok(found.map(|group| group.fittings.clone()).unwrap_or_default())
        })
        .await
    }

    async fn instance_refresh(
        &self,
        name: &ScalingGroupName,
    ) -> Result<Option<String>, CloudError> {
        self.read("instance_refresh", name.to_string(), |state| {
            Ok(state.refreshes.get(name).cloned())
        })
        .await
    }
}

#[async_trait]
impl WriteScalingGroups for FakeCloud {
    async fn put_fitting(&self, key: &FittingKey, value: &Opaque) -> Result<(), CloudError> {
        let (key, value) = (key.clone(), value.clone());
        self.write("put_fitting", Piece::Fitting(key.clone()), move |state| {
            state.set_fitting("put_fitting", &key, Some(value))
        })
        .await
    }

    async fn remove_fitting(&self, key: &FittingKey) -> Result<(), CloudError> {
        let key = key.clone();
        self.write("remove_fitting", Piece::Fitting(key.clone()), move |state| {
            state.set_fitting("remove_fitting", &key, None)
        })
        .await
    }

    async fn create_scaling_group(
        &self,
        name: &ScalingGroupName,
        settings: &ScalingGroupSettings,
    ) -> Result<(), CloudError> {
        let (name, settings) = (name.clone(), settings.clone());
        let piece = Piece::ScalingGroup(name.clone());
        self.write("create_scaling_group", piece, move |state| {
            state.create_scaling_group(&name, settings)
        })
        .await
    }

    async fn delete_scaling_group(&self, name: &ScalingGroupName) -> Result<(), CloudError> {
        let name = name.clone();
        let piece = Piece::ScalingGroup(name.clone());
        self.write("delete_scaling_group", piece, move |state| state.delete_scaling_group(&name))
            .await
    }

    async fn set_capacity(
        &self,
        name: &ScalingGroupName,
        capacity: Capacity,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "set_capacity";
        let name = name.clone();
        self.write(METHOD, Piece::Capacity(name.clone()), move |state| {
            let group = state.group_to_change(METHOD, &name)?;
            check_capacity(METHOD, &name, capacity)?;
            group.capacity = capacity;
            Ok(())
        })
        .await
    }

    async fn set_launch(
        &self,
        name: &ScalingGroupName,
        launch: &LaunchSource,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "set_launch";
        let (name, launch) = (name.clone(), launch.clone());
        self.write(METHOD, Piece::Launch(name.clone()), move |state| {
            state.group_to_change(METHOD, &name)?;
            state.check_launch(METHOD, &launch)?;
            state.group_to_change(METHOD, &name)?.launch = launch;
            Ok(())
        })
        .await
    }

    async fn set_suspended(
        &self,
        name: &ScalingGroupName,
        processes: &BTreeMap<Process, bool>,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "set_suspended";
        let (name, processes) = (name.clone(), processes.clone());
        self.write(METHOD, Piece::Processes(name.clone()), move |state| {
            let group = state.group_to_change(METHOD, &name)?;
            for (process, suspended) in processes {
                if suspended {
                    group.suspended.insert(process);
                } else {
                    group.suspended.remove(&process);
                }
            }
            Ok(())
        })
        .await
    }
}

impl State {
    pub(super) fn set_fitting(
        &mut self,
        method: &str,
        key: &FittingKey,
        value: Option<Opaque>,
    ) -> Result<(), CloudError> {
        if value.is_none() && !self.world.scaling_groups.contains_key(&key.group) {
            return Ok(());
        }
        if self.refreshes.contains_key(&key.group)
            && value.is_some()
            && key.fitting == Fitting::WarmPool
        {
            return Err(rejected(method, key, "an instance refresh is under way"));
        }
        let group = self.group_to_change(method, &key.group)?;
        let topics = |group: &ScalingGroupState| {
            let topic = |one: &&Fitting| matches!(one, Fitting::Notifications(_));
            group.fittings.keys().filter(topic).count()
        };
        let is_new = !group.fittings.contains_key(&key.fitting);
        match (&key.fitting, &value) {
            (Fitting::Notifications(_), Some(_)) if is_new && topics(group) >= MOST_TOPICS => {
                return Err(rejected(method, key, "10 topics at most hear of a group"));
            }
            (Fitting::DeletionProtection, Some(kind)) if protection(kind).is_none() => {
                return Err(rejected(method, key, "there is no such protection"));
            }
            _ => {}
        }
        match value {
            Some(value) => drop(group.fittings.insert(key.fitting.clone(), value)),
            None => drop(group.fittings.remove(&key.fitting)),
        }
        Ok(())
    }

    /// Returns a group for a change that is not its deletion.
    pub(super) fn group_to_change(
        &mut self,
        method: &str,
        name: &ScalingGroupName,
    ) -> Result<&mut ScalingGroupState, CloudError> {
        if self.dying.contains_key(name) {
            return Err(busy(method, name, "it is being deleted"));
        }
        let group = self.world.scaling_groups.get_mut(name);
        let group = group.ok_or_else(|| not_found(method, name))?;
        match &group.operator {
            Some(operator) => Err(denied(method, name, &format!("{operator} manages it"))),
            None => Ok(group),
        }
    }

    fn scaling_group(&self, name: &ScalingGroupName) -> Option<ScalingGroup> {
        let dying = self.dying.get(name).map(|dying| &dying.group);
        let group = self.world.scaling_groups.get(name).or(dying)?;
        let instances = self.machinery.of_group(name).into_iter();
        Some(ScalingGroup {
            name: name.clone(),
            account: self.account.clone(),
            capacity: group.capacity,
            launch: group.launch.clone(),
            instances: instances.map(Machine::as_instance).collect(),
            target_groups: group.target_groups.clone(),
            suspended: group.suspended.clone(),
            tags: group.tags.clone(),
            deleting: !self.world.scaling_groups.contains_key(name),
            operator: group.operator.clone(),
        })
    }

    pub(super) fn create_scaling_group(
        &mut self,
        name: &ScalingGroupName,
        settings: ScalingGroupSettings,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "create_scaling_group";
        let no = |why: &str| Err(rejected(METHOD, name, why));
        if self.dying.contains_key(name) {
            return Err(busy(METHOD, name, "one of the name is being deleted"));
        }
        if self.world.scaling_groups.contains_key(name) {
            return no("one of the name exists");
        }
        if !is_group_name(name.as_str()) {
            return no("the name is not one that a scaling group can have");
        }
        if !settings.uncarried.is_empty() {
            return no("the settings have something that cannot be carried");
        }
        if settings.tags.keys().any(|key| key.starts_with("aws:")) {
            return no("a tag is reserved");
        }
        check_capacity(METHOD, name, settings.capacity)?;
        self.check_launch(METHOD, &settings.launch)?;
        let known = |target_group| self.world.target_groups.contains_key(target_group);
        if let Some(unknown) = settings.target_groups.iter().find(|name| !known(*name)) {
            return Err(not_found(METHOD, unknown));
        }
        self.world.scaling_groups.insert(name.clone(), settings.into());
        Ok(())
    }

    pub(super) fn delete_scaling_group(
        &mut self,
        name: &ScalingGroupName,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "delete_scaling_group";
        if !self.world.scaling_groups.contains_key(name) {
            return Ok(());
        }
        let group = self.group_to_change(METHOD, name)?;
        if group.fittings.get(&Fitting::DeletionProtection).and_then(protection) == Some(true) {
            return Err(rejected(METHOD, name, "it is protected from deletion"));
        }
        if !self.machinery.of_group(name).is_empty() {
            return Err(busy(METHOD, name, "it has instances or activities"));
        }
        self.bury_scaling_group(name);
        Ok(())
    }

    /// Deletes a group that may be deleted; it stays visible for a while.
    pub(super) fn bury_scaling_group(&mut self, name: &ScalingGroupName) {
        if let Some(mut group) = self.world.scaling_groups.remove(name) {
            let policies: BTreeSet<_> = std::mem::take(&mut group.policies).into_keys().collect();
            self.forget_policies(name, &policies, true);
            group.capacity = Capacity::ZERO;
            let until = self.now + self.timing.group_deletion;
            self.dying.insert(name.clone(), Dying { until, group });
        }
    }

    fn check_launch(&self, method: &str, launch: &LaunchSource) -> Result<(), CloudError> {
        let marked = matches!(launch.template(), Some((_, TemplateVersion::Marked(_))));
        if marked || self.world.launch_data(launch).is_none() {
            return Err(rejected(method, launch, "no group can launch from it"));
        }
        Ok(())
    }
}

/// Returns whether a protection refuses every deletion, not only forced ones; `None` if there is
/// no such protection.
pub(super) fn protection(kind: &Opaque) -> Option<bool> {
    match kind.value().as_str()? {
        "prevent-all-deletion" => Some(true),
        "prevent-force-deletion" => Some(false),
        _ => None,
    }
}

fn check_capacity(
    method: &str,
    name: &ScalingGroupName,
    capacity: Capacity,
) -> Result<(), CloudError> {
    let Capacity { min, desired, max } = capacity;
    if min <= desired && desired <= max {
        return Ok(());
    }
    Err(rejected(method, name, "the desired size must lie between the least and the most"))
}

fn is_group_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.chars().all(|one| one.is_ascii_graphic() && one != ':')
}

fn settings(group: &ScalingGroupState) -> ScalingGroupSettings {
    let unreserved = group.tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
    ScalingGroupSettings {
        launch: group.launch.clone(),
        capacity: group.capacity,
        target_groups: group.target_groups.clone(),
        tags: unreserved.map(|(key, tag)| (key.clone(), tag.clone())).collect(),
        details: group.details.clone(),
        uncarried: group.uncarried.clone(),
        unknown: group.unknown.clone(),
    }
}
