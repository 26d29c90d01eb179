//! Action lists between the wire and the model, which carries what it does not reason about.

mod carried;

use std::collections::BTreeMap;

use bluegreen_core::model::{Action, Actions, Forward, Opaque, Stickiness, TargetGroupName};
use serde_json::{Value, json};

use super::super::{Params, WireError, Xml};
use super::Names;
use super::refusal::{invalid, no_target_group};
use crate::fake::World;

/// The most actions of a route: one that authenticates, one that answers.
pub(super) const MOST_ACTIONS: usize = 2;

/// Reads the actions of a route; `before` is what the route did until now, whose secrets may stay.
pub(super) fn read(
    params: &Params,
    list: &str,
    names: &Names<'_>,
    world: &World,
    before: Option<&Actions>,
) -> Result<Actions, WireError> {
    let mut parts = vec![];
    for part in params.structs(list) {
        parts.push((part.number::<u32>("Order")?, part));
    }
    if parts.len() > MOST_ACTIONS {
        let message = format!("You cannot specify more than '{MOST_ACTIONS}' actions");
        return Err(WireError::new("TooManyActions", message));
    }
    if parts.iter().any(|(order, _)| order.is_some_and(|order| order == 0 || order > 50_000)) {
        return Err(invalid("The order of an action must be between 1 and 50000"));
    }
    if parts.len() > 1 {
        let mut orders: Vec<_> = parts.iter().filter_map(|(order, _)| *order).collect();
        orders.sort_unstable();
        orders.dedup();
        if orders.len() < parts.len() {
            return Err(invalid("Each of several actions must have an order of its own"));
        }
    }
    parts.sort_by_key(|(order, _)| *order);
    let actions = parts.iter().map(|(order, part)| match part.need("Type")? {
        "forward" => read_forward(part, *order, names, world),
        kind => carried::read(part, kind, before).map(Action::Other),
    });
    actions.collect::<Result<_, _>>().map(Actions::new)
}

/// Writes the actions of a route as they are described.
pub(super) fn write(actions: &Actions, names: &Names<'_>) -> Vec<Xml> {
    let several = actions.as_slice().len() > 1;
    let one = |(place, action): (u64, &Action)| {
        let place = several.then_some(place);
        match action {
            Action::Forward(forward) => {
                let order = forward.form().value()["order"].as_u64().or(place);
                write_forward(forward, order, names)
            }
            Action::Other(opaque) => carried::write(opaque.value(), place),
        }
    };
    (1..).zip(actions.as_slice()).map(one).collect()
}

/// Returns whether an action forwards to a target group, with whatever weights.
pub(super) fn names_target_group(action: &Action, name: &TargetGroupName, arn: &str) -> bool {
    match action {
        Action::Forward(forward) => forward.names(name),
        Action::Other(opaque) => {
            let targets = opaque.value()["target_groups"].as_array();
            targets.into_iter().flatten().any(|target| target["arn"] == arn)
        }
    }
}

fn read_forward(
    part: &Params,
    order: Option<u32>,
    names: &Names<'_>,
    world: &World,
) -> Result<Action, WireError> {
    let find = |arn: &str| names.find_target_group(world, arn).ok_or_else(no_target_group);
    let config = part.part("ForwardConfig");
    let targets = config.structs("TargetGroups");
    let mut weights = BTreeMap::new();
    for target in &targets {
        let weight = target.number::<u32>("Weight")?;
        if weight.is_none() && targets.len() > 1 {
            return Err(invalid("You must specify a weight for each of several target groups"));
        }
        let name = find(target.need("TargetGroupArn")?)?;
        if weights.insert(name, weight.unwrap_or(1)).is_some() {
            return Err(invalid("A target group can be named only once in a forward action"));
        }
    }
    if let Some(arn) = part.text("TargetGroupArn") {
        let name = find(arn)?;
        if targets.is_empty() {
            weights.insert(name, 1);
        } else if weights.len() != 1 || !weights.contains_key(&name) {
            return Err(invalid(
                "If you specify both a target group ARN and a forward configuration, the latter must hold only this target group",
            ));
        }
    }
    if weights.is_empty() {
        return Err(invalid("You must specify a target group for a forward action"));
    }
    let sticky = read_stickiness(&config.part("TargetGroupStickinessConfig"))?;
    match Forward::new(weights.clone(), sticky.clone()) {
        Ok(forward) => {
            let lone = weights.len() == 1;
            let mut form = json!({"arn": lone, "config": true, "stickiness": true});
            if let Some(order) = order {
                form["order"] = order.into();
            }
            Ok(Action::Forward(forward.with_form(Opaque::new(form))))
        }
        Err(_) => Ok(Action::Other(Opaque::new(nowhere(&weights, sticky.as_ref(), names)))),
    }
}

/// Carries a forward all of whose weights are 0, which the model rightly refuses.
fn nowhere(
    weights: &BTreeMap<TargetGroupName, u32>,
    sticky: Option<&Stickiness>,
    names: &Names<'_>,
) -> Value {
    let targets = weights
        .iter()
        .map(|(name, weight)| json!({"arn": names.target_group(name), "weight": weight}));
    let targets: Vec<_> = targets.collect();
    let mut carried =
        json!({"type": "forward", "target_groups": targets, "sticky": sticky.is_some()});
    if let Some(seconds) = sticky.and_then(|sticky| sticky.seconds) {
        carried["sticky_seconds"] = seconds.into();
    }
    carried
}

fn read_stickiness(config: &Params) -> Result<Option<Stickiness>, WireError> {
    let seconds = config.number("DurationSeconds")?;
    Ok(config.flag("Enabled")?.unwrap_or(false).then_some(Stickiness { seconds }))
}

fn write_forward(forward: &Forward, order: Option<u64>, names: &Names<'_>) -> Xml {
    let targets = forward.weights().iter().map(|(name, weight)| {
        Xml::new().text("TargetGroupArn", names.target_group(name)).text("Weight", weight)
    });
    let targets: Vec<_> = targets.collect();
    let lone = match forward.weights().keys().next() {
        Some(name) if targets.len() == 1 => Some(names.target_group(name)),
        _ => None,
    };
    let sticky = forward.stickiness();
    let stickiness = Xml::new()
        .text("Enabled", sticky.is_some())
        .maybe("DurationSeconds", sticky.and_then(|sticky| sticky.seconds));
    let config = Xml::new()
        .list("TargetGroups", "member", targets)
        .node("TargetGroupStickinessConfig", stickiness);
    Xml::new()
        .text("Type", "forward")
        .maybe("TargetGroupArn", lone)
        .maybe("Order", order)
        .node("ForwardConfig", config)
}
