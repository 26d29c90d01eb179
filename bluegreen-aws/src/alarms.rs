//! Metric alarms.

use std::collections::BTreeSet;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadAlarms, WriteAlarms};
use bluegreen_core::model::{Alarm, AlarmName, DimensionValue, PolicyKey};

use crate::AwsCloud;
use crate::cloudwatch::Alarms;
use crate::convert::alarm;
use crate::error::{not_found, or_absent, read_error, refused, write_error};

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
            let wanted: Vec<_> = chunk.iter().map(ToString::to_string).collect();
            let found = self.cloudwatch().describe_alarms(Alarms::Named(&wanted)).await;
            for found in found.map_err(|error| read_error(OPERATION, &chunk[0], error))? {
                let name = found.alarm_name.clone();
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
        let answer = self.cloudwatch().put_metric_alarm(request).await;
        answer.map_err(|error| write_error(OPERATION, &alarm.name, error))
    }

    async fn delete_alarm(&self, name: &AlarmName) -> Result<(), CloudError> {
        let answer = self.cloudwatch().delete_alarm(name.as_str()).await;
        or_absent(answer.map_err(|error| write_error("DeleteAlarms", name, error)))
    }
}

impl AwsCloud {
    /// Names the alarms that set off a policy, by its ARN.
    pub(crate) async fn alarms_calling(&self, policy: &str) -> Result<Vec<AlarmName>, CloudError> {
        let found = self.cloudwatch().describe_alarms(Alarms::Calling(policy)).await;
        let found = found.map_err(|error| read_error("DescribeAlarms", policy, error))?;
        // The cloud matches by prefix, and one ARN may begin another.
        let calls =
            found.into_iter().filter(|one| one.alarm_actions.items.iter().any(|arn| arn == policy));
        Ok(calls.map(|one| AlarmName::new(one.alarm_name)).collect())
    }

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
            for (policy, _) in self.describe_policies(group).await? {
                if let (Some(name), Some(arn)) = (policy.policy_name, policy.policy_arn) {
                    let policy = bluegreen_core::model::PolicyName::new(name);
                    arns.policies.insert(PolicyKey { group: group.clone(), policy }, arn);
                }
            }
        }
        Ok(arns)
    }
}
