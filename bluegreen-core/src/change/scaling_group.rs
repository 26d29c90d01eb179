use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;

use super::edit::{EditKind, position, position_by};
use super::{Edit, describe};
use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    Capacity, LaunchSource, Process, ScalingGroup, ScalingGroupName, ScalingGroupSettings,
    TargetGroupName, tag_key,
};
use crate::transaction::{Fields, Position, fields};

/// Reads one group; one that is being deleted is busy and will be gone.
pub(super) async fn read(
    cloud: &dyn ReadCloud,
    name: &ScalingGroupName,
) -> Result<Option<ScalingGroup>, CloudError> {
    let found = cloud.scaling_groups(std::slice::from_ref(name)).await?.into_iter().next();
    match found {
        Some(group) if group.deleting => {
            Err(CloudError::new(CloudErrorKind::Busy, "looking at the scaling group", name)
                .with_source("it is still being deleted"))
        }
        found => Ok(found),
    }
}

#[async_trait]
impl EditKind for Edit<ScalingGroupName, Option<ScalingGroupSettings>> {
    fn resource(&self) -> String {
        format!("scaling group {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = read(cloud, &self.of).await?;
        // Its sizes and processes are changes of their own.
        let is = |found: &ScalingGroup, wanted: &ScalingGroupSettings| {
            let run = wanted.tags.get(tag_key::RUN).map(|tag| tag.value.as_str());
            run.is_some()
                && found.tag(tag_key::RUN) == run
                && found.launch.covers(&wanted.launch)
                && found.target_groups == wanted.target_groups
        };
        Ok(position_by(found.as_ref(), self.before.as_ref(), self.after.as_ref(), is))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(settings) => cloud.create_scaling_group(&self.of, settings).await,
            None => cloud.delete_scaling_group(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.made().map_or(Capacity::ZERO, |made| made.capacity);
        let what = format_args!("scaling group {} of size {}", self.of, size.desired);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)?;
        match &self.after {
            Some(after) if !after.unknown.is_empty() => {
                write!(f, ", without {}", after.unknown.join(", "))
            }
            _ => Ok(()),
        }
    }

    fn values(&self) -> (Fields, Fields) {
        let of = |settings: &Option<ScalingGroupSettings>| {
            settings.as_ref().map_or_else(Fields::new, |settings| {
                let run = settings.tags.get(tag_key::RUN).map(|tag| tag.value.as_str());
                identifying(&settings.launch, &settings.target_groups, run)
            })
        };
        (of(&self.before), of(&self.after))
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(read(cloud, &self.of).await?.map_or_else(Fields::new, |found| {
            identifying(&found.launch, &found.target_groups, found.tag(tag_key::RUN))
        }))
    }
}

/// Writes what tells one scaling group from another: the rest of it is changes of their own.
fn identifying(
    launch: &LaunchSource,
    target_groups: &BTreeSet<TargetGroupName>,
    run: Option<&str>,
) -> Fields {
    let names: Vec<&str> = target_groups.iter().map(TargetGroupName::as_str).collect();
    Fields::from([
        ("launch".to_owned(), launch.to_string()),
        ("target groups".to_owned(), names.join(", ")),
        ("made by run".to_owned(), run.unwrap_or("none").to_owned()),
    ])
}

#[async_trait]
impl EditKind for Edit<ScalingGroupName, Capacity> {
    fn resource(&self) -> String {
        format!("capacity of {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let Some(group) = read(cloud, &self.of).await? else { return Ok(Position::Drifted) };
        Ok(self.position(group.capacity))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        let mut capacity = self.after;
        if let Some(ScalingGroup { capacity: found, .. }) = read(cloud, &self.of).await? {
            if self.position(found) == Position::Drifted {
                return Err(CloudError::new(
                    CloudErrorKind::Rejected,
                    "setting the size",
                    &self.of,
                )
                .with_source("somebody changed it meanwhile"));
            }
            // Scaling policies move the size within its bounds, and what they chose is not ours to
            // take back. A group whose bounds the change itself moves has none to choose from.
            if self.was_moved_by_scaling(found) {
                capacity.desired = found.desired.max(capacity.min).min(capacity.max);
            }
        }
        cloud.set_capacity(&self.of, capacity).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size of {}: {} → {}", self.of, self.before, self.after)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(fields(&read(cloud, &self.of).await?.map(|group| group.capacity)))
    }
}

impl Edit<ScalingGroupName, Capacity> {
    /// Bounds decide; the size counts only where both have the same bounds.
    fn position(&self, found: Capacity) -> Position {
        let bounds = |capacity: Capacity| (capacity.min, capacity.max);
        match position(&found, &self.before, &self.after) {
            Position::Drifted if bounds(self.before) == bounds(self.after) => Position::Drifted,
            Position::Drifted => {
                position(&bounds(found), &bounds(self.before), &bounds(self.after))
            }
            position => position,
        }
    }

    fn was_moved_by_scaling(&self, found: Capacity) -> bool {
        found != self.before
            && found != self.after
            && (found.min, found.max) == (self.before.min, self.before.max)
    }
}

#[async_trait]
impl EditKind for Edit<ScalingGroupName, BTreeMap<Process, bool>> {
    fn resource(&self) -> String {
        format!("processes of {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        Ok(position(&self.found(cloud).await?, &self.before, &self.after))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        cloud.set_suspended(&self.of, &self.after).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |wanted: bool| {
            let moved = self.after.iter().filter(|(process, suspended)| {
                **suspended == wanted && self.before.get(process) != Some(suspended)
            });
            moved.map(|(process, _)| process.to_string()).collect::<Vec<_>>().join(" and ")
        };
        let (suspended, resumed) = (names(true), names(false));
        match (suspended.is_empty(), resumed.is_empty()) {
            (true, _) => write!(f, "resume {resumed} of {}", self.of),
            (_, true) => write!(f, "suspend {suspended} of {}", self.of),
            _ => write!(f, "suspend {suspended} and resume {resumed} of {}", self.of),
        }
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(fields(&self.found(cloud).await?))
    }
}

impl Edit<ScalingGroupName, BTreeMap<Process, bool>> {
    async fn found(&self, cloud: &dyn ReadCloud) -> Result<BTreeMap<Process, bool>, CloudError> {
        // A group that is not there has nothing suspended.
        let suspended = read(cloud, &self.of).await?.map(|group| group.suspended);
        let is_suspended =
            |process: &Process| suspended.as_ref().is_some_and(|all| all.contains(process));
        Ok(self.after.keys().map(|process| (*process, is_suspended(process))).collect())
    }
}
