use std::fmt;

use async_trait::async_trait;

use super::edit::{EditKind, position_by};
use super::{Edit, describe};
use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{Alarm, AlarmName, Policy, PolicyKey, ScalingGroupName, Schedule, ScheduleName};
use crate::transaction::{Fields, Position};

#[async_trait]
impl EditKind for Edit<PolicyKey, Option<Policy>> {
    fn resource(&self) -> String {
        format!("scaling policy {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let all = none_without_group(cloud.policies(&self.of.group).await)?;
        let found = all.iter().find(|policy| policy.name == self.of.policy);
        let is = |found: &Policy, wanted: &Policy| {
            found.counts_requests_of == wanted.counts_requests_of
                && found.details.covers(&wanted.details)
        };
        Ok(position_by(found, self.before.as_ref(), self.after.as_ref(), is))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(policy) => cloud.put_policy(&self.of.group, policy).await,
            None => cloud.delete_policy(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = format_args!("scaling policy {}", self.of);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let all = none_without_group(cloud.policies(&self.of.group).await)?;
        Ok(self.mentioned(all.iter().find(|policy| policy.name == self.of.policy)))
    }
}

#[async_trait]
impl EditKind for Edit<(ScalingGroupName, ScheduleName), Option<Schedule>> {
    fn resource(&self) -> String {
        format!("scheduled action {}/{}", self.of.0, self.of.1)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let all = none_without_group(cloud.schedules(&self.of.0).await)?;
        let found = all.iter().find(|schedule| schedule.name == self.of.1);
        let is = |found: &Schedule, wanted: &Schedule| found.details.covers(&wanted.details);
        Ok(position_by(found, self.before.as_ref(), self.after.as_ref(), is))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(schedule) => cloud.put_schedule(&self.of.0, schedule).await,
            None => cloud.delete_schedule(&self.of.0, &self.of.1).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = format_args!("scheduled action {}/{}", self.of.0, self.of.1);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let all = none_without_group(cloud.schedules(&self.of.0).await)?;
        Ok(self.mentioned(all.iter().find(|schedule| schedule.name == self.of.1)))
    }
}

/// A group that is not there has no policies and no schedules.
fn none_without_group<T>(found: Result<Vec<T>, CloudError>) -> Result<Vec<T>, CloudError> {
    match found {
        Err(error) if error.kind() == CloudErrorKind::NotFound => Ok(Vec::new()),
        found => found,
    }
}

#[async_trait]
impl EditKind for Edit<AlarmName, Option<Alarm>> {
    fn resource(&self) -> String {
        format!("alarm {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = cloud.alarms(std::slice::from_ref(&self.of)).await?;
        let is = |found: &Alarm, wanted: &Alarm| {
            found.dimensions == wanted.dimensions
                && found.sets_off == wanted.sets_off
                && found.details.covers(&wanted.details)
        };
        Ok(position_by(found.first(), self.before.as_ref(), self.after.as_ref(), is))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(alarm) => cloud.put_alarm(alarm).await,
            None => cloud.delete_alarm(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = format_args!("alarm {}", self.of);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(self.mentioned(cloud.alarms(std::slice::from_ref(&self.of)).await?.first()))
    }
}
