use std::fmt;

use async_trait::async_trait;

use super::edit::{EditKind, position, position_by};
use super::{Edit, describe};
use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    Actions, ListenerKey, ListenerSettings, LoadBalancerName, RouteKey, RuleSettings, tag_key,
};
use crate::transaction::{Fields, Position, fields};

#[async_trait]
impl EditKind for Edit<RouteKey, Actions> {
    fn resource(&self) -> String {
        format!("route {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = cloud.routes(std::slice::from_ref(&self.of)).await?;
        Ok(found
            .get(&self.of)
            .map_or(Position::Drifted, |found| position(found, &self.before, &self.after)))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        cloud.set_route(&self.of, &self.after).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (describe::forward(&self.before), describe::forward(&self.after));
        write!(f, "route {}: {before} → {after}", self.of)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(fields(&cloud.routes(std::slice::from_ref(&self.of)).await?.get(&self.of)))
    }
}

#[async_trait]
impl EditKind for Edit<ListenerKey, Option<ListenerSettings>> {
    fn resource(&self) -> String {
        format!("listener {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = cloud.listener_settings(&self.of).await?;
        let is = |found: &ListenerSettings, wanted: &ListenerSettings| {
            found.protocol == wanted.protocol
                && found.actions == wanted.actions
                && found.tags.get(tag_key::RUN) == wanted.tags.get(tag_key::RUN)
        };
        Ok(position_by(found.as_ref(), self.before.as_ref(), self.after.as_ref(), is))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(settings) => cloud.create_listener(&self.of, settings).await,
            None => cloud.delete_listener(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.made().map_or_else(String::new, |made| describe::forward(&made.actions));
        let what = format_args!("idle listener {} for {to}", self.of);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(self.mentioned(cloud.listener_settings(&self.of).await?.as_ref()))
    }
}

#[async_trait]
impl EditKind for Edit<RouteKey, Option<RuleSettings>> {
    fn resource(&self) -> String {
        format!("test rule {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        if let Some(found) = cloud.rule_settings(&self.of).await? {
            let is = |found: &RuleSettings, wanted: &RuleSettings| {
                found.takes == wanted.takes
                    && found.actions == wanted.actions
                    && found.tags.get(tag_key::RUN) == wanted.tags.get(tag_key::RUN)
            };
            return Ok(position_by(Some(&found), self.before.as_ref(), self.after.as_ref(), is));
        }
        // Somebody else's rule has the priority, if there is one.
        let is_taken = !cloud.routes(std::slice::from_ref(&self.of)).await?.is_empty();
        Ok(match (&self.before, &self.after) {
            _ if is_taken => Position::Drifted,
            (_, None) => Position::After,
            (None, Some(_)) => Position::Before,
            (Some(_), Some(_)) => Position::Drifted,
        })
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(settings) => cloud.create_rule(&self.of, settings).await,
            None => cloud.delete_rule(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.made().map_or_else(String::new, |made| describe::forward(&made.actions));
        let what = format_args!("test rule {} for {to}", self.of);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(self.mentioned(cloud.rule_settings(&self.of).await?.as_ref()))
    }
}

#[async_trait]
impl EditKind for Edit<LoadBalancerName, bool> {
    fn resource(&self) -> String {
        format!("deletion protection of {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let found = cloud.load_balancers(std::slice::from_ref(&self.of)).await?;
        let found = found.first().ok_or_else(|| {
            CloudError::new(CloudErrorKind::NotFound, "looking at the load balancer", &self.of)
        })?;
        Ok(position(&found.deletion_protection, &self.before, &self.after))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        cloud.set_deletion_protection(&self.of, self.after).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.after { "on" } else { "off" };
        write!(f, "deletion protection of {}: {state}", self.of)
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let found = cloud.load_balancers(std::slice::from_ref(&self.of)).await?;
        Ok(fields(&found.first().map(|one| one.deletion_protection)))
    }
}
