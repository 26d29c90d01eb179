//! Scaling policies.

use aws_sdk_autoscaling::operation::put_scaling_policy::builders::PutScalingPolicyInputBuilder;
use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::{
    AlarmName, LoadBalancerName, Policy, PolicyName, ScalingGroupName, TargetGroupName,
};
use serde::{Deserialize, Serialize};

use super::{ConvertError, opaque};
use crate::arn;

/// The dimensions that name resources of which each colour has its own.
const OF_A_COLOR: [&str; 3] = ["AutoScalingGroupName", "TargetGroup", "LoadBalancer"];

/// What the core does not reason about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    policy_type: Option<String>,
    adjustment_type: Option<String>,
    min_adjustment_magnitude: Option<i32>,
    scaling_adjustment: Option<i32>,
    cooldown: Option<i32>,
    metric_aggregation_type: Option<String>,
    estimated_instance_warmup: Option<i32>,
    enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Step>,
    target_tracking: Option<TargetTracking>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    lower_bound: Option<f64>,
    upper_bound: Option<f64>,
    adjustment: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTracking {
    target_value: Option<f64>,
    disable_scale_in: Option<bool>,
    predefined: Option<String>,
    customized: Option<Metric>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    name: Option<String>,
    namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dimensions: Vec<(String, String)>,
    statistic: Option<String>,
    unit: Option<String>,
    period: Option<i32>,
}

/// Returns whether alarms that a policy does not name could still set it off.
pub(crate) fn waits_for_alarms(policy: &sdk::ScalingPolicy) -> bool {
    matches!(policy.policy_type(), Some("StepScaling" | "SimpleScaling"))
        && policy.alarms().is_empty()
}

/// Reads a policy.
pub(crate) fn read(policy: &sdk::ScalingPolicy) -> Result<Policy, ConvertError> {
    let name = policy.policy_name().ok_or(ConvertError::Missing("PolicyName"))?;
    let tracking = policy.target_tracking_configuration();
    let label = tracking
        .and_then(sdk::TargetTrackingConfiguration::predefined_metric_specification)
        .and_then(sdk::PredefinedMetricSpecification::resource_label);
    let counts_requests_of = label.and_then(read_label);
    let uncarried = uncarried(policy).or_else(|| {
        let unread = label.filter(|_| counts_requests_of.is_none())?;
        Some(format!("it counts requests of `{unread}`"))
    });
    // The alarms of target tracking are made and owned by AWS.
    let alarms = if tracking.is_some() { &[] } else { policy.alarms() };
    Ok(Policy {
        name: PolicyName::new(name),
        counts_requests_of,
        details: opaque::pack(&details(policy))?,
        alarms: alarms.iter().filter_map(|one| one.alarm_name().map(AlarmName::new)).collect(),
        uncarried,
    })
}

/// Reads `app/LB/ID/targetgroup/TG/ID`.
fn read_label(label: &str) -> Option<(LoadBalancerName, TargetGroupName)> {
    let at = label.find("/targetgroup/")?;
    let (balancer, group) = (&label[..at], &label[at + 1..]);
    Some((arn::load_balancer_of_part(balancer)?, arn::target_group_of_part(group)?))
}

fn uncarried(policy: &sdk::ScalingPolicy) -> Option<String> {
    if policy.policy_type() == Some("PredictiveScaling") {
        return Some("it is a predictive policy".to_owned());
    }
    if policy.min_adjustment_step().is_some() {
        return Some("it has a minimum adjustment step, which AWS has replaced".to_owned());
    }
    let metric = policy.target_tracking_configuration()?.customized_metric_specification()?;
    if !metric.metrics().is_empty() {
        return Some("it tracks an expression of several metrics".to_owned());
    }
    let names = metric.dimensions().iter().filter_map(sdk::MetricDimension::name);
    let own = names.into_iter().find(|name| OF_A_COLOR.contains(name))?;
    Some(format!("its metric is narrowed by `{own}`"))
}

fn details(policy: &sdk::ScalingPolicy) -> Details {
    let text = |value: Option<&str>| value.filter(|one| !one.is_empty()).map(str::to_owned);
    Details {
        policy_type: text(policy.policy_type()),
        adjustment_type: text(policy.adjustment_type()),
        min_adjustment_magnitude: policy.min_adjustment_magnitude(),
        scaling_adjustment: policy.scaling_adjustment(),
        cooldown: policy.cooldown(),
        metric_aggregation_type: text(policy.metric_aggregation_type()),
        estimated_instance_warmup: policy.estimated_instance_warmup(),
        enabled: policy.enabled(),
        steps: policy.step_adjustments().iter().map(Step::read).collect(),
        target_tracking: policy.target_tracking_configuration().map(TargetTracking::read),
    }
}

impl Step {
    fn read(step: &sdk::StepAdjustment) -> Self {
        Self {
            lower_bound: step.metric_interval_lower_bound(),
            upper_bound: step.metric_interval_upper_bound(),
            adjustment: step.scaling_adjustment(),
        }
    }

    fn write(self) -> sdk::StepAdjustment {
        sdk::StepAdjustment::builder()
            .set_metric_interval_lower_bound(self.lower_bound)
            .set_metric_interval_upper_bound(self.upper_bound)
            .set_scaling_adjustment(self.adjustment)
            .build()
    }
}

impl TargetTracking {
    /// The label of a request count is the core's.
    fn read(config: &sdk::TargetTrackingConfiguration) -> Self {
        let predefined = config
            .predefined_metric_specification()
            .and_then(sdk::PredefinedMetricSpecification::predefined_metric_type);
        Self {
            target_value: config.target_value(),
            disable_scale_in: config.disable_scale_in(),
            predefined: predefined.map(|one| one.as_str().to_owned()),
            customized: config.customized_metric_specification().map(Metric::read),
        }
    }

    fn write(self, label: Option<String>) -> sdk::TargetTrackingConfiguration {
        let predefined = self.predefined.map(|kind| {
            sdk::PredefinedMetricSpecification::builder()
                .predefined_metric_type(kind.as_str().into())
                .set_resource_label(label)
                .build()
        });
        sdk::TargetTrackingConfiguration::builder()
            .set_target_value(self.target_value)
            .set_disable_scale_in(self.disable_scale_in)
            .set_predefined_metric_specification(predefined)
            .set_customized_metric_specification(self.customized.map(Metric::write))
            .build()
    }
}

impl Metric {
    fn read(metric: &sdk::CustomizedMetricSpecification) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        Self {
            name: text(metric.metric_name()),
            namespace: text(metric.namespace()),
            dimensions: metric
                .dimensions()
                .iter()
                .filter_map(|one| Some((one.name()?.to_owned(), one.value()?.to_owned())))
                .collect(),
            statistic: metric.statistic().map(|one| one.as_str().to_owned()),
            unit: text(metric.unit()),
            period: metric.period(),
        }
    }

    fn write(self) -> sdk::CustomizedMetricSpecification {
        let dimensions = self
            .dimensions
            .into_iter()
            .map(|(name, value)| sdk::MetricDimension::builder().name(name).value(value).build())
            .collect::<Vec<_>>();
        sdk::CustomizedMetricSpecification::builder()
            .set_metric_name(self.name)
            .set_namespace(self.namespace)
            .set_dimensions((!dimensions.is_empty()).then_some(dimensions))
            .set_statistic(self.statistic.as_deref().map(Into::into))
            .set_unit(self.unit)
            .set_period(self.period)
            .build()
    }
}

/// Writes a policy; `label` says whose requests it counts, if it does.
pub(crate) fn write(
    group: &ScalingGroupName,
    policy: &Policy,
    label: Option<String>,
) -> Result<PutScalingPolicyInputBuilder, ConvertError> {
    let details: Details = opaque::unpack(&policy.details)?;
    let steps: Vec<_> = details.steps.into_iter().map(Step::write).collect();
    Ok(PutScalingPolicyInputBuilder::default()
        .auto_scaling_group_name(group.as_str())
        .policy_name(policy.name.as_str())
        .set_policy_type(details.policy_type)
        .set_adjustment_type(details.adjustment_type)
        .set_min_adjustment_magnitude(details.min_adjustment_magnitude)
        .set_scaling_adjustment(details.scaling_adjustment)
        .set_cooldown(details.cooldown)
        .set_metric_aggregation_type(details.metric_aggregation_type)
        .set_estimated_instance_warmup(details.estimated_instance_warmup)
        .set_enabled(details.enabled)
        .set_step_adjustments((!steps.is_empty()).then_some(steps))
        .set_target_tracking_configuration(details.target_tracking.map(|one| one.write(label))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracking(config: sdk::TargetTrackingConfiguration) -> sdk::ScalingPolicy {
        sdk::ScalingPolicy::builder()
            .policy_name("requests")
            .policy_type("TargetTrackingScaling")
            .target_tracking_configuration(config)
            .alarms(sdk::Alarm::builder().alarm_name("TargetTracking-web-AlarmHigh").build())
            .enabled(true)
            .build()
    }

    #[test]
    fn a_request_count_names_natural_keys() {
        let metric = sdk::PredefinedMetricSpecification::builder()
            .predefined_metric_type(sdk::MetricType::AlbRequestCountPerTarget)
            .resource_label("app/web/50dc/targetgroup/blue/73e2")
            .build();
        let config = sdk::TargetTrackingConfiguration::builder()
            .target_value(1000.0)
            .predefined_metric_specification(metric)
            .build();
        let policy = read(&tracking(config)).unwrap();
        let named = (LoadBalancerName::new("web"), TargetGroupName::new("blue"));
        assert_eq!(policy.counts_requests_of, Some(named));
        assert!(policy.alarms.is_empty() && policy.uncarried.is_none());
        assert!(!policy.details.value().to_string().contains("73e2"));

        let label = Some("app/web/50dc/targetgroup/green/99".to_owned());
        let written =
            write(&ScalingGroupName::new("green"), &policy, label).unwrap().build().unwrap();
        let written = written.target_tracking_configuration().unwrap();
        assert_eq!(
            written.predefined_metric_specification().unwrap().resource_label(),
            Some("app/web/50dc/targetgroup/green/99")
        );
        assert_eq!(written.target_value(), Some(1000.0));
    }

    #[test]
    fn a_metric_of_one_colour_is_not_carried() {
        let dimension =
            sdk::MetricDimension::builder().name("AutoScalingGroupName").value("blue").build();
        let metric = sdk::CustomizedMetricSpecification::builder()
            .metric_name("Queue")
            .namespace("App")
            .dimensions(dimension)
            .build();
        let config = sdk::TargetTrackingConfiguration::builder()
            .target_value(10.0)
            .customized_metric_specification(metric)
            .build();
        let policy = read(&tracking(config)).unwrap();
        assert_eq!(
            policy.uncarried.as_deref(),
            Some("its metric is narrowed by `AutoScalingGroupName`")
        );
    }

    #[test]
    fn steps_survive_with_their_alarms_named() {
        let step = sdk::StepAdjustment::builder()
            .metric_interval_lower_bound(0.0)
            .scaling_adjustment(2)
            .build();
        let policy = sdk::ScalingPolicy::builder()
            .policy_name("up")
            .policy_type("StepScaling")
            .adjustment_type("ChangeInCapacity")
            .step_adjustments(step.clone())
            .alarms(sdk::Alarm::builder().alarm_name("cpu-high").build())
            .build();
        let read = read(&policy).unwrap();
        assert_eq!(read.alarms, [AlarmName::new("cpu-high")]);
        let written = write(&ScalingGroupName::new("g"), &read, None).unwrap().build().unwrap();
        assert_eq!(written.step_adjustments(), [step]);
        assert_eq!(written.adjustment_type(), Some("ChangeInCapacity"));
    }
}
