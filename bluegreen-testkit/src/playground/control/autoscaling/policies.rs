//! Scaling policies, in the shape in which they travel through the core.

use bluegreen_core::model::{
    DimensionValue, LoadBalancerName, Opaque, Policy, PolicyKey, PolicyName, ScalingGroupName,
    TargetGroupName,
};
use serde_json::{Map, Value};

use super::refusal::{invalid, refused};
use super::{Call, Params, WireError, Xml, handed_through, metric_names, tree};
use crate::fake::World;
use crate::playground::control::names;
use crate::playground::site::Site;

/// The kind under which facts of policies are noted.
const POLICY: &str = "policy";

const TRACKING: &str = "TargetTrackingConfiguration";
const PREDICTIVE: &str = "PredictiveScalingConfiguration";

/// A policy as a request describes it.
struct Read {
    policy: Policy,
    /// What the world cannot hold, to be handed through.
    kept: Map<String, Value>,
}

/// Makes or replaces a policy.
pub(super) fn put(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let group = super::group_name(params)?;
    let Read { policy, kept } = read(site, params)?;
    let key = PolicyKey { group, policy: policy.name.clone() };
    super::amend(site, &key.group, |group| {
        let counted = policy.counts_requests_of.iter().map(|(_, counted)| counted.clone());
        let names = policy.details.names().into_iter().filter_map(|name| match name {
            DimensionValue::Requests(_, counted) => Some(counted),
            _ => None,
        });
        if counted.chain(names).any(|counted| !group.target_groups.contains(&counted)) {
            return Err(invalid("Target group not attached to the Auto Scaling group"));
        }
        let is_same = |one: &&Policy| one.name != policy.name && tracks_the_same(one, &policy);
        if group.policies.values().any(|one| is_same(&one)) {
            return Err(invalid(
                "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
            ));
        }
        Ok(())
    })?;
    site.cloud().place_policy(&key, policy).map_err(|error| refused(&error))?;
    let noted = format!("{}/{}", key.group, key.policy);
    if kept.is_empty() {
        site.facts().erase(POLICY, &noted, "kept");
    } else {
        site.facts().note(POLICY, &noted, "kept", kept);
    }
    Ok(Xml::new().text("PolicyARN", names::policy_arn(site, &key)).list("Alarms", "member", []))
}

fn tracks_the_same(one: &Policy, other: &Policy) -> bool {
    let metric = |policy: &Policy| {
        let tracking = &policy.details.value()["target_tracking"];
        (tracking["predefined"].clone(), tracking["customized"].clone())
    };
    let (predefined, customized) = metric(one);
    let tracks = !predefined.is_null() || !customized.is_null();
    tracks
        && metric(other) == (predefined, customized)
        && one.counts_requests_of == other.counts_requests_of
}

fn read(site: &Site, params: &Params) -> Result<Read, WireError> {
    let name = PolicyName::new(params.need("PolicyName")?);
    let kind = params.text("PolicyType").unwrap_or("SimpleScaling");
    let mut details = Map::new();
    let mut kept = Map::new();
    details.insert("policy_type".to_owned(), kind.into());
    details.insert("enabled".to_owned(), params.flag("Enabled")?.unwrap_or(true).into());
    for (member, key) in [
        ("MinAdjustmentMagnitude", "min_adjustment_magnitude"),
        ("ScalingAdjustment", "scaling_adjustment"),
        ("Cooldown", "cooldown"),
        ("EstimatedInstanceWarmup", "estimated_instance_warmup"),
    ] {
        if let Some(number) = params.number::<i32>(member)? {
            details.insert(key.to_owned(), number.into());
        }
    }
    if let Some(adjustment) = params.text("AdjustmentType") {
        details.insert("adjustment_type".to_owned(), adjustment.into());
    }
    let mut counted = None;
    let mut uncarried = None;
    match kind {
        "SimpleScaling" => need(&details, &["adjustment_type", "scaling_adjustment"])?,
        "StepScaling" => {
            need(&details, &["adjustment_type"])?;
            let aggregation = params.text("MetricAggregationType").unwrap_or("Average");
            details.insert("metric_aggregation_type".to_owned(), aggregation.into());
            details.insert("steps".to_owned(), steps(params)?);
        }
        "TargetTrackingScaling" => {
            if !params.has(TRACKING) {
                return Err(invalid("The parameter TargetTrackingConfiguration is required"));
            }
            let config = params.part(TRACKING);
            counted = label(site, &config)?;
            details.insert("target_tracking".to_owned(), tracking(site, &config)?);
        }
        "PredictiveScaling" => {
            let config = tree::read(params, PREDICTIVE);
            let config = config.ok_or_else(|| {
                invalid("The parameter PredictiveScalingConfiguration is required")
            })?;
            details.insert("predictive".to_owned(), metric_names::read(site, &config));
        }
        _ => return Err(invalid(format!("Invalid PolicyType: {kind}"))),
    }
    if let Some(step) = params.text("MinAdjustmentStep") {
        kept.insert("MinAdjustmentStep".to_owned(), step.into());
        let why = "it has a minimum adjustment step, which AWS has replaced";
        uncarried = uncarried.or_else(|| Some(why.to_owned()));
    }
    let policy = Policy {
        name,
        counts_requests_of: counted,
        details: Opaque::new(Value::Object(details)),
        alarms: vec![],
        uncarried,
    };
    Ok(Read { policy, kept })
}

fn need(details: &Map<String, Value>, keys: &[&str]) -> Result<(), WireError> {
    match keys.iter().find(|key| !details.contains_key(**key)) {
        Some(key) => Err(invalid(format!("A policy of this type needs the parameter {key}"))),
        None => Ok(()),
    }
}

fn steps(params: &Params) -> Result<Value, WireError> {
    let steps = params.structs("StepAdjustments");
    if steps.is_empty() || steps.len() > 20 {
        return Err(invalid(
            "At least one and at most 20 StepAdjustments must be specified for policy type: StepScaling",
        ));
    }
    let read = |step: &Params| {
        let adjustment = step.number::<i32>("ScalingAdjustment")?;
        let adjustment = adjustment.ok_or_else(|| invalid("A step needs a ScalingAdjustment"))?;
        let mut read = Map::new();
        for (member, key) in [
            ("MetricIntervalLowerBound", "lower_bound"),
            ("MetricIntervalUpperBound", "upper_bound"),
        ] {
            if let Some(bound) = step.number::<f64>(member)? {
                read.insert(key.to_owned(), bound.into());
            }
        }
        read.insert("adjustment".to_owned(), adjustment.into());
        Ok(Value::Object(read))
    };
    steps.iter().map(read).collect()
}

fn tracking(site: &Site, config: &Params) -> Result<Value, WireError> {
    let target = config.number::<f64>("TargetValue")?;
    let target = target.ok_or_else(|| invalid("The parameter TargetValue is required"))?;
    let mut tracking = Map::new();
    tracking.insert("target_value".to_owned(), target.into());
    let disabled = config.flag("DisableScaleIn")?.unwrap_or(false);
    tracking.insert("disable_scale_in".to_owned(), disabled.into());
    let predefined = config.text("PredefinedMetricSpecification.PredefinedMetricType");
    let custom = "CustomizedMetricSpecification";
    match (predefined, config.has(custom)) {
        (Some(kind), false) => drop(tracking.insert("predefined".to_owned(), kind.into())),
        (None, true) => {
            let metric = tree::read(config, custom).unwrap_or_default();
            drop(tracking.insert("customized".to_owned(), metric_names::read(site, &metric)));
        }
        _ => {
            return Err(invalid(
                "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification \
                 must be specified",
            ));
        }
    }
    Ok(Value::Object(tracking))
}

/// Reads whose requests are counted: `app/LB/ID/targetgroup/TG/ID`.
fn label(
    site: &Site,
    config: &Params,
) -> Result<Option<(LoadBalancerName, TargetGroupName)>, WireError> {
    let part = config.part("PredefinedMetricSpecification");
    let counts = part.text("PredefinedMetricType") == Some("ALBRequestCountPerTarget");
    let Some(label) = part.text("ResourceLabel") else {
        return if counts {
            Err(invalid("ALBRequestCountPerTarget needs a ResourceLabel"))
        } else {
            Ok(None)
        };
    };
    let named = |(balancer, target_group): (&str, &str)| {
        let balancer = LoadBalancerName::new(balancer.split('/').nth(1)?);
        let target_group = TargetGroupName::new(target_group.split('/').next()?);
        Some((balancer, target_group))
    };
    let (balancer, target_group) = label
        .split_once("/targetgroup/")
        .and_then(named)
        .ok_or_else(|| invalid(format!("Invalid resource label: {label}")))?;
    let world = site.cloud().world();
    let found = world.load_balancers.get(&balancer);
    let expected = found.map(|found| wanted_label(site, found.kind, &balancer, &target_group));
    if expected.as_deref() != Some(label) || !world.target_groups.contains_key(&target_group) {
        return Err(invalid("Target group not attached to the Auto Scaling group"));
    }
    Ok(Some((balancer, target_group)))
}

pub(super) fn wanted_label(
    site: &Site,
    kind: bluegreen_core::model::LoadBalancerKind,
    balancer: &LoadBalancerName,
    target_group: &TargetGroupName,
) -> String {
    let balancer = names::load_balancer_part(site, balancer, kind);
    format!("{balancer}/{}", names::target_group_part(site, target_group))
}

/// Deletes a policy.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let name = params.need("PolicyName")?;
    let world = site.cloud().world();
    let unknown = || invalid(format!("PolicyName not found - there is no scaling policy '{name}'"));
    let key = match params.text("AutoScalingGroupName") {
        Some(group) => {
            let group = ScalingGroupName::new(group);
            super::find(site, &group)?;
            PolicyKey { group, policy: PolicyName::new(name) }
        }
        None => keys(&world)
            .into_iter()
            .find(|key| names::policy_arn(site, key) == name)
            .ok_or_else(unknown)?,
    };
    if world.policy(&key).is_none() {
        return Err(unknown());
    }
    site.cloud().remove_policy(&key).map_err(|error| refused(&error))?;
    site.facts().forget(POLICY, &format!("{}/{}", key.group, key.policy));
    Ok(Xml::new())
}

fn keys(world: &World) -> Vec<PolicyKey> {
    let groups = world.scaling_groups.iter();
    let keys = groups.flat_map(|(group, state)| {
        let policies = state.policies.keys();
        policies.map(|policy| PolicyKey { group: group.clone(), policy: policy.clone() })
    });
    keys.collect()
}

/// Describes policies of a group, or of all.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let group = params.text("AutoScalingGroupName").map(ScalingGroupName::new);
    if let Some(group) = &group {
        super::find(site, group)?;
    }
    let (wanted, kinds) = (params.list("PolicyNames"), params.list("PolicyTypes"));
    let world = site.cloud().glimpse(World::clone);
    let mut shown = vec![];
    for key in keys(&world) {
        let Some(policy) = world.policy(&key) else { continue };
        let arn = names::policy_arn(site, &key);
        let is_named =
            wanted.is_empty() || wanted.iter().any(|one| one == key.policy.as_str() || *one == arn);
        let kind = policy.details.value()["policy_type"].as_str().unwrap_or("SimpleScaling");
        let is_of_kind = kinds.is_empty() || kinds.iter().any(|one| one == kind);
        if group.as_ref().is_none_or(|group| *group == key.group) && is_named && is_of_kind {
            shown.push(show(site, &world, &key, policy, &arn));
        }
    }
    super::listed(params, "ScalingPolicies", 50, shown)
}

fn show(site: &Site, world: &World, key: &PolicyKey, policy: &Policy, arn: &str) -> Xml {
    let details = policy.details.value();
    let alarms = world.alarms.values().filter(|alarm| alarm.sets_off.contains(key));
    let alarms = alarms.map(|alarm| {
        let arn =
            format!("arn:aws:cloudwatch:{}:{}:alarm:{}", site.region, site.account, alarm.name);
        Xml::new().text("AlarmName", &alarm.name).text("AlarmARN", arn)
    });
    let steps = details["steps"].as_array().into_iter().flatten().map(|step| {
        Xml::new()
            .maybe("MetricIntervalLowerBound", step["lower_bound"].as_f64())
            .maybe("MetricIntervalUpperBound", step["upper_bound"].as_f64())
            .maybe("ScalingAdjustment", step["adjustment"].as_i64())
    });
    let mut xml = Xml::new()
        .text("AutoScalingGroupName", &key.group)
        .text("PolicyName", &key.policy)
        .text("PolicyARN", arn)
        .text("PolicyType", details["policy_type"].as_str().unwrap_or("SimpleScaling"))
        .maybe("AdjustmentType", details["adjustment_type"].as_str())
        .maybe("MinAdjustmentMagnitude", details["min_adjustment_magnitude"].as_i64())
        .maybe("ScalingAdjustment", details["scaling_adjustment"].as_i64())
        .maybe("Cooldown", details["cooldown"].as_i64())
        .maybe("MetricAggregationType", details["metric_aggregation_type"].as_str())
        .maybe("EstimatedInstanceWarmup", details["estimated_instance_warmup"].as_i64())
        .text("Enabled", details["enabled"].as_bool().unwrap_or(true))
        .list("StepAdjustments", "member", steps)
        .list("Alarms", "member", alarms);
    let noted = format!("{}/{}", key.group, key.policy);
    let kept = site.facts().noted(POLICY, &noted, "kept").and_then(Value::as_object).cloned();
    let kept = kept.unwrap_or_default();
    for (member, value) in &kept {
        xml = handed_through(xml, member, value);
    }
    let tracking = &details["target_tracking"];
    let predictive = &details["predictive"];
    if predictive.is_object() {
        xml = handed_through(xml, PREDICTIVE, &metric_names::write(site, world, predictive));
    }
    if tracking.is_object() {
        let label = policy.counts_requests_of.as_ref().and_then(|(balancer, target_group)| {
            let kind = world.load_balancers.get(balancer)?.kind;
            Some(wanted_label(site, kind, balancer, target_group))
        });
        xml = xml.node(TRACKING, show_tracking(site, world, tracking, label.as_deref()));
    }
    xml
}

fn show_tracking(site: &Site, world: &World, tracking: &Value, label: Option<&str>) -> Xml {
    let mut xml = Xml::new()
        .maybe("TargetValue", tracking["target_value"].as_f64())
        .maybe("DisableScaleIn", tracking["disable_scale_in"].as_bool());
    if let Some(kind) = tracking["predefined"].as_str() {
        let metric = Xml::new().text("PredefinedMetricType", kind).maybe("ResourceLabel", label);
        xml = xml.node("PredefinedMetricSpecification", metric);
    }
    let custom = &tracking["customized"];
    if custom.is_object() {
        let custom = metric_names::write(site, world, custom);
        xml = handed_through(xml, "CustomizedMetricSpecification", &custom);
    }
    xml
}
