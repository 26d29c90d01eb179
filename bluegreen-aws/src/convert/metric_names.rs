//! The resources that metrics name: by natural key in the model, as AWS spells them over the wire.

use bluegreen_core::model::{DimensionValue, Opaque, ScalingGroupName};
use serde_json::{Map, Value};

use crate::arn;

/// A name, and how AWS spells it.
pub(crate) type Spelled = (DimensionValue, String);

/// Reads a dimension that names a resource of which each colour has its own.
fn dimension(name: &str, value: &str) -> Option<DimensionValue> {
    match name {
        "AutoScalingGroupName" => Some(DimensionValue::ScalingGroup(ScalingGroupName::new(value))),
        "TargetGroup" => arn::target_group_of_part(value).map(DimensionValue::TargetGroup),
        "LoadBalancer" => arn::load_balancer_of_part(value).map(DimensionValue::LoadBalancer),
        _ => None,
    }
}

/// Reads `app/LB/ID/targetgroup/TG/ID`.
fn label(text: &str) -> Option<DimensionValue> {
    let at = text.find("/targetgroup/")?;
    let (balancer, group) = (&text[..at], &text[at + 1..]);
    let balancer = arn::load_balancer_of_part(balancer)?;
    Some(DimensionValue::Requests(balancer, arn::target_group_of_part(group)?))
}

/// Puts natural keys in the place of what names a resource.
pub(super) fn read(tree: &Value) -> Value {
    match tree {
        Value::Object(members) => {
            let mut members: Map<String, Value> =
                members.iter().map(|(key, one)| (key.clone(), read(one))).collect();
            let text = |key: &str| members.get(key).and_then(Value::as_str);
            let value = text("Name").zip(text("Value"));
            let value = value.and_then(|(name, value)| dimension(name, value));
            let label = text("ResourceLabel").and_then(label);
            members.extend(value.map(|name| ("Value".to_owned(), Opaque::name(&name))));
            members.extend(label.map(|name| ("ResourceLabel".to_owned(), Opaque::name(&name))));
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(read).collect(),
        other => other.clone(),
    }
}

/// Says which name of a resource could not be read, if there is one.
pub(super) fn unread(tree: &Value) -> Option<String> {
    /// The dimensions that name resources of which each colour has its own.
    const OF_A_COLOR: [&str; 3] = ["AutoScalingGroupName", "TargetGroup", "LoadBalancer"];
    match tree {
        Value::Object(members) => {
            let text = |key: &str| members.get(key).and_then(Value::as_str);
            let label = text("ResourceLabel").map(|one| format!("it counts requests of `{one}`"));
            let dimension = || {
                let (name, value) = text("Name").zip(text("Value"))?;
                let is_own = OF_A_COLOR.contains(&name);
                is_own.then(|| format!("its metric is narrowed by {name} `{value}`"))
            };
            label.or_else(dimension).or_else(|| members.values().find_map(unread))
        }
        Value::Array(items) => items.iter().find_map(unread),
        _ => None,
    }
}

/// Spells natural keys as AWS does; what is not known is left out.
pub(super) fn write(tree: &Value, spelled: &[Spelled]) -> Value {
    if let Some(name) = Opaque::named(tree) {
        let found = spelled.iter().find(|(one, _)| *one == name);
        return found.map_or(Value::Null, |(_, text)| Value::from(text.as_str()));
    }
    match tree {
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(members.map(|(key, one)| (key.clone(), write(one, spelled))).collect())
        }
        Value::Array(items) => items.iter().map(|one| write(one, spelled)).collect(),
        other => other.clone(),
    }
}
