//! Target groups and the health of their targets.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::{CloudError, CloudErrorKind, ReadTargetGroups, WriteTargetGroups};
use bluegreen_core::model::{
    ResourceKey, TargetGroup, TargetGroupName, TargetGroupSettings, TargetHealth,
};
use futures_util::future::try_join;
use tokio::time::sleep;

use crate::AwsCloud;
use crate::convert::target_group;
use crate::error::{incomplete, or_absent, partly, read_error, refused, write_error};
use crate::locate::{if_there, with_arn};

/// How long to wait between looks for what was just made.
const LAG: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

#[async_trait]
impl ReadTargetGroups for AwsCloud {
    async fn target_groups(
        &self,
        names: &[TargetGroupName],
    ) -> Result<Vec<TargetGroup>, CloudError> {
        let found = self.describe_target_groups(names).await?;
        let read = |one: &sdk::TargetGroup| {
            let name = one.target_group_name().unwrap_or_default();
            target_group::read(one).map_err(|error| refused("DescribeTargetGroups", name, error))
        };
        found.iter().map(read).collect()
    }

    async fn target_group_settings(
        &self,
        name: &TargetGroupName,
    ) -> Result<Option<TargetGroupSettings>, CloudError> {
        const OPERATION: &str = "DescribeTargetGroups";
        let found = self.describe_target_groups(std::slice::from_ref(name)).await?;
        let Some(group) = found.into_iter().next() else { return Ok(None) };
        let arn = group.target_group_arn();
        let arn = arn.ok_or_else(|| incomplete(OPERATION, name, "TargetGroupArn"))?;
        let key = ResourceKey::TargetGroup(name.clone());
        let both = try_join(self.describe_attributes(name, arn), self.describe_tags(&key, arn));
        // Gone since it was described.
        let Some((attributes, tags)) = if_there(both.await)? else { return Ok(None) };
        let settings = target_group::read_settings(&group, &attributes, tags);
        settings.map(Some).map_err(|error| refused(OPERATION, name, error))
    }

    async fn target_health(&self, name: &TargetGroupName) -> Result<Vec<TargetHealth>, CloudError> {
        const OPERATION: &str = "DescribeTargetHealth";
        let known = &self.names().target_groups;
        with_arn(
            known,
            name,
            OPERATION,
            || self.resolve_target_group(name),
            |arn| async move {
                let request = self.load_balancing_read().await.describe_target_health();
                let answer = request.target_group_arn(arn).send().await;
                let answer = answer.map_err(|error| read_error(OPERATION, name, error))?;
                let health =
                    answer.target_health_descriptions().iter().map(target_group::read_health);
                health.collect::<Result<_, _>>().map_err(|error| refused(OPERATION, name, error))
            },
        )
        .await
    }
}

#[async_trait]
impl WriteTargetGroups for AwsCloud {
    async fn create_target_group(
        &self,
        name: &TargetGroupName,
        settings: &TargetGroupSettings,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "CreateTargetGroup";
        // AWS adopts any group with the same settings, a stranger's too: tags tell whose it is.
        if let Some(found) = self.target_group_settings(name).await? {
            let same = target_group::same_but_attributes(&found, settings);
            if !same || found.tags != settings.tags {
                return Err(refused(OPERATION, name, "one with other settings or tags exists"));
            }
            let done = found.deregistration_delay == settings.deregistration_delay
                && found.details.covers(&settings.details);
            return if done { Ok(()) } else { self.set_attributes(name, settings).await };
        }
        let request = target_group::write(name, settings);
        let request = request.map_err(|error| refused(OPERATION, name, error))?;
        let answer = request.send_with(self.load_balancing_write().await).await;
        let answer = answer.map_err(|error| write_error(OPERATION, name, error))?;
        for group in answer.target_groups() {
            group.target_group_arn().and_then(|arn| self.names().learn_target_group(arn));
        }
        self.finish_target_group(name, settings).await.map_err(partly)
    }

    async fn delete_target_group(&self, name: &TargetGroupName) -> Result<(), CloudError> {
        const OPERATION: &str = "DeleteTargetGroup";
        let known = &self.names().target_groups;
        // AWS may take the deletion of a stale ARN for a success, while the name lives on.
        known.forget(name);
        let resolve = || self.resolve_target_group(name);
        let deleted = with_arn(known, name, OPERATION, resolve, |arn| async move {
            let request = self.load_balancing_write().await.delete_target_group();
            let answer = request.target_group_arn(arn).send().await;
            answer.map(drop).map_err(|error| write_error(OPERATION, name, error))
        });
        or_absent(deleted.await)?;
        known.forget(name);
        Ok(())
    }
}

impl AwsCloud {
    async fn describe_attributes(
        &self,
        name: &TargetGroupName,
        arn: &str,
    ) -> Result<Vec<sdk::TargetGroupAttribute>, CloudError> {
        let request = self.load_balancing_read().await.describe_target_group_attributes();
        let answer = request.target_group_arn(arn).send().await;
        let answer =
            answer.map_err(|error| read_error("DescribeTargetGroupAttributes", name, error))?;
        Ok(answer.attributes.unwrap_or_default())
    }

    /// Sets the attributes of a target group that was just made and that AWS may not find yet.
    ///
    /// <https://github.com/hashicorp/terraform-provider-aws/issues/20454>
    async fn finish_target_group(
        &self,
        name: &TargetGroupName,
        settings: &TargetGroupSettings,
    ) -> Result<(), CloudError> {
        for wait in LAG {
            match self.set_attributes(name, settings).await {
                Err(error) if error.kind() == CloudErrorKind::NotFound => sleep(wait).await,
                answer => return answer,
            }
        }
        self.set_attributes(name, settings).await
    }

    async fn set_attributes(
        &self,
        name: &TargetGroupName,
        settings: &TargetGroupSettings,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "ModifyTargetGroupAttributes";
        let attributes = target_group::write_attributes(settings);
        let attributes = &attributes.map_err(|error| refused(OPERATION, name, error))?;
        if attributes.is_empty() {
            return Ok(());
        }
        let known = &self.names().target_groups;
        with_arn(
            known,
            name,
            OPERATION,
            || self.resolve_target_group(name),
            |arn| async move {
                let request = self.load_balancing_write().await.modify_target_group_attributes();
                let request =
                    request.target_group_arn(arn).set_attributes(Some(attributes.clone()));
                let answer = request.send().await;
                answer.map(drop).map_err(|error| write_error(OPERATION, name, error))
            },
        )
        .await
    }
}
