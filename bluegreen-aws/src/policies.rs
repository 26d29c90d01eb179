//! Scaling policies and scheduled actions.

use async_trait::async_trait;
use aws_sdk_autoscaling::operation::describe_policies::DescribePoliciesOutput;
use aws_sdk_autoscaling::operation::describe_scheduled_actions::DescribeScheduledActionsOutput;
use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::cloud::{CloudError, ReadScalingPolicies, WriteScalingPolicies};
use bluegreen_core::model::{
    LoadBalancerName, Policy, PolicyKey, ScalingGroupName, Schedule, ScheduleName, TargetGroupName,
};

use crate::AwsCloud;
use crate::arn;
use crate::budget::Call;
use crate::convert::{policy, schedule};
use crate::error::{Failure, or_absent, read_error, refused, write_error};
use crate::locate::if_there;
use crate::page;

#[async_trait]
impl ReadScalingPolicies for AwsCloud {
    async fn policies(&self, group: &ScalingGroupName) -> Result<Vec<Policy>, CloudError> {
        let found = self.describe_policies(group).await?;
        let mut policies = Vec::with_capacity(found.len());
        for found in &found {
            let read = policy::read(found);
            let mut policy = read.map_err(|error| refused("DescribePolicies", group, error))?;
            // A policy tells its alarms some time after they were made, and an emulator never.
            if let (true, Some(arn)) = (policy::waits_for_alarms(found), found.policy_arn()) {
                policy.alarms = self.alarms_calling(arn).await?;
            }
            policies.push(policy);
        }
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(policies)
    }

    async fn schedules(&self, group: &ScalingGroupName) -> Result<Vec<Schedule>, CloudError> {
        const OPERATION: &str = "DescribeScheduledActions";
        let request = self.scaling().await.describe_scheduled_actions();
        let stream = request.auto_scaling_group_name(group.as_str()).into_paginator().send();
        let pages = page::collect(
            stream,
            DescribeScheduledActionsOutput::next_token,
            self.paying(Call::Scaling),
        )
        .await
        .map_err(|error| read_error(OPERATION, group, error));
        // A group that is not there has none.
        let pages = if_there(pages)?.unwrap_or_default();
        let actions = pages
            .iter()
            .flat_map(DescribeScheduledActionsOutput::scheduled_update_group_actions)
            .map(schedule::read);
        let schedules = actions.collect::<Result<Vec<_>, _>>();
        let mut schedules = schedules.map_err(|error| refused(OPERATION, group, error))?;
        schedules.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(schedules)
    }
}

#[async_trait]
impl WriteScalingPolicies for AwsCloud {
    async fn put_policy(
        &self,
        group: &ScalingGroupName,
        policy: &Policy,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "PutScalingPolicy";
        let key = PolicyKey { group: group.clone(), policy: policy.name.clone() };
        if let Some(why) = &policy.uncarried {
            return Err(refused(OPERATION, &key, why.clone()));
        }
        let label = match &policy.counts_requests_of {
            Some((balancer, target_group)) => Some(self.label(&key, balancer, target_group).await?),
            None => None,
        };
        let request = policy::write(group, policy, label);
        let request = request.map_err(|error| refused(OPERATION, &key, error))?;
        let answer = request.send_with(self.scaling().await).await;
        answer.map(drop).map_err(|error| write_error(OPERATION, &key, error))
    }

    async fn delete_policy(&self, key: &PolicyKey) -> Result<(), CloudError> {
        let request = self.scaling().await.delete_policy();
        let request = request.auto_scaling_group_name(key.group.as_str());
        match request.policy_name(key.policy.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_unknown(&error) => Ok(()),
            Err(error) => or_absent(Err(write_error("DeletePolicy", key, error))),
        }
    }

    async fn put_schedule(
        &self,
        group: &ScalingGroupName,
        schedule: &Schedule,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "PutScheduledUpdateGroupAction";
        let resource = format!("{group}/{}", schedule.name);
        let request = schedule::write(group, schedule);
        let request = request.map_err(|error| refused(OPERATION, &resource, error))?;
        let answer = request.send_with(self.scaling().await).await;
        answer.map(drop).map_err(|error| write_error(OPERATION, &resource, error))
    }

    async fn delete_schedule(
        &self,
        group: &ScalingGroupName,
        schedule: &ScheduleName,
    ) -> Result<(), CloudError> {
        let resource = format!("{group}/{schedule}");
        let request = self.scaling().await.delete_scheduled_action();
        let request = request.auto_scaling_group_name(group.as_str());
        match request.scheduled_action_name(schedule.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_unknown(&error) => Ok(()),
            Err(error) => or_absent(Err(write_error("DeleteScheduledAction", resource, error))),
        }
    }
}

/// Auto Scaling has no code for an unknown policy or schedule: it says it in a `ValidationError`.
fn is_unknown(error: &impl Failure) -> bool {
    let text = error.text().unwrap_or_default().to_lowercase();
    error.code() == Some("ValidationError")
        && (text.contains("not found") || text.contains("does not exist"))
}

impl AwsCloud {
    /// Describes the policies of a group; none if the group is not there.
    pub(crate) async fn describe_policies(
        &self,
        group: &ScalingGroupName,
    ) -> Result<Vec<sdk::ScalingPolicy>, CloudError> {
        let request = self.scaling().await.describe_policies();
        let stream = request.auto_scaling_group_name(group.as_str()).into_paginator().send();
        let pages =
            page::collect(stream, DescribePoliciesOutput::next_token, self.paying(Call::Scaling))
                .await
                .map_err(|error| read_error("DescribePolicies", group, error));
        let pages = if_there(pages)?.unwrap_or_default();
        Ok(pages.into_iter().flat_map(|page| page.scaling_policies.unwrap_or_default()).collect())
    }

    /// Returns how AWS names the requests that one target group gets from one load balancer.
    async fn label(
        &self,
        policy: &PolicyKey,
        balancer: &LoadBalancerName,
        target_group: &TargetGroupName,
    ) -> Result<String, CloudError> {
        // The label is not checked when it is a stale ARN's, so both are asked for anew.
        let (balancer_arn, group_arn) = futures_util::future::try_join(
            self.resolve_load_balancer(balancer),
            self.resolve_target_group(target_group),
        )
        .await?;
        let missing = |what: &str, name: &dyn std::fmt::Display| {
            refused("PutScalingPolicy", policy, format!("{what} `{name}` does not exist"))
        };
        let balancer_arn = balancer_arn.ok_or_else(|| missing("load balancer", balancer))?;
        let group_arn = group_arn.ok_or_else(|| missing("target group", target_group))?;
        if let (Some(balancer), Some(group)) =
            (arn::load_balancer_part(&balancer_arn), arn::target_group_part(&group_arn))
        {
            return Ok(format!("{balancer}/{group}"));
        }
        let why = format!("`{balancer_arn}` or `{group_arn}` is no ARN");
        Err(refused("PutScalingPolicy", policy, why))
    }
}
