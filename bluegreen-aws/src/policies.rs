//! Scaling policies and scheduled actions.

use async_trait::async_trait;
use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::cloud::{CloudError, ReadScalingPolicies, WriteScalingPolicies};
use bluegreen_core::model::{
    DimensionValue, LoadBalancerName, Policy, PolicyKey, ScalingGroupName, Schedule, ScheduleName,
    TargetGroupName,
};

use crate::AwsCloud;
use crate::arn;
use crate::convert::{policy, schedule};
use crate::error::{Failure, or_absent, read_error, refused, write_error};
use crate::locate::if_there;
use crate::page::Pages;
use crate::query::{Capture, Tree};
use crate::scaling_groups::paired;

#[async_trait]
impl ReadScalingPolicies for AwsCloud {
    async fn policies(&self, group: &ScalingGroupName) -> Result<Vec<Policy>, CloudError> {
        let found = self.describe_policies(group).await?;
        let mut policies = Vec::with_capacity(found.len());
        for (found, tree) in &found {
            let read = policy::read(found, tree);
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
        // A group that is not there has none.
        let found = if_there(self.describe_schedules(group).await)?.unwrap_or_default();
        let actions = found.iter().map(|(action, _)| schedule::read(action));
        let schedules = actions.collect::<Result<Vec<_>, _>>();
        let mut schedules =
            schedules.map_err(|error| refused("DescribeScheduledActions", group, error))?;
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
        let mut spelled = Vec::new();
        for name in policy.details.names() {
            let text = self.spell(&key, &name).await?;
            spelled.push((name, text));
        }
        let request = policy::write(group, policy, label, &spelled);
        let request = request.map_err(|error| refused(OPERATION, &key, error))?;
        let answer = self.scaling_forms().send(request).await;
        answer.map_err(|error| write_error(OPERATION, &key, error))
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
    ) -> Result<Vec<(sdk::ScalingPolicy, Tree)>, CloudError> {
        const OPERATION: &str = "DescribePolicies";
        let (mut found, mut guard, mut token) = (Vec::new(), Pages::new(), None);
        loop {
            let capture = Capture::default();
            let request = self.scaling().await.describe_policies();
            let request = request.auto_scaling_group_name(group.as_str()).set_next_token(token);
            let page = request.customize().interceptor(capture.clone()).send().await;
            let page = page.map_err(|error| read_error(OPERATION, group, error));
            let Some(page) = if_there(page)? else { return Ok(found) };
            let trees = capture.tree().items("DescribePoliciesResult", "ScalingPolicies");
            found.extend(paired(page.scaling_policies.unwrap_or_default(), trees, |both| both));
            let Some(next) = page.next_token.filter(|next| !next.is_empty()) else {
                return Ok(found);
            };
            guard.turn(&next).map_err(|error| refused(OPERATION, group, error))?;
            token = Some(next);
        }
    }

    /// Describes the scheduled actions of a group.
    pub(crate) async fn describe_schedules(
        &self,
        group: &ScalingGroupName,
    ) -> Result<Vec<(sdk::ScheduledUpdateGroupAction, Tree)>, CloudError> {
        const OPERATION: &str = "DescribeScheduledActions";
        let (mut found, mut guard, mut token) = (Vec::new(), Pages::new(), None);
        loop {
            let capture = Capture::default();
            let request = self.scaling().await.describe_scheduled_actions();
            let request = request.auto_scaling_group_name(group.as_str()).set_next_token(token);
            let page = request.customize().interceptor(capture.clone()).send().await;
            let page = page.map_err(|error| read_error(OPERATION, group, error))?;
            let tree = capture.tree();
            let trees = tree.items("DescribeScheduledActionsResult", "ScheduledUpdateGroupActions");
            let actions = page.scheduled_update_group_actions.unwrap_or_default();
            found.extend(paired(actions, trees, |both| both));
            let Some(next) = page.next_token.filter(|next| !next.is_empty()) else {
                return Ok(found);
            };
            guard.turn(&next).map_err(|error| refused(OPERATION, group, error))?;
            token = Some(next);
        }
    }

    /// Spells a name as metrics have it.
    async fn spell(&self, key: &PolicyKey, name: &DimensionValue) -> Result<String, CloudError> {
        let missing = |what: &str, name: &dyn std::fmt::Display| {
            refused("PutScalingPolicy", key, format!("{what} `{name}` does not exist"))
        };
        match name {
            DimensionValue::ScalingGroup(name) => Ok(name.to_string()),
            DimensionValue::TargetGroup(name) => {
                let arn = self.resolve_target_group(name).await?;
                let part = arn.as_deref().and_then(arn::target_group_part).map(str::to_owned);
                part.ok_or_else(|| missing("target group", name))
            }
            DimensionValue::LoadBalancer(name) => {
                let arn = self.resolve_load_balancer(name).await?;
                let part = arn.as_deref().and_then(arn::load_balancer_part).map(str::to_owned);
                part.ok_or_else(|| missing("load balancer", name))
            }
            DimensionValue::Requests(balancer, target_group) => {
                self.label(key, balancer, target_group).await
            }
            DimensionValue::Literal(text) => Ok(text.clone()),
            other => Err(refused("PutScalingPolicy", key, format!("{other:?} is not known"))),
        }
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
