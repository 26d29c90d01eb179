//! Tags of load balancers, listeners, target groups and scaling groups.

mod tagged;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_autoscaling::types::Tag as GroupTag;
use aws_sdk_elasticloadbalancingv2::types::{Tag, TagDescription};
use bluegreen_core::cloud::{CloudError, ReadTags, WriteTags};
use bluegreen_core::model::{ResourceKey, ScalingGroupName, Tags};

use crate::AwsCloud;
use crate::convert::group;
use crate::error::{partly, read_error, refused, write_error};
use crate::locate::{if_there, with_arn};

/// The most tags that one call writes to a scaling group.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html>
const GROUP_TAGS_PER_CALL: usize = 25;

#[async_trait]
impl ReadTags for AwsCloud {
    async fn tags(&self, resource: &ResourceKey) -> Result<Option<Tags>, CloudError> {
        if let ResourceKey::ScalingGroup(name) = resource {
            let found = self.describe_groups(std::slice::from_ref(name)).await?;
            let Some(found) = found.first() else { return Ok(None) };
            let found = group::read(found);
            let found = found.map_err(|error| refused("DescribeAutoScalingGroups", name, error))?;
            return Ok(Some(found.tags.into_iter().map(|(key, tag)| (key, tag.value)).collect()));
        }
        let found = self.on_resource(resource, "DescribeTags", |arn| async move {
            self.describe_tags(resource, &arn).await
        });
        if_there(found.await)
    }

    async fn tagged(&self, key: &str) -> Result<Vec<(ResourceKey, Tags)>, CloudError> {
        tagged::read(self, key).await
    }
}

#[async_trait]
impl WriteTags for AwsCloud {
    async fn set_tags(
        &self,
        resource: &ResourceKey,
        tags: &BTreeMap<String, Option<String>>,
    ) -> Result<(), CloudError> {
        let set: Vec<(&str, &str)> = tags
            .iter()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)))
            .collect();
        let removed: Vec<&str> =
            tags.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key.as_str()).collect();
        if let ResourceKey::ScalingGroup(name) = resource {
            self.set_group_tags(name, &set).await?;
            let rest = self.remove_group_tags(name, &removed).await;
            return if set.is_empty() { rest } else { rest.map_err(partly) };
        }
        if !set.is_empty() {
            let tags: &Vec<Tag> = &set
                .iter()
                .map(|(key, value)| Tag::builder().key(*key).value(*value).build())
                .collect();
            self.on_resource(resource, "AddTags", |arn| async move {
                let request = self.load_balancing_write().await.add_tags().resource_arns(arn);
                let answer = request.set_tags(Some(tags.clone())).send().await;
                answer.map(drop).map_err(|error| write_error("AddTags", resource, error))
            })
            .await?;
        }
        if !removed.is_empty() {
            let keys: &Vec<String> = &removed.iter().map(ToString::to_string).collect();
            self.on_resource(resource, "RemoveTags", |arn| async move {
                let request = self.load_balancing_write().await.remove_tags().resource_arns(arn);
                let answer = request.set_tag_keys(Some(keys.clone())).send().await;
                answer.map(drop).map_err(|error| write_error("RemoveTags", resource, error))
            })
            .await
            .map_err(|error| if set.is_empty() { error } else { partly(error) })?;
        }
        Ok(())
    }
}

impl AwsCloud {
    /// Describes the tags of a resource of Elastic Load Balancing.
    pub(crate) async fn describe_tags(
        &self,
        resource: &(impl ToString + Sync),
        arn: &str,
    ) -> Result<Tags, CloudError> {
        let request = self.load_balancing_read().await.describe_tags();
        let answer = request.resource_arns(arn).send().await;
        let answer =
            answer.map_err(|error| read_error("DescribeTags", resource.to_string(), error))?;
        Ok(answer.tag_descriptions().iter().flat_map(read_tags).collect())
    }

    /// Runs a call on the ARN of a resource of Elastic Load Balancing.
    async fn on_resource<T, F>(
        &self,
        resource: &ResourceKey,
        operation: &'static str,
        call: impl Fn(String) -> F + Send + Sync,
    ) -> Result<T, CloudError>
    where
        T: Send,
        F: Future<Output = Result<T, CloudError>> + Send,
    {
        let names = self.names();
        match resource {
            ResourceKey::LoadBalancer(name) => {
                let resolve = || self.resolve_load_balancer(name);
                with_arn(&names.load_balancers, name, operation, resolve, call).await
            }
            ResourceKey::Listener(key) => {
                let resolve = || self.resolve_listener(key);
                with_arn(&names.listeners, key, operation, resolve, call).await
            }
            ResourceKey::TargetGroup(name) => {
                let resolve = || self.resolve_target_group(name);
                with_arn(&names.target_groups, name, operation, resolve, call).await
            }
            other => Err(refused(operation, other, "resources of this kind have no ARN here")),
        }
    }

    async fn set_group_tags(
        &self,
        name: &ScalingGroupName,
        tags: &[(&str, &str)],
    ) -> Result<(), CloudError> {
        for chunk in tags.chunks(GROUP_TAGS_PER_CALL) {
            let tags = chunk.iter().map(|(key, value)| {
                // Machines do not get it: they would outlive what it says.
                group_tag(name, key).value(*value).propagate_at_launch(false).build()
            });
            let request = self.scaling().await.create_or_update_tags();
            let answer = request.set_tags(Some(tags.collect())).send().await;
            answer.map_err(|error| write_error("CreateOrUpdateTags", name, error))?;
        }
        Ok(())
    }

    async fn remove_group_tags(
        &self,
        name: &ScalingGroupName,
        keys: &[&str],
    ) -> Result<(), CloudError> {
        for chunk in keys.chunks(GROUP_TAGS_PER_CALL) {
            let tags = chunk.iter().map(|key| group_tag(name, key).build());
            let request = self.scaling().await.delete_tags();
            let answer = request.set_tags(Some(tags.collect())).send().await;
            answer.map_err(|error| write_error("DeleteTags", name, error))?;
        }
        Ok(())
    }
}

/// Reads the tags of one resource of Elastic Load Balancing.
fn read_tags(found: &TagDescription) -> Tags {
    // A tag may have an empty value.
    let value = |tag: &Tag| tag.value().unwrap_or_default().to_owned();
    found.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), value(tag)))).collect()
}

fn group_tag(
    name: &ScalingGroupName,
    key: &str,
) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    GroupTag::builder().resource_id(name.as_str()).resource_type("auto-scaling-group").key(key)
}
