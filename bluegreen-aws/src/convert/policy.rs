//! Scaling policies.

use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::{
    AlarmName, LoadBalancerName, Policy, PolicyName, ScalingGroupName, TargetGroupName,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::metric_names::{self, Spelled};
use super::{ConvertError, opaque};
use crate::arn;
use crate::query::{Form, Tree, filled};

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
    /// As AWS wrote it.
    predictive: Option<Value>,
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
    /// As AWS wrote it; journals of earlier versions hold a [`Metric`].
    customized: Option<Value>,
}

/// A customised metric as earlier versions wrote it.
#[derive(Debug, Deserialize)]
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

/// Reads a policy, from what the SDK read and what AWS wrote.
pub(crate) fn read(policy: &sdk::ScalingPolicy, tree: &Tree) -> Result<Policy, ConvertError> {
    let name = policy.policy_name().ok_or(ConvertError::Missing("PolicyName"))?;
    let tracking = policy.target_tracking_configuration();
    let label = tracking
        .and_then(sdk::TargetTrackingConfiguration::predefined_metric_specification)
        .and_then(sdk::PredefinedMetricSpecification::resource_label);
    let counts_requests_of = label.and_then(read_label);
    let details = details(policy, tree);
    let uncarried = uncarried(policy, tree, &details).or_else(|| {
        let unread = label.filter(|_| counts_requests_of.is_none())?;
        Some(format!("it counts requests of `{unread}`"))
    });
    // The alarms of target tracking are made and owned by AWS.
    let alarms = if tracking.is_some() { &[] } else { policy.alarms() };
    Ok(Policy {
        name: PolicyName::new(name),
        counts_requests_of,
        details: opaque::pack(&details)?,
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

fn uncarried(policy: &sdk::ScalingPolicy, tree: &Tree, details: &Details) -> Option<String> {
    if policy.min_adjustment_step().is_some() {
        return Some("it has a minimum adjustment step, which AWS has replaced".to_owned());
    }
    // What the SDK read and AWS did not write could not be carried whole.
    let unwritten = |has: bool, name: &str| {
        let lost = has && tree.0.pointer(name).is_none();
        lost.then(|| format!("AWS's reply could not be read: {name}"))
    };
    // An emulator may write empty elements, which are nothing.
    let nothing = sdk::CustomizedMetricSpecification::builder().build();
    let customized = policy
        .target_tracking_configuration()
        .and_then(sdk::TargetTrackingConfiguration::customized_metric_specification)
        .is_some_and(|metric| *metric != nothing);
    let predictive = policy.policy_type() == Some("PredictiveScaling");
    let tracking = &details.target_tracking;
    let metrics = tracking.iter().filter_map(|one| one.customized.as_ref());
    unwritten(predictive, "/PredictiveScalingConfiguration")
        .or_else(|| {
            unwritten(customized, "/TargetTrackingConfiguration/CustomizedMetricSpecification")
        })
        .or_else(|| metrics.chain(&details.predictive).find_map(metric_names::unread))
}

fn details(policy: &sdk::ScalingPolicy, tree: &Tree) -> Details {
    let text = |value: Option<&str>| filled(value).map(str::to_owned);
    let customized = tree.0.pointer("/TargetTrackingConfiguration/CustomizedMetricSpecification");
    let tracking = policy.target_tracking_configuration();
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
        target_tracking: tracking.map(|one| TargetTracking::read(one, customized)),
        predictive: tree.get("PredictiveScalingConfiguration").map(metric_names::read),
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

    fn write(&self, form: Form, index: usize) -> Form {
        let member = |name| format!("StepAdjustments.member.{index}.{name}");
        form.with_some(&member("MetricIntervalLowerBound"), text(self.lower_bound))
            .with_some(&member("MetricIntervalUpperBound"), text(self.upper_bound))
            .with_some(&member("ScalingAdjustment"), text(self.adjustment))
    }
}

impl TargetTracking {
    /// The label of a request count is the core's.
    fn read(config: &sdk::TargetTrackingConfiguration, customized: Option<&Value>) -> Self {
        let predefined = config
            .predefined_metric_specification()
            .and_then(sdk::PredefinedMetricSpecification::predefined_metric_type);
        Self {
            target_value: config.target_value(),
            disable_scale_in: config.disable_scale_in(),
            predefined: predefined.map(|one| one.as_str().to_owned()),
            customized: customized.map(metric_names::read),
        }
    }

    fn write(self, form: Form, label: Option<String>, spelled: &[Spelled]) -> Form {
        const AT: &str = "TargetTrackingConfiguration";
        let member = |name| format!("{AT}.{name}");
        let predefined = "PredefinedMetricSpecification";
        let form = form
            .with_some(&member("TargetValue"), text(self.target_value))
            .with_some(&member("DisableScaleIn"), text(self.disable_scale_in))
            .with_some(&format!("{AT}.{predefined}.PredefinedMetricType"), self.predefined)
            .with_some(&format!("{AT}.{predefined}.ResourceLabel"), label);
        match self.customized {
            Some(metric) => {
                let metric = metric_names::write(&Metric::renewed(metric), spelled);
                form.with_tree(&member("CustomizedMetricSpecification"), &metric)
            }
            None => form,
        }
    }
}

impl Metric {
    /// Writes as AWS does what an earlier version wrote.
    fn renewed(metric: Value) -> Value {
        let Ok(old) = Self::deserialize(&metric) else { return metric };
        let dimensions: Vec<Value> = old
            .dimensions
            .iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        json!({
            "MetricName": old.name,
            "Namespace": old.namespace,
            "Dimensions": dimensions,
            "Statistic": old.statistic,
            "Unit": old.unit,
            "Period": old.period,
        })
    }
}

fn text<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|one| one.to_string())
}

/// Writes a policy; `label` says whose requests it counts, if it does, and `spelled` how AWS calls
/// what its metrics name.
pub(crate) fn write(
    group: &ScalingGroupName,
    policy: &Policy,
    label: Option<String>,
    spelled: &[Spelled],
) -> Result<Form, ConvertError> {
    let details: Details = opaque::unpack(&policy.details)?;
    let form = Form::new("PutScalingPolicy")
        .with("AutoScalingGroupName", group.as_str())
        .with("PolicyName", policy.name.as_str())
        .with_some("PolicyType", details.policy_type)
        .with_some("AdjustmentType", details.adjustment_type)
        .with_some("MinAdjustmentMagnitude", text(details.min_adjustment_magnitude))
        .with_some("ScalingAdjustment", text(details.scaling_adjustment))
        .with_some("Cooldown", text(details.cooldown))
        .with_some("MetricAggregationType", details.metric_aggregation_type)
        .with_some("EstimatedInstanceWarmup", text(details.estimated_instance_warmup))
        .with_some("Enabled", text(details.enabled));
    let steps = (1..).zip(&details.steps);
    let form = steps.fold(form, |form, (index, step)| step.write(form, index));
    let form = match details.target_tracking {
        Some(tracking) => tracking.write(form, label, spelled),
        None => form,
    };
    Ok(match details.predictive {
        Some(predictive) => form.with_tree(
            "PredictiveScalingConfiguration",
            &metric_names::write(&predictive, spelled),
        ),
        None => form,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Tree = Tree(Value::Null);

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
        let policy = read(&tracking(config), &BARE).unwrap();
        let named = (LoadBalancerName::new("web"), TargetGroupName::new("blue"));
        assert_eq!(policy.counts_requests_of, Some(named));
        assert!(policy.alarms.is_empty() && policy.uncarried.is_none());
        assert!(!policy.details.value().to_string().contains("73e2"));

        let label = Some("app/web/50dc/targetgroup/green/99".to_owned());
        let written = write(&ScalingGroupName::new("green"), &policy, label, &[]).unwrap();
        let written = written.encode("v");
        let label = "PredefinedMetricSpecification.ResourceLabel=app%2Fweb%2F50dc%2Ftargetgroup%2Fgreen%2F99";
        assert!(written.contains(label), "{written}");
        assert!(written.contains("TargetTrackingConfiguration.TargetValue=1000&"), "{written}");
    }

    /// A policy of which AWS writes `inner`.
    fn customized(kind: &str, inner: &str) -> (sdk::ScalingPolicy, Tree) {
        let document = format!("<P><PolicyName>queue</PolicyName>{inner}</P>");
        let policy = sdk::ScalingPolicy::builder().policy_name("queue").policy_type(kind);
        let metric = sdk::CustomizedMetricSpecification::builder().build();
        let config = sdk::TargetTrackingConfiguration::builder()
            .customized_metric_specification(metric)
            .build();
        let predictive = sdk::PredictiveScalingConfiguration::builder().build();
        let policy = match kind {
            "PredictiveScaling" => policy.predictive_scaling_configuration(predictive),
            _ => policy.target_tracking_configuration(config),
        };
        (policy.build(), Tree::parse(document.as_bytes()))
    }

    fn named(details: &bluegreen_core::model::Opaque) -> Vec<String> {
        details
            .names()
            .iter()
            .map(|name| serde_json::to_string(name).expect("names are plain data"))
            .collect()
    }

    #[test]
    fn a_metric_of_one_colour_names_natural_keys() {
        let metric = "<Metrics><member><Id>m</Id><MetricStat><Metric><Namespace>App</Namespace>
            <MetricName>Queue</MetricName><Dimensions>
            <member><Name>AutoScalingGroupName</Name><Value>blue</Value></member>
            <member><Name>TargetGroup</Name><Value>targetgroup/blue/01</Value></member>
            <member><Name>Stage</Name><Value>live</Value></member></Dimensions></Metric>
            <Stat>Sum</Stat></MetricStat><ReturnData>false</ReturnData></member>
            <member><Id>e</Id><Expression>m / 2</Expression></member></Metrics>";
        let inner = format!(
            "<TargetTrackingConfiguration><TargetValue>10.0</TargetValue>
             <CustomizedMetricSpecification>{metric}</CustomizedMetricSpecification>
             </TargetTrackingConfiguration>"
        );
        let (policy, tree) = customized("TargetTrackingScaling", &inner);
        let policy = read(&policy, &tree).unwrap();
        assert_eq!(policy.uncarried, None);
        assert_eq!(
            named(&policy.details),
            [r#"{"scaling_group":"blue"}"#, r#"{"target_group":"blue"}"#]
        );
        let spelled: Vec<_> =
            policy.details.names().into_iter().map(|name| (name, "X".to_owned())).collect();
        let form = write(&ScalingGroupName::new("g"), &policy, None, &spelled).unwrap().encode("v");
        let at =
            "CustomizedMetricSpecification.Metrics.member.1.MetricStat.Metric.Dimensions.member";
        for part in [
            format!("{at}.1.Value=X&"),
            format!("{at}.3.Value=live&"),
            "Metrics.member.2.Expression=m%20%2F%202".to_owned(),
        ] {
            assert!(form.contains(&part), "{part} is not in {form}");
        }
    }

    #[test]
    fn a_predictive_policy_names_natural_keys() {
        let inner =
            "<PredictiveScalingConfiguration><Mode>ForecastOnly</Mode><MetricSpecifications>
            <member><TargetValue>50</TargetValue><PredefinedMetricPairSpecification>
            <PredefinedMetricType>ALBRequestCount</PredefinedMetricType>
            <ResourceLabel>app/web/50dc/targetgroup/blue/73e2</ResourceLabel>
            </PredefinedMetricPairSpecification></member></MetricSpecifications>
            </PredictiveScalingConfiguration>";
        let (policy, tree) = customized("PredictiveScaling", inner);
        let policy = read(&policy, &tree).unwrap();
        assert_eq!(policy.uncarried, None);
        assert_eq!(named(&policy.details), [r#"{"requests":["web","blue"]}"#]);

        let strange = inner.replace("app/web/50dc/targetgroup/blue/73e2", "app/web");
        let (policy, tree) = customized("PredictiveScaling", &strange);
        let why = read(&policy, &tree).unwrap().uncarried.unwrap();
        assert!(why.contains("`app/web`"), "{why}");
        // Without AWS's own words it could not be carried whole.
        assert!(read(&policy, &BARE).unwrap().uncarried.is_some());
    }

    #[test]
    fn a_metric_of_an_earlier_version_is_still_written() {
        let details = json!({
            "policy_type": "TargetTrackingScaling",
            "target_tracking": {"target_value": 5.0, "customized": {
                "name": "Queue", "namespace": "App", "dimensions": [["Stage", "live"]],
            }},
        });
        let policy = Policy {
            name: PolicyName::new("queue"),
            counts_requests_of: None,
            details: bluegreen_core::model::Opaque::new(details),
            alarms: vec![],
            uncarried: None,
        };
        let form = write(&ScalingGroupName::new("g"), &policy, None, &[]).unwrap().encode("v");
        let at = "TargetTrackingConfiguration.CustomizedMetricSpecification";
        assert!(form.contains(&format!("{at}.MetricName=Queue")), "{form}");
        assert!(form.contains(&format!("{at}.Dimensions.member.1.Value=live")), "{form}");
        assert!(!form.contains("Unit"), "{form}");
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
            .step_adjustments(step)
            .alarms(sdk::Alarm::builder().alarm_name("cpu-high").build())
            .build();
        let read = read(&policy, &BARE).unwrap();
        assert_eq!(read.alarms, [AlarmName::new("cpu-high")]);
        let written = write(&ScalingGroupName::new("g"), &read, None, &[]).unwrap().encode("v");
        let steps = "&StepAdjustments.member.1.MetricIntervalLowerBound=0\
                     &StepAdjustments.member.1.ScalingAdjustment=2";
        assert!(written.contains(steps), "{written}");
        assert!(written.contains("&AdjustmentType=ChangeInCapacity&"), "{written}");
    }
}
