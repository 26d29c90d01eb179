use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::Edit;
use super::edit::{EditKind, position_by};
use super::scaling_group::read;
use crate::cloud::{Cloud, CloudError, ReadCloud};
use crate::model::{Hold, ResourceKey, ScalingGroupName, tag_key};
use crate::transaction::{Fields, Position, fields};

#[async_trait]
impl EditKind for Edit<ScalingGroupName, Option<Hold>> {
    fn resource(&self) -> String {
        format!("hold of {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = self.found(cloud).await?;
        // Whoever holds it holds it: a later run is as good as this one, but nobody else is.
        let is = |found: &Hold, wanted: &Hold| {
            found == wanted || (found.kept == wanted.kept && is_of_a_run(found))
        };
        Ok(position_by(found.as_ref(), self.before.as_ref(), self.after.as_ref(), is))
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
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(fields(&self.found(cloud).await?))
    }
}

impl Edit<ScalingGroupName, Option<Hold>> {
    async fn found(&self, cloud: &dyn ReadCloud) -> Result<Option<Hold>, CloudError> {
        Ok(read(cloud, &self.of).await?.and_then(|group| group.hold()))
    }
}

/// Returns whether a hold carries the name of a run, and not of something else.
fn is_of_a_run(hold: &Hold) -> bool {
    let name = hold.run.as_str();
    name.len() == 26 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
