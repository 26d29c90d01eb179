//! Metric alarms.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types as sdk;
use bluegreen_core::cloud::{CloudError, ReadAlarms, WriteAlarms};
use bluegreen_core::model::{Alarm, AlarmName, DimensionValue, PolicyKey};

use crate::AwsCloud;
use crate::budget::Call;
use crate::convert::alarm;
use crate::error::{not_found, or_absent, read_error, refused, write_error};
use crate::page;

/// The most alarms that one call describes.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
const ALARMS_PER_CALL: usize = 100;

#[async_trait]
impl ReadAlarms for AwsCloud {
    async fn alarms(&self, names: &[AlarmName]) -> Result<Vec<Alarm>, CloudError> {
        const OPERATION: &str = "DescribeAlarms";
        let mut alarms = Vec::new();
        for chunk in names.chunks(ALARMS_PER_CALL) {
            let wanted = chunk.iter().map(ToString::to_string).collect();
            let request = self.alarms_client().await.describe_alarms();
            let request = request.set_alarm_names(Some(wanted));
            let stream = request.alarm_types(sdk::AlarmType::MetricAlarm).into_paginator().send();
            let pages =
                page::collect(stream, DescribeAlarmsOutput::next_token, self.paying(Call::Alarms))
                    .await
                    .map_err(|error| read_error(OPERATION, &chunk[0], error))?;
            for found in pages.iter().flat_map(DescribeAlarmsOutput::metric_alarms) {
                let name = found.alarm_name().unwrap_or_default();
                alarms.push(alarm::read(found).map_err(|error| refused(OPERATION, name, error))?);
            }
        }
        Ok(alarms)
    }
}

#[async_trait]
impl WriteAlarms for AwsCloud {
    async fn put_alarm(&self, alarm: &Alarm) -> Result<(), CloudError> {
        const OPERATION: &str = "PutMetricAlarm";
        if let Some(why) = &alarm.uncarried {
            return Err(refused(OPERATION, &alarm.name, why.clone()));
        }
        let arns = self.arns_in(alarm).await?;
        if let Some(missing) = alarm.sets_off.iter().find(|key| !arns.policies.contains_key(key)) {
            return Err(not_found(OPERATION, missing));
        }
        let request = alarm::write(alarm, &arns);
        let request = request.map_err(|error| refused(OPERATION, &alarm.name, error))?;
        let answer = request.send_with(self.alarms_client().await).await;
        answer.map(drop).map_err(|error| write_error(OPERATION, &alarm.name, error))
    }

    async fn delete_alarm(&self, name: &AlarmName) -> Result<(), CloudError> {
        let request = self.alarms_client().await.delete_alarms();
        let answer = request.alarm_names(name.as_str()).send().await;
        or_absent(answer.map(drop).map_err(|error| write_error("DeleteAlarms", name, error)))
    }
}

impl AwsCloud {
    /// Finds the ARNs of all that an alarm names, as far as they exist.
    async fn arns_in(&self, alarm: &Alarm) -> Result<alarm::Arns, CloudError> {
        let mut arns = alarm::Arns::default();
        for dimension in &alarm.dimensions {
            match &dimension.value {
                DimensionValue::TargetGroup(name) => {
                    let arn = self.resolve_target_group(name).await?;
                    arns.target_groups.extend(arn.map(|arn| (name.clone(), arn)));
                }
                DimensionValue::LoadBalancer(name) => {
                    let arn = self.resolve_load_balancer(name).await?;
                    arns.load_balancers.extend(arn.map(|arn| (name.clone(), arn)));
                }
                _ => {}
            }
        }
        let groups: BTreeSet<_> = alarm.sets_off.iter().map(|key| &key.group).collect();
        for group in groups {
            for policy in self.describe_policies(group).await? {
                if let (Some(name), Some(arn)) = (policy.policy_name, policy.policy_arn) {
                    let policy = bluegreen_core::model::PolicyName::new(name);
                    arns.policies.insert(PolicyKey { group: group.clone(), policy }, arn);
                }
            }
        }
        Ok(arns)
    }
}
