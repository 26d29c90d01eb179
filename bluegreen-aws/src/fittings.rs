//! What scaling groups are fitted with: who hears of them, what is measured, warm pools, protection
//! from deletion.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{Fitting, FittingKey, Opaque, ScalingGroupName};
use serde_json::Value;

use crate::AwsCloud;
use crate::error::{partly, read_error, refused, write_error};
use crate::page::Pages;
use crate::query::Form;
use crate::retry;

/// How a group is called that nobody protects.
const UNPROTECTED: &str = "none";

impl AwsCloud {
    /// Fits a group with something, in the place of what there was.
    pub(crate) async fn fit(&self, key: &FittingKey, value: &Opaque) -> Result<(), CloudError> {
        let name = key.group.as_str();
        match &key.fitting {
            Fitting::Notifications(topic) => {
                let request = self.scaling().await.put_notification_configuration();
                let request = request.auto_scaling_group_name(name).topic_arn(topic);
                let kinds = texts(value.value()).map(str::to_owned).collect();
                let answer = request.set_notification_types(Some(kinds)).send().await;
                answer
                    .map(drop)
                    .map_err(|error| write_error("PutNotificationConfiguration", key, error))
            }
            Fitting::Metrics => self.collect_metrics(key, value.value()).await,
            Fitting::WarmPool => {
                let form = Form::new("PutWarmPool").with("AutoScalingGroupName", name);
                let members = value.value().as_object().into_iter().flatten();
                let form = members.fold(form, |form, (name, value)| form.with_tree(name, value));
                let answer = self.scaling_forms().send(form).await;
                answer.map_err(|error| write_error("PutWarmPool", key, error))
            }
            Fitting::DeletionProtection => {
                let kind = value.value().as_str().unwrap_or(UNPROTECTED);
                self.protect(key, kind).await
            }
            other => Err(refused("fitting a group", key, format!("{other} is not known"))),
        }
    }

    /// Takes away what a group is fitted with.
    pub(crate) async fn unfit(&self, key: &FittingKey) -> Result<(), CloudError> {
        let name = key.group.as_str();
        match &key.fitting {
            Fitting::Notifications(topic) => {
                let request = self.scaling().await.delete_notification_configuration();
                let request = request.auto_scaling_group_name(name).topic_arn(topic);
                let answer = request.send().await;
                answer
                    .map(drop)
                    .map_err(|error| write_error("DeleteNotificationConfiguration", key, error))
            }
            Fitting::Metrics => self.stop_metrics(key, None).await,
            Fitting::WarmPool => {
                if !self.has_warm_pool(&key.group).await? {
                    return Ok(());
                }
                // Never by force: its machines are ended as those of the group are.
                let request = self.scaling().await.delete_warm_pool();
                let request = request.auto_scaling_group_name(name).force_delete(false);
                let answer = request.send().await;
                answer.map(drop).map_err(|error| write_error("DeleteWarmPool", key, error))
            }
            Fitting::DeletionProtection => self.protect(key, UNPROTECTED).await,
            other => Err(refused("fitting a group", key, format!("{other} is not known"))),
        }
    }

    async fn has_warm_pool(&self, group: &ScalingGroupName) -> Result<bool, CloudError> {
        let found = self.describe_groups(std::slice::from_ref(group)).await?;
        Ok(found.first().is_some_and(|one| one.group.warm_pool_configuration().is_some()))
    }

    async fn protect(&self, key: &FittingKey, kind: &str) -> Result<(), CloudError> {
        const OPERATION: &str = "UpdateAutoScalingGroup";
        let request = self.scaling().await.update_auto_scaling_group();
        let request = request.auto_scaling_group_name(key.group.as_str());
        let answer = request.deletion_protection(kind.into()).send().await;
        answer.map(drop).map_err(|error| write_error(OPERATION, key, error))
    }

    /// Collects exactly the metrics that are named: AWS adds them to those that it collects.
    async fn collect_metrics(&self, key: &FittingKey, value: &Value) -> Result<(), CloudError> {
        const OPERATION: &str = "EnableMetricsCollection";
        let wanted: BTreeSet<&str> = texts(&value["metrics"]).collect();
        let found = self.describe_groups(std::slice::from_ref(&key.group)).await?;
        let found = found.first().map(|one| one.group.enabled_metrics()).unwrap_or_default();
        let found: BTreeSet<String> =
            found.iter().filter_map(sdk::EnabledMetric::metric).map(str::to_owned).collect();
        let unwanted: Vec<String> =
            found.into_iter().filter(|one| !wanted.contains(one.as_str())).collect();
        let both = !unwanted.is_empty();
        if both {
            self.stop_metrics(key, Some(unwanted)).await?;
        }
        let request = self.scaling().await.enable_metrics_collection();
        let request = request.auto_scaling_group_name(key.group.as_str());
        let request = request.granularity(value["granularity"].as_str().unwrap_or("1Minute"));
        let metrics = wanted.into_iter().map(str::to_owned).collect();
        let answer = request.set_metrics(Some(metrics)).send().await;
        let answer = answer.map(drop).map_err(|error| write_error(OPERATION, key, error));
        answer.map_err(|error| if both { partly(error) } else { error })
    }

    /// Collects metrics no more: those that are named, or all.
    async fn stop_metrics(
        &self,
        key: &FittingKey,
        metrics: Option<Vec<String>>,
    ) -> Result<(), CloudError> {
        let request = self.scaling().await.disable_metrics_collection();
        let request = request.auto_scaling_group_name(key.group.as_str());
        let answer = request.set_metrics(metrics).send().await;
        answer.map(drop).map_err(|error| write_error("DisableMetricsCollection", key, error))
    }

    /// Describes who hears of a group.
    pub(crate) async fn describe_notifications(
        &self,
        name: &ScalingGroupName,
    ) -> Result<Vec<sdk::NotificationConfiguration>, CloudError> {
        const OPERATION: &str = "DescribeNotificationConfigurations";
        let (mut found, mut guard, mut token) = (Vec::new(), Pages::new(), None);
        loop {
            let request = self.scaling().await.describe_notification_configurations();
            let request = request.auto_scaling_group_names(name.as_str());
            let request = request.set_next_token(token);
            let answer = if self.foreign_endpoint() {
                request.customize().config_override(retry::never()).send().await
            } else {
                request.send().await
            };
            let page = match answer {
                Ok(page) => page,
                Err(error) if self.is_not_offered(OPERATION, &error) => return Ok(Vec::new()),
                Err(error) => return Err(read_error(OPERATION, name, error)),
            };
            found.extend(page.notification_configurations.unwrap_or_default());
            let Some(next) = page.next_token.filter(|next| !next.is_empty()) else {
                return Ok(found);
            };
            guard.turn(&next).map_err(|error| refused(OPERATION, name, error))?;
            token = Some(next);
        }
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
