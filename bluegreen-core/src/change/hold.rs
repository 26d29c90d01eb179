use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::Edit;
use super::edit::{self, EditKind, position_by};
use super::scaling_group::read;
use crate::cloud::{Cloud, CloudError, ReadCloud};
use crate::model::{Hold, ResourceKey, ScalingGroupName, tag_key};
use crate::transaction::{Fields, Position};

#[async_trait]
impl EditKind for Edit<ScalingGroupName, Option<Hold>> {
    fn resource(&self) -> String {
        format!("hold of {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = self.found(cloud).await?;
        // Whoever holds it holds it: a later run is as good as this one.
        Ok(position_by(found.as_ref(), self.before.as_ref(), self.after.as_ref(), |_, _| true))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        let text = self.after.as_ref().map(ToString::to_string);
        let tags = BTreeMap::from([(tag_key::HOLD.to_owned(), text)]);
        cloud.set_tags(&ResourceKey::ScalingGroup(self.of.clone()), &tags).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            Some(hold) => write!(f, "note on {} that run {} holds it", self.of, hold.run),
            None => write!(f, "note on {} that nobody holds it", self.of),
        }
    }

    fn values(&self) -> (Fields, Fields) {
        (edit::presence(self.before.is_some()), edit::presence(self.after.is_some()))
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(edit::presence(self.found(cloud).await?.is_some()))
    }
}

impl Edit<ScalingGroupName, Option<Hold>> {
    async fn found(&self, cloud: &dyn ReadCloud) -> Result<Option<Hold>, CloudError> {
        Ok(read(cloud, &self.of).await?.and_then(|group| group.hold()))
    }
}
