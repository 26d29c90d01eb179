//! Action lists: the forward part is the core's, everything else is carried.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::model::{Action, Actions, Forward, Stickiness, TargetGroupName};

use super::{ConvertError, number, opaque};

mod carried;

use carried::Carried;

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
        .map(|(order, action)| {
            let builder = match action {
                Action::Forward(forward) => write_forward(forward, arns)?,
                Action::Other(carried) => opaque::unpack::<Carried>(carried)?.write(),
            };
            Ok(builder.set_order(several.then_some(order)).build())
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
    let Some(config) = action.forward_config().filter(|config| !config.target_groups().is_empty())
    else {
        return Ok(Some(Forward::to(named(action.target_group_arn())?)));
    };
    let mut weights = BTreeMap::new();
    for tuple in config.target_groups() {
        // A lone target group may have no weight: it gets everything.
        let weight = super::size("Weight", Some(tuple.weight().unwrap_or(1)))?;
        weights.insert(named(tuple.target_group_arn())?, weight);
    }
    Ok(Forward::new(weights, stickiness(config)?).ok())
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

fn write_forward(
    forward: &Forward,
    arns: &BTreeMap<TargetGroupName, String>,
) -> Result<sdk::builders::ActionBuilder, ConvertError> {
    let builder = sdk::Action::builder().r#type(sdk::ActionTypeEnum::Forward);
    let arn = |name: &TargetGroupName| {
        arns.get(name)
            .cloned()
            .ok_or_else(|| ConvertError::Unknown { what: "target group", value: name.to_string() })
    };
    let mut weights = forward.weights().iter();
    if let (Some((name, 1)), None, None) = (weights.next(), weights.next(), forward.stickiness()) {
        return Ok(builder.target_group_arn(arn(name)?));
    }
    let mut config = sdk::ForwardActionConfig::builder();
    for (name, weight) in forward.weights() {
        let weight = number("weight", *weight)?;
        let tuple =
            sdk::TargetGroupTuple::builder().target_group_arn(arn(name)?).weight(weight).build();
        config = config.target_groups(tuple);
    }
    if let Some(stickiness) = forward.stickiness() {
        let seconds = stickiness.seconds.map(|one| number("stickiness", one)).transpose()?;
        config = config.target_group_stickiness_config(
            sdk::TargetGroupStickinessConfig::builder()
                .enabled(true)
                .set_duration_seconds(seconds)
                .build(),
        );
    }
    Ok(builder.forward_config(config.build()))
}

#[cfg(test)]
mod tests;
