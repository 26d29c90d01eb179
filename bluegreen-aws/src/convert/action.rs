//! Action lists: the forward part is the core's, everything else is carried.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::model::{Action, Actions, Forward, Stickiness, TargetGroupName};

use serde::{Deserialize, Serialize};

use super::{ConvertError, number, opaque};

mod carried;

use carried::Carried;

/// How AWS was seen to write a forward. It takes and shows a lone target group in two ways, alone
/// and at once.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    /// Its order, which a lone action may have or not.
    order: Option<i32>,
    /// Whether the target group was named outside the configuration.
    arn: bool,
    /// Whether there was a configuration.
    config: bool,
    /// Whether stickiness was said to be off.
    stickiness: bool,
}

/// Reads an action list; `name` learns target groups from their ARNs.
pub(crate) fn read(
    actions: &[sdk::Action],
    name: impl Fn(&str) -> Option<TargetGroupName>,
) -> Result<Actions, ConvertError> {
    let mut sorted: Vec<&sdk::Action> = actions.iter().collect();
    // A lone action may have no order.
    sorted.sort_by_key(|action| action.order().unwrap_or(0));
    sorted
        .into_iter()
        .map(|action| read_one(action, &name))
        .collect::<Result<_, _>>()
        .map(Actions::new)
}

/// Writes an action list; `arns` must know every target group that it forwards to.
pub(crate) fn write(
    actions: &Actions,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<Vec<sdk::Action>, ConvertError> {
    let several = actions.as_slice().len() > 1;
    (1..)
        .zip(actions.as_slice())
        .map(|(place, action)| {
            let (builder, order) = match action {
                Action::Forward(forward) => write_forward(forward, arns)?,
                Action::Other(carried) => (opaque::unpack::<Carried>(carried)?.write(), None),
            };
            Ok(builder.set_order(order.or(several.then_some(place))).build())
        })
        .collect()
}

fn read_one(
    action: &sdk::Action,
    name: &impl Fn(&str) -> Option<TargetGroupName>,
) -> Result<Action, ConvertError> {
    if let Some(sdk::ActionTypeEnum::Forward) = action.r#type()
        && let Some(forward) = read_forward(action, name)?
    {
        return Ok(Action::Forward(forward));
    }
    Ok(Action::Other(opaque::pack(&Carried::read(action)?)?))
}

/// Reads a forward; `None` if it is one that the core's type rightly refuses.
///
/// Such a one, all of whose weights are 0, is carried as it stands: somebody
/// else's listener must not be unreadable for it.
fn read_forward(
    action: &sdk::Action,
    name: &impl Fn(&str) -> Option<TargetGroupName>,
) -> Result<Option<Forward>, ConvertError> {
    let named = |arn: Option<&str>| {
        let arn = arn.ok_or(ConvertError::Missing("TargetGroupArn"))?;
        name(arn).ok_or_else(|| ConvertError::Unknown {
            what: "target group ARN",
            value: arn.to_owned(),
        })
    };
    let config = action.forward_config().filter(|config| !config.target_groups().is_empty());
    let form = opaque::pack(&Form {
        order: action.order(),
        arn: action.target_group_arn().is_some(),
        config: config.is_some(),
        stickiness: config.is_some_and(|config| config.target_group_stickiness_config().is_some()),
    })?;
    let Some(config) = config else {
        return Ok(Some(Forward::to(named(action.target_group_arn())?).with_form(form)));
    };
    let mut weights = BTreeMap::new();
    for tuple in config.target_groups() {
        // A lone target group may have no weight: it gets everything.
        let weight = super::size("Weight", Some(tuple.weight().unwrap_or(1)))?;
        weights.insert(named(tuple.target_group_arn())?, weight);
    }
    Ok(Forward::new(weights, stickiness(config)?).ok().map(|forward| forward.with_form(form)))
}

/// Absent and disabled stickiness are the same.
fn stickiness(config: &sdk::ForwardActionConfig) -> Result<Option<Stickiness>, ConvertError> {
    config
        .target_group_stickiness_config()
        .filter(|stickiness| stickiness.enabled().unwrap_or(false))
        .map(|stickiness| {
            // A network load balancer's has no duration.
            let seconds = stickiness.duration_seconds();
            let seconds = seconds.map(|one| super::size("DurationSeconds", Some(one)));
            Ok(Stickiness { seconds: seconds.transpose()? })
        })
        .transpose()
}

/// Writes a forward as it was seen, with the order that it had.
fn write_forward(
    forward: &Forward,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<(sdk::builders::ActionBuilder, Option<i32>), ConvertError> {
    let form: Form =
        if forward.form().is_empty() { Form::default() } else { opaque::unpack(forward.form())? };
    let builder = sdk::Action::builder().r#type(sdk::ActionTypeEnum::Forward);
    let mut weights = forward.weights().iter();
    let lone = match (weights.next(), weights.next()) {
        (Some((name, weight)), None) if forward.stickiness().is_none() => Some((name, *weight)),
        _ => None,
    };
    // A lone target group needs no configuration, unless it had one or an odd weight.
    let builder = match lone {
        Some((name, weight)) if form.arn || (!form.config && weight == 1) => {
            builder.target_group_arn(arn(name, arns)?)
        }
        _ => builder,
    };
    let needs_config = match lone {
        Some((_, weight)) => form.config || weight != 1,
        None => true,
    };
    let config = needs_config.then(|| write_config(forward, &form, arns)).transpose()?;
    Ok((builder.set_forward_config(config), form.order))
}

fn write_config(
    forward: &Forward,
    form: &Form,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<sdk::ForwardActionConfig, ConvertError> {
    let mut config = sdk::ForwardActionConfig::builder();
    for (name, weight) in forward.weights() {
        let weight = number("weight", *weight)?;
        let tuple =
            sdk::TargetGroupTuple::builder().target_group_arn(arn(name, arns)?).weight(weight);
        config = config.target_groups(tuple.build());
    }
    let stickiness = sdk::TargetGroupStickinessConfig::builder();
    let stickiness = match forward.stickiness() {
        Some(on) => {
            let seconds = on.seconds.map(|one| number("stickiness", one)).transpose()?;
            Some(stickiness.enabled(true).set_duration_seconds(seconds).build())
        }
        None => form.stickiness.then(|| stickiness.enabled(false).build()),
    };
    Ok(config.set_target_group_stickiness_config(stickiness).build())
}

fn arn(
    name: &TargetGroupName,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<String, ConvertError> {
    arns.get(name)
        .cloned()
        .ok_or_else(|| ConvertError::Unknown { what: "target group", value: name.to_string() })
}

#[cfg(test)]
mod tests;
