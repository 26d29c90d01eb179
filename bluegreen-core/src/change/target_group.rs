use std::fmt;

use async_trait::async_trait;

use super::edit::{EditKind, position_by};
use super::{Edit, describe};
use crate::cloud::{Cloud, CloudError, ReadCloud};
use crate::model::{TargetGroupName, TargetGroupSettings, tag_key};
use crate::transaction::{Fields, Position};

#[async_trait]
impl EditKind for Edit<TargetGroupName, Option<TargetGroupSettings>> {
    fn resource(&self) -> String {
        format!("target group {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = cloud.target_group_settings(&self.of).await?;
        let is = |found: &TargetGroupSettings, wanted: &TargetGroupSettings| {
            is_of_same_run(found, wanted)
                && found.deregistration_delay == wanted.deregistration_delay
                && found.details.covers(&wanted.details)
        };
        let position = position_by(found.as_ref(), self.before.as_ref(), self.after.as_ref(), is);
        // Making one takes more than one call; the first gives it its tags.
        let is_half_made = position == Position::Drifted
            && found
                .as_ref()
                .zip(self.made())
                .is_some_and(|(found, wanted)| is_of_same_run(found, wanted));
        Ok(if is_half_made { Position::Partial } else { position })
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(settings) => cloud.create_target_group(&self.of, settings).await,
            None => cloud.delete_target_group(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = format_args!("target group {}", self.of);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(self.mentioned(cloud.target_group_settings(&self.of).await?.as_ref()))
    }
}

fn is_of_same_run(found: &TargetGroupSettings, wanted: &TargetGroupSettings) -> bool {
    found.port == wanted.port
        && found.protocol == wanted.protocol
        && wanted.tags.contains_key(tag_key::RUN)
        && found.tags.get(tag_key::RUN) == wanted.tags.get(tag_key::RUN)
}
