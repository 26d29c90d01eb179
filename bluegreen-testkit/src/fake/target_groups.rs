use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadTargetGroups, WriteTargetGroups};
use bluegreen_core::model::{
    Opaque, TargetGroup, TargetGroupName, TargetGroupSettings, TargetHealth,
};
use serde_json::Value;

use super::FakeCloud;
use super::piece::Piece;
use super::refusal::{busy, joined, not_found, rejected};
use super::state::State;
use super::validate;

/// What AWS gives a target group that nobody has told otherwise.
const DEFAULT_DELAY: Duration = Duration::from_mins(5);
const LONGEST_DELAY: Duration = Duration::from_hours(1);

#[async_trait]
impl ReadTargetGroups for FakeCloud {
    async fn target_groups(
        &self,
        names: &[TargetGroupName],
    ) -> Result<Vec<TargetGroup>, CloudError> {
        self.read("target_groups", joined(names), |state| {
            let found = state.world.target_groups.iter().filter(|(name, _)| names.contains(name));
            Ok(found.map(|(name, settings)| state.described(name, settings)).collect())
        })
        .await
    }

    async fn target_group_settings(
        &self,
        name: &TargetGroupName,
    ) -> Result<Option<TargetGroupSettings>, CloudError> {
        self.read("target_group_settings", name.to_string(), |state| {
            let found = state.world.target_groups.get(name).cloned();
            Ok(found.map(|settings| TargetGroupSettings {
                sticky: validate::is_sticky(&settings),
                ..settings
            }))
        })
        .await
    }

    async fn target_health(&self, name: &TargetGroupName) -> Result<Vec<TargetHealth>, CloudError> {
        self.read("target_health", name.to_string(), |state| {
            if !state.world.target_groups.contains_key(name) {
                return Err(not_found("target_health", name));
            }
            Ok(state.health(name))
        })
        .await
    }
}

#[async_trait]
impl WriteTargetGroups for FakeCloud {
    async fn create_target_group(
        &self,
        name: &TargetGroupName,
        settings: &TargetGroupSettings,
    ) -> Result<(), CloudError> {
        let (name, settings) = (name.clone(), settings.clone());
        let piece = Piece::TargetGroup(name.clone());
        self.write("create_target_group", piece, move |state| {
            state.create_target_group(name, settings)
        })
        .await
    }

    async fn delete_target_group(&self, name: &TargetGroupName) -> Result<(), CloudError> {
        let name = name.clone();
        let piece = Piece::TargetGroup(name.clone());
        self.write("delete_target_group", piece, move |state| state.delete_target_group(&name))
            .await
    }
}

impl State {
    /// Returns what load balancers think of the targets of a group.
    pub(super) fn health(&self, name: &TargetGroupName) -> Vec<TargetHealth> {
        let port = self.world.target_groups.get(name).map_or(0, |settings| settings.port);
        let targets = self.machinery.targets.get(name).into_iter().flatten();
        targets
            .map(|(id, target)| TargetHealth {
                target: id.clone(),
                port,
                state: target.state,
                reason: target.reason.map(str::to_owned),
            })
            .collect()
    }

    fn described(&self, name: &TargetGroupName, settings: &TargetGroupSettings) -> TargetGroup {
        let detail = |key: &str| settings.details.value()[key].as_str().map(str::to_owned);
        TargetGroup {
            name: name.clone(),
            port: settings.port,
            protocol: settings.protocol.clone(),
            protocol_version: detail("protocol_version"),
            target_type: detail("target_type").unwrap_or_else(|| "instance".to_owned()),
            load_balancers: self.world.references().remove(name).unwrap_or_default(),
        }
    }

    fn create_target_group(
        &mut self,
        name: TargetGroupName,
        mut settings: TargetGroupSettings,
    ) -> Result<(), CloudError> {
        // Told by its attributes.
        settings.sticky = false;
        let no = |why: &str| Err(rejected("create_target_group", &name, why));
        if !validate::is_target_group_name(name.as_str()) {
            return no("the name is not one that a target group can have");
        }
        if settings.port == 0 || settings.deregistration_delay > LONGEST_DELAY {
            return no("the port or the deregistration delay is out of range");
        }
        match self.world.target_groups.get(&name) {
            Some(found) if *found == settings => return Ok(()),
            Some(found) if self.half_made.contains(&name) && first_step(&settings) == *found => {}
            Some(_) => return no("one of the name has other settings or tags"),
            None => {}
        }
        let made = if self.breaking_off {
            self.half_made.insert(name.clone());
            first_step(&settings)
        } else {
            self.half_made.remove(&name);
            settings
        };
        self.world.target_groups.insert(name, made);
        Ok(())
    }

    fn delete_target_group(&mut self, name: &TargetGroupName) -> Result<(), CloudError> {
        let released = self.released.get(name).copied();
        let lingers = released.is_some_and(|at| self.now < at + self.timing.lingering_use);
        if self.world.references().contains_key(name) || lingers {
            return Err(busy("delete_target_group", name, "a listener or a rule uses it"));
        }
        self.half_made.remove(name);
        // Groups that still name it can launch nothing from now on.
        self.world.target_groups.remove(name);
        Ok(())
    }
}

/// Returns what a target group is before its attributes are set by a call of their own.
fn first_step(settings: &TargetGroupSettings) -> TargetGroupSettings {
    let mut first = settings.clone();
    first.deregistration_delay = DEFAULT_DELAY;
    first.details = match settings.details.value() {
        Value::Object(details) => {
            let created = details.iter().filter(|(key, _)| *key != "stickiness");
            Opaque::new(created.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        other => Opaque::new(other.clone()),
    };
    first
}
