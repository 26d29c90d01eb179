//! Metric alarms that set off scaling policies.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmInputBuilder;
use aws_sdk_cloudwatch::types as sdk;
use bluegreen_core::model::{
    Alarm, AlarmName, Dimension, DimensionValue, LoadBalancerName, PolicyKey, ScalingGroupName,
    TargetGroupName,
};
use serde::{Deserialize, Serialize};

use super::{ConvertError, opaque};
use crate::arn;

/// What the core does not reason about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    description: Option<String>,
    actions_enabled: Option<bool>,
    /// All that is no scaling policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alarm_actions: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ok_actions: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    insufficient_data_actions: Vec<String>,
    metric: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    period: Option<i32>,
    unit: Option<String>,
    evaluation_periods: Option<i32>,
    datapoints_to_alarm: Option<i32>,
    threshold: Option<f64>,
    comparison_operator: Option<String>,
    treat_missing_data: Option<String>,
    evaluate_low_sample_count_percentile: Option<String>,
}

/// The ARNs that natural keys in an alarm stand for.
#[derive(Debug, Default)]
pub(crate) struct Arns {
    pub(crate) load_balancers: BTreeMap<LoadBalancerName, String>,
    pub(crate) target_groups: BTreeMap<TargetGroupName, String>,
    pub(crate) policies: BTreeMap<PolicyKey, String>,
}

/// Reads an alarm.
pub(crate) fn read(alarm: &sdk::MetricAlarm) -> Result<Alarm, ConvertError> {
    let name = alarm.alarm_name().ok_or(ConvertError::Missing("AlarmName"))?;
    let policies = alarm.alarm_actions().iter().filter_map(|action| arn::policy(action));
    Ok(Alarm {
        name: AlarmName::new(name),
        dimensions: alarm.dimensions().iter().map(read_dimension).collect::<Result<_, _>>()?,
        sets_off: policies.collect(),
        details: opaque::pack(&details(alarm))?,
        uncarried: uncarried(alarm),
    })
}

fn read_dimension(dimension: &sdk::Dimension) -> Result<Dimension, ConvertError> {
    let name = dimension.name().ok_or(ConvertError::Missing("Dimension.Name"))?;
    let value = dimension.value().ok_or(ConvertError::Missing("Dimension.Value"))?;
    let known = match name {
        "AutoScalingGroupName" => Some(DimensionValue::ScalingGroup(ScalingGroupName::new(value))),
        "TargetGroup" => arn::target_group_of_part(value).map(DimensionValue::TargetGroup),
        "LoadBalancer" => arn::load_balancer_of_part(value).map(DimensionValue::LoadBalancer),
        _ => None,
    };
    let value = known.unwrap_or_else(|| DimensionValue::Literal(value.to_owned()));
    Ok(Dimension { name: name.to_owned(), value })
}

fn uncarried(alarm: &sdk::MetricAlarm) -> Option<String> {
    let other_states = alarm.ok_actions().iter().chain(alarm.insufficient_data_actions());
    let found = [
        (!alarm.metrics().is_empty(), "it watches an expression of several metrics"),
        (alarm.threshold_metric_id().is_some(), "its threshold is a metric"),
        (alarm.evaluation_criteria().is_some(), "it has evaluation criteria"),
        (alarm.evaluation_window().is_some(), "it has an evaluation window"),
        (alarm.evaluation_interval().is_some(), "it has an evaluation interval"),
        (alarm.warm_up_configuration().is_some(), "it has a warm-up"),
        (alarm.action_configuration().is_some(), "it has an action configuration"),
        (
            other_states.into_iter().any(|action| arn::policy(action).is_some()),
            "it sets off a policy in a state other than the alarm",
        ),
    ];
    found.into_iter().find_map(|(set, why)| set.then(|| why.to_owned()))
}

fn details(alarm: &sdk::MetricAlarm) -> Details {
    let text = |value: Option<&str>| value.filter(|one| !one.is_empty()).map(str::to_owned);
    let others = alarm.alarm_actions().iter().filter(|action| arn::policy(action).is_none());
    Details {
        description: text(alarm.alarm_description()),
        actions_enabled: alarm.actions_enabled(),
        alarm_actions: others.cloned().collect(),
        ok_actions: alarm.ok_actions().to_vec(),
        insufficient_data_actions: alarm.insufficient_data_actions().to_vec(),
        metric: text(alarm.metric_name()),
        namespace: text(alarm.namespace()),
        statistic: alarm.statistic().map(|one| one.as_str().to_owned()),
        extended_statistic: text(alarm.extended_statistic()),
        period: alarm.period(),
        unit: alarm.unit().map(|one| one.as_str().to_owned()),
        evaluation_periods: alarm.evaluation_periods(),
        datapoints_to_alarm: alarm.datapoints_to_alarm(),
        threshold: alarm.threshold(),
        comparison_operator: alarm.comparison_operator().map(|one| one.as_str().to_owned()),
        treat_missing_data: text(alarm.treat_missing_data()),
        evaluate_low_sample_count_percentile: text(alarm.evaluate_low_sample_count_percentile()),
    }
}

/// Writes an alarm; `arns` must know every resource that it names.
pub(crate) fn write(
    alarm: &Alarm,
    arns: &Arns,
) -> Result<PutMetricAlarmInputBuilder, ConvertError> {
    let details: Details = opaque::unpack(&alarm.details)?;
    let mut actions = details.alarm_actions;
    for key in &alarm.sets_off {
        let arn = arns.policies.get(key).cloned();
        actions.push(arn.ok_or_else(|| unknown("scaling policy", key))?);
    }
    let dimensions = alarm.dimensions.iter().map(|one| write_dimension(one, arns));
    let dimensions = filled(dimensions.collect::<Result<_, _>>()?);
    Ok(PutMetricAlarmInputBuilder::default()
        .alarm_name(alarm.name.as_str())
        .set_alarm_description(details.description)
        .set_actions_enabled(details.actions_enabled)
        .set_alarm_actions(filled(actions))
        .set_ok_actions(filled(details.ok_actions))
        .set_insufficient_data_actions(filled(details.insufficient_data_actions))
        .set_metric_name(details.metric)
        .set_namespace(details.namespace)
        .set_statistic(details.statistic.as_deref().map(Into::into))
        .set_extended_statistic(details.extended_statistic)
        .set_dimensions(dimensions)
        .set_period(details.period)
        .set_unit(details.unit.as_deref().map(Into::into))
        .set_evaluation_periods(details.evaluation_periods)
        .set_datapoints_to_alarm(details.datapoints_to_alarm)
        .set_threshold(details.threshold)
        .set_comparison_operator(details.comparison_operator.as_deref().map(Into::into))
        .set_treat_missing_data(details.treat_missing_data)
        .set_evaluate_low_sample_count_percentile(details.evaluate_low_sample_count_percentile))
}

fn write_dimension(dimension: &Dimension, arns: &Arns) -> Result<sdk::Dimension, ConvertError> {
    let value = match &dimension.value {
        DimensionValue::ScalingGroup(name) => name.to_string(),
        DimensionValue::TargetGroup(name) => {
            let arn = arns.target_groups.get(name).map(String::as_str);
            let part = arn.and_then(arn::target_group_part);
            part.ok_or_else(|| unknown("target group", name))?.to_owned()
        }
        DimensionValue::LoadBalancer(name) => {
            let arn = arns.load_balancers.get(name).map(String::as_str);
            let part = arn.and_then(arn::load_balancer_part);
            part.ok_or_else(|| unknown("load balancer", name))?.to_owned()
        }
        DimensionValue::Literal(text) => text.clone(),
        other => return Err(unknown("dimension", format!("{other:?}"))),
    };
    Ok(sdk::Dimension::builder().name(&dimension.name).value(value).build())
}

fn unknown(what: &'static str, value: impl fmt::Display) -> ConvertError {
    ConvertError::Unknown { what, value: value.to_string() }
}

/// AWS refuses some empty lists.
fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use bluegreen_core::model::PolicyName;

    use super::*;

    const POLICY: &str = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:0f:autoScalingGroupName/blue:policyName/up";
    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:ops";

    fn alarm() -> sdk::builders::MetricAlarmBuilder {
        let dimension =
            |name: &str, value: &str| sdk::Dimension::builder().name(name).value(value).build();
        sdk::MetricAlarm::builder()
            .alarm_name("cpu-high")
            .alarm_actions(POLICY)
            .alarm_actions(TOPIC)
            .metric_name("CPUUtilization")
            .namespace("AWS/EC2")
            .statistic(sdk::Statistic::Average)
            .period(60)
            .evaluation_periods(2)
            .threshold(70.0)
            .comparison_operator(sdk::ComparisonOperator::GreaterThanThreshold)
            .dimensions(dimension("AutoScalingGroupName", "blue"))
            .dimensions(dimension("TargetGroup", "targetgroup/blue/01"))
            .dimensions(dimension("LoadBalancer", "app/web/02"))
            .dimensions(dimension("Stage", "live"))
    }

    #[test]
    fn an_alarm_is_made_for_another_colour() {
        let mut alarm = read(&alarm().build()).unwrap();
        assert_eq!(alarm.uncarried, None);
        let blue =
            PolicyKey { group: ScalingGroupName::new("blue"), policy: PolicyName::new("up") };
        assert_eq!(alarm.sets_off, [blue]);

        let green =
            PolicyKey { group: ScalingGroupName::new("green"), policy: PolicyName::new("up") };
        alarm.sets_off = vec![green.clone()];
        alarm.dimensions[0].value = DimensionValue::ScalingGroup(green.group.clone());
        alarm.dimensions[1].value = DimensionValue::TargetGroup(TargetGroupName::new("green"));
        let arns = Arns {
            load_balancers: [(
                LoadBalancerName::new("web"),
                "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/web/02".to_owned(),
            )]
            .into(),
            target_groups: [(
                TargetGroupName::new("green"),
                "arn:aws:elasticloadbalancing:r:1:targetgroup/green/03".to_owned(),
            )]
            .into(),
            policies: [(green, "arn:green".to_owned())].into(),
        };
        let written = write(&alarm, &arns).unwrap().build().unwrap();
        assert_eq!(written.alarm_actions(), [TOPIC, "arn:green"]);
        let values: Vec<_> =
            written.dimensions().iter().filter_map(sdk::Dimension::value).collect();
        assert_eq!(values, ["green", "targetgroup/green/03", "app/web/02", "live"]);
        assert_eq!(written.threshold(), Some(70.0));
        assert!(write(&alarm, &Arns::default()).is_err());
    }

    #[test]
    fn a_policy_in_another_state_is_not_carried() {
        let alarm = read(&alarm().ok_actions(POLICY).build()).unwrap();
        assert!(alarm.uncarried.unwrap().contains("other than the alarm"));
    }
}
