//! Alarms between the wire and the model, in the shape in which an adapter carries them.

use bluegreen_core::model::{
    Alarm, AlarmName, Dimension, DimensionValue, LoadBalancerName, Opaque, PolicyKey, PolicyName,
    ScalingGroupName, TargetGroupName,
};
use serde_json::{Map, Value, json};

use super::super::load_balancing::{Names, Tree};
use super::super::{Params, WireError, Xml};
use super::{KIND, invalid};
use crate::fake::World;
use crate::playground::site::Site;

const TEXTS: [(&str, &str); 9] = [
    ("description", "AlarmDescription"),
    ("metric", "MetricName"),
    ("namespace", "Namespace"),
    ("statistic", "Statistic"),
    ("extended_statistic", "ExtendedStatistic"),
    ("unit", "Unit"),
    ("comparison_operator", "ComparisonOperator"),
    ("treat_missing_data", "TreatMissingData"),
    ("evaluate_low_sample_count_percentile", "EvaluateLowSampleCountPercentile"),
];
const NUMBERS: [(&str, &str); 3] = [
    ("period", "Period"),
    ("evaluation_periods", "EvaluationPeriods"),
    ("datapoints_to_alarm", "DatapointsToAlarm"),
];
const LISTS: [(&str, &str); 2] =
    [("ok_actions", "OKActions"), ("insufficient_data_actions", "InsufficientDataActions")];
/// What is given back as it came, each with why an adapter cannot carry it.
const EXTRA: [(&str, &str); 7] = [
    ("Metrics", "it watches an expression of several metrics"),
    ("ThresholdMetricId", "its threshold is a metric"),
    ("EvaluationCriteria", "it has evaluation criteria"),
    ("EvaluationWindow", "it has an evaluation window"),
    ("EvaluationInterval", "it has an evaluation interval"),
    ("WarmUpConfiguration", "it has a warm-up"),
    ("ActionConfiguration", "it has an action configuration"),
];
const OPERATORS: [&str; 7] = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];

/// Reads an alarm, and what is only given back.
pub(super) fn read(params: &Params) -> Result<(Alarm, Tree), WireError> {
    let name = params.need("AlarmName")?;
    if name.is_empty() || name.len() > 255 {
        return Err(invalid("The name of an alarm has 1 to 255 characters"));
    }
    let whole = Tree::read(params).0;
    let extra = EXTRA.iter().filter(|(name, _)| params.has(name));
    let extra: Map<String, Value> =
        extra.map(|(name, _)| ((*name).to_owned(), whole[*name].clone())).collect();
    check(params, &extra)?;
    let (mut others, mut sets_off) = (vec![], vec![]);
    for arn in params.list("AlarmActions") {
        match policy(&arn) {
            Some(key) => sets_off.push(key),
            None => others.push(arn),
        }
    }
    let mut details = Map::new();
    details.insert(
        "actions_enabled".to_owned(),
        params.flag("ActionsEnabled")?.unwrap_or(true).into(),
    );
    for (field, name) in TEXTS {
        if let Some(text) = params.text(name).filter(|text| !text.is_empty()) {
            details.insert(field.to_owned(), text.into());
        }
    }
    for (field, name) in NUMBERS {
        if let Some(number) = params.number::<i32>(name)? {
            details.insert(field.to_owned(), number.into());
        }
    }
    if let Some(threshold) = params.number::<f64>("Threshold")? {
        details.insert("threshold".to_owned(), threshold.into());
    }
    let mut calls_elsewhere = false;
    for (field, name) in LISTS {
        let actions = params.list(name);
        calls_elsewhere |= actions.iter().any(|arn| policy(arn).is_some());
        put_list(&mut details, field, &actions);
    }
    put_list(&mut details, "alarm_actions", &others);
    let uncarried = EXTRA.iter().find(|(name, _)| extra.contains_key(*name)).map(|(_, why)| *why);
    let elsewhere =
        calls_elsewhere.then_some("it sets off a policy in a state other than the alarm");
    let mut dimensions = vec![];
    for dimension in params.structs("Dimensions") {
        dimensions.push(read_dimension(dimension.need("Name")?, dimension.need("Value")?));
    }
    let alarm = Alarm {
        name: AlarmName::new(name),
        dimensions,
        sets_off,
        details: Opaque::new(details.into()),
        uncarried: uncarried.or(elsewhere).map(str::to_owned),
    };
    Ok((alarm, Tree(extra.into())))
}

/// Writes an alarm.
pub(super) fn write(site: &Site, world: &World, alarm: &Alarm) -> Xml {
    let details = alarm.details.value();
    let leaf = |field: &str| match &details[field] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let list = |field: &str| {
        let items = details[field].as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let name = alarm.name.as_str();
    let Site { region, account, .. } = site;
    let (noted, extra) = {
        let facts = site.facts();
        let text =
            |field| facts.noted(KIND, name, field).and_then(Value::as_str).map(str::to_owned);
        let noted = [text("updated"), text("reason")];
        (noted, facts.noted(KIND, name, "extra").cloned())
    };
    let [updated, reason] = noted;
    let xml = Xml::new()
        .text("AlarmName", name)
        .text("AlarmArn", format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}"))
        .maybe("AlarmConfigurationUpdatedTimestamp", updated)
        .maybe("ActionsEnabled", leaf("actions_enabled"))
        .texts("AlarmActions", "member", actions(site, alarm))
        .text("StateValue", state(site, name))
        .text("StateReason", reason.as_deref().unwrap_or("Unchecked: Initial alarm creation"));
    let xml = LISTS.iter().fold(xml, |xml, (field, name)| xml.texts(name, "member", list(field)));
    let fields = TEXTS.iter().chain(&NUMBERS);
    let xml = fields.fold(xml, |xml, (field, name)| xml.maybe(name, leaf(field)));
    let dimensions = alarm.dimensions.iter().map(|dimension| {
        let value = dimension_value(site, world, &dimension.value);
        Xml::new().text("Name", &dimension.name).text("Value", value)
    });
    xml.maybe("Threshold", leaf("threshold"))
        .list("Dimensions", "member", dimensions)
        .with(extra.map(|extra| Tree(extra).write()).unwrap_or_default())
}

/// Returns what an alarm calls when it goes off.
pub(super) fn actions(site: &Site, alarm: &Alarm) -> impl Iterator<Item = String> {
    let others = alarm.details.value()["alarm_actions"].as_array().into_iter().flatten();
    let others = others.filter_map(Value::as_str).map(str::to_owned);
    others.chain(alarm.sets_off.iter().map(|key| policy_arn(site, key)))
}

/// Returns the state that somebody set.
pub(super) fn state(site: &Site, name: &str) -> String {
    let facts = site.facts();
    let noted = facts.noted(KIND, name, "state").and_then(Value::as_str);
    noted.unwrap_or("INSUFFICIENT_DATA").to_owned()
}

fn check(params: &Params, extra: &Map<String, Value>) -> Result<(), WireError> {
    let by_criteria = extra.contains_key("EvaluationCriteria");
    if !by_criteria {
        let operator = params.need("ComparisonOperator")?;
        if !OPERATORS.contains(&operator) {
            return Err(invalid(format!("'{operator}' is not a comparison operator")));
        }
        params.need("EvaluationPeriods")?;
    }
    if extra.contains_key("Metrics") || by_criteria {
        return Ok(());
    }
    for name in ["MetricName", "Namespace", "Period", "Threshold"] {
        params.need(name)?;
    }
    let statistics = [params.text("Statistic"), params.text("ExtendedStatistic")];
    if statistics.into_iter().flatten().count() != 1 {
        return Err(invalid("Exactly one of Statistic and ExtendedStatistic must be specified"));
    }
    let period = params.number::<u32>("Period")?.unwrap_or_default();
    if !matches!(period, 10 | 20 | 30) && (period == 0 || period % 60 != 0) {
        return Err(invalid("Period must be 10, 20, 30 or a multiple of 60"));
    }
    let periods = params.number::<u32>("EvaluationPeriods")?.unwrap_or_default();
    let points = params.number::<u32>("DatapointsToAlarm")?.unwrap_or(1);
    if periods == 0 || points == 0 || points > periods {
        return Err(invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods"));
    }
    Ok(())
}

fn read_dimension(name: &str, value: &str) -> Dimension {
    let parts: Vec<_> = value.split('/').collect();
    let value = match (name, parts.as_slice()) {
        ("AutoScalingGroupName", _) => DimensionValue::ScalingGroup(ScalingGroupName::new(value)),
        ("TargetGroup", ["targetgroup", name, _, ..]) if !name.is_empty() => {
            DimensionValue::TargetGroup(TargetGroupName::new(*name))
        }
        ("LoadBalancer", ["app" | "net" | "gwy", name, _, ..]) if !name.is_empty() => {
            DimensionValue::LoadBalancer(LoadBalancerName::new(*name))
        }
        _ => DimensionValue::Literal(value.to_owned()),
    };
    Dimension { name: name.to_owned(), value }
}

fn dimension_value(site: &Site, world: &World, value: &DimensionValue) -> String {
    let names = Names::of(site);
    let resource = |arn: String| arn.splitn(6, ':').nth(5).unwrap_or_default().to_owned();
    match value {
        DimensionValue::ScalingGroup(name) => name.to_string(),
        DimensionValue::TargetGroup(name) => resource(names.target_group(name)),
        DimensionValue::LoadBalancer(name) => {
            let part = resource(names.load_balancer(world, name));
            part.strip_prefix("loadbalancer/").unwrap_or(&part).to_owned()
        }
        DimensionValue::Literal(text) => text.clone(),
        other => json!(other).to_string(),
    }
}

/// Returns the policy that an ARN names:
/// `arn:aws:autoscaling:R:A:scalingPolicy:UUID:autoScalingGroupName/GROUP:policyName/NAME`.
fn policy(arn: &str) -> Option<PolicyKey> {
    let (_, rest) = arn.split_once(":scalingPolicy:")?;
    let (_, rest) = rest.split_once(":autoScalingGroupName/")?;
    let (group, policy) = rest.split_once(":policyName/")?;
    Some(PolicyKey { group: ScalingGroupName::new(group), policy: PolicyName::new(policy) })
}

fn policy_arn(site: &Site, key: &PolicyKey) -> String {
    let PolicyKey { group, policy } = key;
    let Site { region, account, .. } = site;
    let id = uuid(&site.facts().identity("policy", &format!("{group}/{policy}")));
    format!(
        "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{id}:autoScalingGroupName/{group}:policyName/{policy}"
    )
}

fn uuid(identity: &str) -> String {
    let digits: String = identity.chars().chain("0".repeat(16).chars()).take(16).collect();
    let (first, rest) = digits.split_at(8);
    let (second, third) = rest.split_at(4);
    format!("{first}-{second}-4{}-8{}-{digits:.12}", &third[..3], &third[1..])
}

fn put_list(details: &mut Map<String, Value>, field: &str, items: &[String]) {
    if !items.is_empty() {
        details.insert(field.to_owned(), json!(items));
    }
}
