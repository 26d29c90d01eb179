use std::fmt;

use async_trait::async_trait;

use super::edit::{EditKind, position_by};
use super::{Edit, describe};
use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{Fitting, FittingKey, Opaque};
use crate::transaction::{Fields, Position};

#[async_trait]
impl EditKind for Edit<FittingKey, Option<Opaque>> {
    fn resource(&self) -> String {
        self.of.to_string()
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = self.found(cloud).await?;
        let is = |found: &Opaque, wanted: &Opaque| found.covers(wanted);
        Ok(position_by(found.as_ref(), self.before.as_ref(), self.after.as_ref(), is))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(value) => cloud.put_fitting(&self.of, value).await,
            None => cloud.remove_fitting(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = format_args!("{}", self.of);
        match (&self.of.fitting, &self.before, &self.after) {
            (Fitting::DeletionProtection, None, Some(_)) => {
                write!(f, "protect {} from deletion", self.of.group)
            }
            (Fitting::DeletionProtection, Some(_), None) => {
                write!(f, "lift the protection of {} from deletion", self.of.group)
            }
            (_, before, after) => describe::presence(f, before.as_ref(), after.as_ref(), what),
        }
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(self.mentioned(self.found(cloud).await?.as_ref()))
    }
}

impl Edit<FittingKey, Option<Opaque>> {
    async fn found(&self, cloud: &dyn ReadCloud) -> Result<Option<Opaque>, CloudError> {
        match cloud.fittings(&self.of.group).await {
            Ok(mut all) => Ok(all.remove(&self.of.fitting)),
            // A group that is not there is fitted with nothing.
            Err(error) if error.kind() == CloudErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
