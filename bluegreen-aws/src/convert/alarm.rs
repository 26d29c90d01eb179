//! Metric alarms that set off scaling policies.

use std::collections::BTreeMap;
use std::fmt;

use bluegreen_core::model::{
    Alarm, AlarmName, Dimension, DimensionValue, LoadBalancerName, PolicyKey, ScalingGroupName,
    TargetGroupName,
};
use serde::{Deserialize, Serialize};

use super::{ConvertError, opaque};
use crate::arn;
use crate::cloudwatch::{MetricAlarm, MetricDimension};
use crate::query::{Form, filled};

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
pub(crate) fn read(alarm: MetricAlarm) -> Result<Alarm, ConvertError> {
    let policies = alarm.alarm_actions.items.iter().filter_map(|action| arn::policy(action));
    Ok(Alarm {
        name: AlarmName::new(&alarm.alarm_name),
        dimensions: alarm.dimensions.items.iter().map(read_dimension).collect(),
        sets_off: policies.collect(),
        uncarried: uncarried(&alarm),
        details: opaque::pack(&details(alarm))?,
    })
}

fn read_dimension(MetricDimension { name, value }: &MetricDimension) -> Dimension {
    let known = match name.as_str() {
        "AutoScalingGroupName" => Some(DimensionValue::ScalingGroup(ScalingGroupName::new(value))),
        "TargetGroup" => arn::target_group_of_part(value).map(DimensionValue::TargetGroup),
        "LoadBalancer" => arn::load_balancer_of_part(value).map(DimensionValue::LoadBalancer),
        _ => None,
    };
    let value = known.unwrap_or_else(|| DimensionValue::Literal(value.clone()));
    Dimension { name: name.clone(), value }
}

fn uncarried(alarm: &MetricAlarm) -> Option<String> {
    let others = alarm.ok_actions.items.iter().chain(&alarm.insufficient_data_actions.items);
    let found = [
        (!alarm.metrics.items.is_empty(), "it watches an expression of several metrics"),
        (alarm.threshold_metric_id.is_some(), "its threshold is a metric"),
        (alarm.evaluation_criteria.is_some(), "it has evaluation criteria"),
        (alarm.evaluation_window.is_some(), "it has an evaluation window"),
        (alarm.evaluation_interval.is_some(), "it has an evaluation interval"),
        (alarm.warm_up_configuration.is_some(), "it has a warm-up"),
        (alarm.action_configuration.is_some(), "it has an action configuration"),
        (
            others.into_iter().any(|action| arn::policy(action).is_some()),
            "it sets off a policy in a state other than the alarm",
        ),
    ];
    found.into_iter().find_map(|(set, why)| set.then(|| why.to_owned()))
}

fn details(alarm: MetricAlarm) -> Details {
    let is_other = |action: &String| arn::policy(action).is_none();
    Details {
        description: filled(alarm.alarm_description),
        actions_enabled: alarm.actions_enabled,
        alarm_actions: alarm.alarm_actions.items.into_iter().filter(is_other).collect(),
        ok_actions: alarm.ok_actions.items,
        insufficient_data_actions: alarm.insufficient_data_actions.items,
        metric: filled(alarm.metric_name),
        namespace: filled(alarm.namespace),
        statistic: filled(alarm.statistic),
        extended_statistic: filled(alarm.extended_statistic),
        period: alarm.period,
        unit: filled(alarm.unit),
        evaluation_periods: alarm.evaluation_periods,
        datapoints_to_alarm: alarm.datapoints_to_alarm,
        threshold: alarm.threshold,
        comparison_operator: filled(alarm.comparison_operator),
        treat_missing_data: filled(alarm.treat_missing_data),
        evaluate_low_sample_count_percentile: filled(alarm.evaluate_low_sample_count_percentile),
    }
}

/// Writes the request that makes an alarm; `arns` must know every resource that it names.
pub(crate) fn write(alarm: &Alarm, arns: &Arns) -> Result<Form, ConvertError> {
    let details: Details = opaque::unpack(&alarm.details)?;
    let mut actions = details.alarm_actions;
    for key in &alarm.sets_off {
        let arn = arns.policies.get(key).cloned();
        actions.push(arn.ok_or_else(|| unknown("scaling policy", key))?);
    }
    let number = |value: Option<i32>| value.map(|one| one.to_string());
    let mut form = Form::new("PutMetricAlarm")
        .with("AlarmName", alarm.name.as_str())
        .with_some("AlarmDescription", details.description)
        .with_some("ActionsEnabled", details.actions_enabled.map(|on| on.to_string()))
        .with_list("AlarmActions.member", actions)
        .with_list("OKActions.member", details.ok_actions)
        .with_list("InsufficientDataActions.member", details.insufficient_data_actions)
        .with_some("MetricName", details.metric)
        .with_some("Namespace", details.namespace)
        .with_some("Statistic", details.statistic)
        .with_some("ExtendedStatistic", details.extended_statistic)
        .with_some("Period", number(details.period))
        .with_some("Unit", details.unit)
        .with_some("EvaluationPeriods", number(details.evaluation_periods))
        .with_some("DatapointsToAlarm", number(details.datapoints_to_alarm))
        .with_some("Threshold", details.threshold.map(|one| one.to_string()))
        .with_some("ComparisonOperator", details.comparison_operator)
        .with_some("TreatMissingData", details.treat_missing_data)
        .with_some(
            "EvaluateLowSampleCountPercentile",
            details.evaluate_low_sample_count_percentile,
        );
    for (index, dimension) in (1..).zip(&alarm.dimensions) {
        let member = |what| format!("Dimensions.member.{index}.{what}");
        form = form
            .with(member("Name"), &dimension.name)
            .with(member("Value"), dimension_value(&dimension.value, arns)?);
    }
    Ok(form)
}

fn dimension_value(value: &DimensionValue, arns: &Arns) -> Result<String, ConvertError> {
    match value {
        DimensionValue::ScalingGroup(name) => Ok(name.to_string()),
        DimensionValue::TargetGroup(name) => {
            let arn = arns.target_groups.get(name).map(String::as_str);
            let part = arn.and_then(arn::target_group_part).map(str::to_owned);
            part.ok_or_else(|| unknown("target group", name))
        }
        DimensionValue::LoadBalancer(name) => {
            let arn = arns.load_balancers.get(name).map(String::as_str);
            let part = arn.and_then(arn::load_balancer_part).map(str::to_owned);
            part.ok_or_else(|| unknown("load balancer", name))
        }
        DimensionValue::Literal(text) => Ok(text.clone()),
        other => Err(unknown("dimension", format!("{other:?}"))),
    }
}

fn unknown(what: &'static str, value: impl fmt::Display) -> ConvertError {
    ConvertError::Unknown { what, value: value.to_string() }
}

#[cfg(test)]
mod tests {
    use bluegreen_core::model::PolicyName;

    use super::*;

    const POLICY: &str = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:0f:autoScalingGroupName/blue:policyName/up";

    /// As AWS shows an alarm, with what it adds by itself.
    fn alarm(more: &str) -> MetricAlarm {
        let xml = format!(
            "<member><AlarmName>cpu-high</AlarmName><AlarmArn>arn:aws:cloudwatch:x</AlarmArn>
             <StateValue>OK</StateValue><ActionsEnabled>true</ActionsEnabled><OKActions/>
             <AlarmActions><member>{POLICY}</member>
             <member>arn:aws:sns:eu-west-1:123456789012:ops</member></AlarmActions>
             <MetricName>CPUUtilization</MetricName><Namespace>AWS/EC2</Namespace>
             <Statistic>Average</Statistic><Period>60</Period>
             <EvaluationPeriods>2</EvaluationPeriods><Threshold>70.0</Threshold>
             <ComparisonOperator>GreaterThanThreshold</ComparisonOperator>
             <Dimensions>
             <member><Name>AutoScalingGroupName</Name><Value>blue</Value></member>
             <member><Name>TargetGroup</Name><Value>targetgroup/blue/01</Value></member>
             <member><Name>LoadBalancer</Name><Value>app/web/02</Value></member>
             <member><Name>Stage</Name><Value>live</Value></member>
             </Dimensions>{more}</member>"
        );
        quick_xml::de::from_str(&xml).unwrap()
    }

    fn green() -> PolicyKey {
        PolicyKey { group: ScalingGroupName::new("green"), policy: PolicyName::new("up") }
    }

    fn arns() -> Arns {
        let under = |part: &str| format!("arn:aws:elasticloadbalancing:r:1:{part}");
        Arns {
            load_balancers: [(LoadBalancerName::new("web"), under("loadbalancer/app/web/02"))]
                .into(),
            target_groups: [(TargetGroupName::new("green"), under("targetgroup/green/03"))].into(),
            policies: [(green(), "arn:green".to_owned())].into(),
        }
    }

    #[test]
    fn an_alarm_is_made_for_another_colour() {
        let mut alarm = read(alarm("")).unwrap();
        assert_eq!(alarm.uncarried, None);
        assert_eq!(alarm.sets_off[0].group.as_str(), "blue");
        alarm.sets_off = vec![green()];
        alarm.dimensions[0].value = DimensionValue::ScalingGroup(green().group);
        alarm.dimensions[1].value = DimensionValue::TargetGroup(TargetGroupName::new("green"));
        let body = write(&alarm, &arns()).unwrap().encode("2010-08-01");
        for part in [
            "&AlarmActions.member.1=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aops",
            "&AlarmActions.member.2=arn%3Agreen",
            "&Dimensions.member.1.Value=green",
            "&Dimensions.member.2.Value=targetgroup%2Fgreen%2F03",
            "&Dimensions.member.3.Value=app%2Fweb%2F02",
            "&Dimensions.member.4.Name=Stage&Dimensions.member.4.Value=live",
            "&ActionsEnabled=true&",
            "&Threshold=70&",
        ] {
            assert!(body.contains(part), "{part} is not in {body}");
        }
        assert!(write(&alarm, &Arns::default()).is_err());
    }

    #[test]
    fn what_an_alarm_would_lose_is_named() {
        let why = |more: &str| read(alarm(more)).unwrap().uncarried.unwrap();
        let other =
            format!("<InsufficientDataActions><member>{POLICY}</member></InsufficientDataActions>");
        assert!(why(&other).contains("other than the alarm"));
        let metrics = "<Metrics><member><Id>a</Id><Expression>b+c</Expression></member></Metrics>";
        assert!(why(metrics).contains("several metrics"));
        assert!(why("<ThresholdMetricId>a</ThresholdMetricId>").contains("threshold"));
    }
}
