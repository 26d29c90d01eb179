//! The resources that the metrics of a policy name: by natural key in the world, as AWS spells them
//! over the wire.

use bluegreen_core::model::{
    DimensionValue, LoadBalancerName, Opaque, ScalingGroupName, TargetGroupName,
};
use serde_json::{Map, Value};

use super::policies::wanted_label;
use crate::fake::World;
use crate::playground::control::names;
use crate::playground::site::Site;

/// Puts natural keys in the place of what names something that is there.
pub(super) fn read(site: &Site, tree: &Value) -> Value {
    let world = site.cloud().world();
    let dimension = |name: &str, value: &str| {
        let key = match name {
            "AutoScalingGroupName" => DimensionValue::ScalingGroup(ScalingGroupName::new(value)),
            "TargetGroup" => {
                DimensionValue::TargetGroup(TargetGroupName::new(value.split('/').nth(1)?))
            }
            "LoadBalancer" => {
                DimensionValue::LoadBalancer(LoadBalancerName::new(value.split('/').nth(1)?))
            }
            _ => return None,
        };
        (spell(site, &world, &key).as_deref() == Some(value)).then(|| Opaque::name(&key))
    };
    let label = |value: &str| {
        let (balancer, target_group) = value.split_once("/targetgroup/")?;
        let balancer = LoadBalancerName::new(balancer.split('/').nth(1)?);
        let target_group = TargetGroupName::new(target_group.split('/').next()?);
        let key = DimensionValue::Requests(balancer, target_group);
        (spell(site, &world, &key).as_deref() == Some(value)).then(|| Opaque::name(&key))
    };
    walk(tree, &|members: &mut Map<String, Value>| {
        let text = |key: &str| members.get(key).and_then(Value::as_str);
        let value =
            text("Name").zip(text("Value")).and_then(|(name, value)| dimension(name, value));
        let label = text("ResourceLabel").and_then(label);
        members.extend(value.map(|key| ("Value".to_owned(), key)));
        members.extend(label.map(|key| ("ResourceLabel".to_owned(), key)));
    })
}

/// Spells natural keys as AWS does.
pub(super) fn write(site: &Site, world: &World, tree: &Value) -> Value {
    if let Some(key) = Opaque::named(tree) {
        return spell(site, world, &key).map_or(Value::Null, Value::from);
    }
    match tree {
        Value::Object(members) => {
            let members = members.iter();
            let written = members.map(|(key, one)| (key.clone(), write(site, world, one)));
            Value::Object(written.collect())
        }
        Value::Array(items) => items.iter().map(|one| write(site, world, one)).collect(),
        other => other.clone(),
    }
}

fn spell(site: &Site, world: &World, key: &DimensionValue) -> Option<String> {
    match key {
        DimensionValue::ScalingGroup(name) => Some(name.to_string()),
        DimensionValue::TargetGroup(name) => {
            world.target_groups.contains_key(name).then(|| names::target_group_part(site, name))
        }
        DimensionValue::LoadBalancer(name) => {
            let kind = world.load_balancers.get(name)?.kind;
            Some(names::load_balancer_part(site, name, kind))
        }
        DimensionValue::Requests(balancer, name) => {
            let kind = world.load_balancers.get(balancer)?.kind;
            Some(wanted_label(site, kind, balancer, name))
        }
        _ => None,
    }
}

fn walk(tree: &Value, name: &impl Fn(&mut Map<String, Value>)) -> Value {
    match tree {
        Value::Object(members) => {
            let mut members: Map<String, Value> =
                members.iter().map(|(key, one)| (key.clone(), walk(one, name))).collect();
            name(&mut members);
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(|one| walk(one, name)).collect(),
        other => other.clone(),
    }
}
