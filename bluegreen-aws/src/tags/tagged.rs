//! Lists what carries a tag, in few calls however much there is.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::operation::describe_auto_scaling_groups::DescribeAutoScalingGroupsOutput;
use aws_sdk_autoscaling::types::Filter;
use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{ResourceKey, ScalingGroupName, Tags};
use futures_util::future::{try_join, try_join_all};

use super::read_tags;
use crate::AwsCloud;
use crate::budget::Call;
use crate::convert::group;
use crate::error::{incomplete, read_error};
use crate::locate::if_there;
use crate::page;

/// The most resources whose tags one call describes; their types may be mixed.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>
const RESOURCES_PER_CALL: usize = 20;

type Found = BTreeMap<ResourceKey, Tags>;
/// A resource of Elastic Load Balancing, with its ARN.
type Named = (ResourceKey, String);

/// Lists every listener, target group and scaling group that carries a tag of this key.
///
/// Elastic Load Balancing cannot be asked by tag: whatever there is of it is described, and then
/// its tags, twenty resources at a time. Listeners are described one load balancer at a time, for
/// want of another way.
pub(super) async fn read(
    cloud: &AwsCloud,
    key: &str,
) -> Result<Vec<(ResourceKey, Tags)>, CloudError> {
    let (mut found, groups) =
        try_join(tagged_of_load_balancing(cloud), tagged_groups(cloud, key)).await?;
    found.extend(groups);
    found.retain(|_, tags| tags.contains_key(key));
    Ok(found.into_iter().collect())
}

async fn tagged_of_load_balancing(cloud: &AwsCloud) -> Result<Found, CloudError> {
    let (mut all, target_groups) = try_join(listeners(cloud), target_groups(cloud)).await?;
    all.extend(target_groups);
    let looks = all.chunks(RESOURCES_PER_CALL).map(|chunk| tags_of(cloud, chunk));
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

async fn listeners(cloud: &AwsCloud) -> Result<Vec<Named>, CloudError> {
    let balancers = cloud.load_balancers_exactly(None).await?;
    let names = balancers.iter().filter_map(|one| {
        one.load_balancer_arn().and_then(|arn| cloud.names().learn_load_balancer(arn))
    });
    // One that went away meanwhile has none.
    let looks = names.map(|name| async move { if_there(cloud.describe_listeners(&name).await) });
    let found = try_join_all(looks).await?.into_iter().flatten().flatten();
    found
        .map(|(key, listener)| {
            let arn = listener
                .listener_arn
                .ok_or_else(|| incomplete("DescribeListeners", &key, "ListenerArn"))?;
            Ok((ResourceKey::Listener(key), arn))
        })
        .collect()
}

async fn target_groups(cloud: &AwsCloud) -> Result<Vec<Named>, CloudError> {
    let groups = cloud.target_groups_exactly(None).await?;
    let named = groups.into_iter().filter_map(|one| {
        let arn = one.target_group_arn?;
        Some((ResourceKey::TargetGroup(cloud.names().learn_target_group(&arn)?), arn))
    });
    Ok(named.collect())
}

/// Describes the tags of up to twenty resources; those that are gone are left out.
async fn tags_of(cloud: &AwsCloud, resources: &[Named]) -> Result<Found, CloudError> {
    match if_there(tags_of_exactly(cloud, resources).await)? {
        Some(found) => Ok(found),
        // One that is missing fails the call for all.
        None if resources.len() > 1 => {
            let each = resources
                .chunks(1)
                .map(|one| async move { if_there(tags_of_exactly(cloud, one).await) });
            Ok(try_join_all(each).await?.into_iter().flatten().flatten().collect())
        }
        None => Ok(Found::new()),
    }
}

async fn tags_of_exactly(cloud: &AwsCloud, resources: &[Named]) -> Result<Found, CloudError> {
    let arns = resources.iter().map(|(_, arn)| arn.clone()).collect();
    let request = cloud.load_balancing_read().await.describe_tags();
    let answer = request.set_resource_arns(Some(arns)).send().await;
    let answer = answer.map_err(|error| read_error("DescribeTags", &resources[0].0, error))?;
    let descriptions = answer.tag_descriptions().iter();
    let found = descriptions.filter_map(|found| {
        let (key, _) = resources.iter().find(|(_, arn)| found.resource_arn() == Some(arn))?;
        Some((key.clone(), read_tags(found)))
    });
    Ok(found.collect())
}

async fn tagged_groups(cloud: &AwsCloud, key: &str) -> Result<Found, CloudError> {
    let filter = Filter::builder().name("tag-key").values(key).build();
    let request = cloud.scaling().await.describe_auto_scaling_groups().filters(filter);
    // Without its machines, of which there may be many.
    let stream = request.include_instances(false).into_paginator().send();
    let paying = cloud.paying(Call::Scaling);
    let pages = page::collect(stream, DescribeAutoScalingGroupsOutput::next_token, paying)
        .await
        .map_err(|error| {
            read_error("DescribeAutoScalingGroups", format_args!("groups tagged {key}"), error)
        })?;
    let groups = pages.into_iter().flat_map(|page| page.auto_scaling_groups.unwrap_or_default());
    let named = groups.filter_map(|one| {
        let name = ScalingGroupName::new(one.auto_scaling_group_name()?);
        let tags = group::read_tags(&one).into_iter().map(|(key, tag)| (key, tag.value));
        Some((ResourceKey::ScalingGroup(name), tags.collect()))
    });
    Ok(named.collect())
}
