//! Target groups: what they are, what would make them again.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::operation::create_target_group::builders::CreateTargetGroupInputBuilder;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::model::{
    HealthState, InstanceId, Opaque, Tags, TargetGroup, TargetGroupName, TargetGroupSettings,
    TargetHealth,
};
use serde::{Deserialize, Serialize};

use super::{ConvertError, opaque, port};
use crate::arn;

/// The attribute that the core knows.
const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";

/// Whether clients stay with a target.
const STICKINESS: &str = "stickiness.enabled";

/// What AWS takes if the attribute is not told.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>
const DEFAULT_DELAY: Duration = Duration::from_mins(5);

/// What the core does not reason about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    vpc_id: Option<String>,
    target_type: Option<String>,
    protocol_version: Option<String>,
    ip_address_type: Option<String>,
    target_control_port: Option<i32>,
    health_check_enabled: Option<bool>,
    health_check_protocol: Option<String>,
    health_check_port: Option<String>,
    health_check_path: Option<String>,
    health_check_interval_seconds: Option<i32>,
    health_check_timeout_seconds: Option<i32>,
    healthy_threshold_count: Option<i32>,
    unhealthy_threshold_count: Option<i32>,
    http_codes: Option<String>,
    grpc_codes: Option<String>,
    /// All attributes but the deregistration delay.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// Reads a target group.
pub(crate) fn read(group: &sdk::TargetGroup) -> Result<TargetGroup, ConvertError> {
    let name = group.target_group_name().ok_or(ConvertError::Missing("TargetGroupName"))?;
    Ok(TargetGroup {
        name: TargetGroupName::new(name),
        // A group of lambda functions has no port and no protocol.
        port: group.port().map_or(Ok(0), |one| port(Some(one)))?,
        protocol: group.protocol().map(|one| one.as_str().to_owned()).unwrap_or_default(),
        protocol_version: group.protocol_version().map(str::to_owned),
        target_type: group
            .target_type()
            .map(|one| one.as_str().to_owned())
            .ok_or(ConvertError::Missing("TargetType"))?,
        // An ARN may be listed twice, and one that is no load balancer's cannot be.
        load_balancers: group
            .load_balancer_arns()
            .iter()
            .filter_map(|one| arn::load_balancer(one))
            .collect(),
    })
}

/// Reads what would make a target group again.
pub(crate) fn read_settings(
    group: &sdk::TargetGroup,
    attributes: &[sdk::TargetGroupAttribute],
    tags: Tags,
) -> Result<TargetGroupSettings, ConvertError> {
    let mut attributes: BTreeMap<String, String> = attributes
        .iter()
        // An attribute without a value is one that is not set.
        .filter_map(|one| Some((one.key()?.to_owned(), one.value()?.to_owned())))
        .collect();
    let deregistration_delay = match attributes.remove(DEREGISTRATION_DELAY) {
        None => DEFAULT_DELAY,
        Some(text) => Duration::from_secs(
            text.parse()
                .map_err(|_| ConvertError::Range { what: DEREGISTRATION_DELAY, value: text })?,
        ),
    };
    let known = read(group)?;
    Ok(TargetGroupSettings {
        port: known.port,
        protocol: known.protocol,
        deregistration_delay,
        sticky: attributes.get(STICKINESS).is_some_and(|value| value == "true"),
        details: opaque::pack(&details(group, attributes))?,
        tags,
    })
}

fn details(group: &sdk::TargetGroup, attributes: BTreeMap<String, String>) -> Details {
    let matcher = group.matcher();
    Details {
        vpc_id: group.vpc_id().map(str::to_owned),
        target_type: group.target_type().map(|one| one.as_str().to_owned()),
        protocol_version: group.protocol_version().map(str::to_owned),
        ip_address_type: group.ip_address_type().map(|one| one.as_str().to_owned()),
        target_control_port: group.target_control_port(),
        health_check_enabled: group.health_check_enabled(),
        health_check_protocol: group.health_check_protocol().map(|one| one.as_str().to_owned()),
        health_check_port: group.health_check_port().map(str::to_owned),
        health_check_path: group.health_check_path().map(str::to_owned),
        health_check_interval_seconds: group.health_check_interval_seconds(),
        health_check_timeout_seconds: group.health_check_timeout_seconds(),
        healthy_threshold_count: group.healthy_threshold_count(),
        unhealthy_threshold_count: group.unhealthy_threshold_count(),
        http_codes: matcher.and_then(sdk::Matcher::http_code).map(str::to_owned),
        grpc_codes: matcher.and_then(sdk::Matcher::grpc_code).map(str::to_owned),
        attributes,
    }
}

/// Writes the request that makes a target group; its attributes need another one.
pub(crate) fn write(
    name: &TargetGroupName,
    settings: &TargetGroupSettings,
) -> Result<CreateTargetGroupInputBuilder, ConvertError> {
    let details: Details = opaque::unpack(&settings.details)?;
    let matcher = (details.http_codes.is_some() || details.grpc_codes.is_some()).then(|| {
        sdk::Matcher::builder()
            .set_http_code(details.http_codes)
            .set_grpc_code(details.grpc_codes)
            .build()
    });
    let protocol = Some(settings.protocol.as_str()).filter(|one| !one.is_empty());
    Ok(CreateTargetGroupInputBuilder::default()
        .name(name.as_str())
        .set_protocol(protocol.map(Into::into))
        .set_port((settings.port != 0).then(|| i32::from(settings.port)))
        .set_vpc_id(details.vpc_id)
        .set_target_type(details.target_type.as_deref().map(Into::into))
        .set_protocol_version(details.protocol_version)
        .set_ip_address_type(details.ip_address_type.as_deref().map(Into::into))
        .set_target_control_port(details.target_control_port)
        .set_health_check_enabled(details.health_check_enabled)
        .set_health_check_protocol(details.health_check_protocol.as_deref().map(Into::into))
        .set_health_check_port(details.health_check_port)
        .set_health_check_path(details.health_check_path)
        .set_health_check_interval_seconds(details.health_check_interval_seconds)
        .set_health_check_timeout_seconds(details.health_check_timeout_seconds)
        .set_healthy_threshold_count(details.healthy_threshold_count)
        .set_unhealthy_threshold_count(details.unhealthy_threshold_count)
        .set_matcher(matcher)
        .set_tags(write_tags(&settings.tags)))
}

/// Writes the attributes that make a target group's settings complete.
pub(crate) fn write_attributes(
    settings: &TargetGroupSettings,
) -> Result<Vec<sdk::TargetGroupAttribute>, ConvertError> {
    let details: Details = opaque::unpack(&settings.details)?;
    let mut attributes = details.attributes;
    let is_lambda = details.target_type.as_deref() == Some("lambda");
    if !is_lambda {
        // A group of lambda functions has no such attribute.
        let delay = settings.deregistration_delay.as_secs().to_string();
        attributes.insert(DEREGISTRATION_DELAY.to_owned(), delay);
    }
    let write = |(key, value)| sdk::TargetGroupAttribute::builder().key(key).value(value).build();
    Ok(attributes.into_iter().map(write).collect())
}

/// Returns whether `found` is what `wanted` asks for, whatever the attributes.
pub(crate) fn same_but_attributes(
    found: &TargetGroupSettings,
    wanted: &TargetGroupSettings,
) -> bool {
    let bare = |settings: &TargetGroupSettings| {
        let mut details = settings.details.value().clone();
        if let Some(members) = details.as_object_mut() {
            members.remove("attributes");
        }
        Opaque::new(details)
    };
    found.port == wanted.port
        && found.protocol == wanted.protocol
        && bare(found).covers(&bare(wanted))
}

/// Writes tags; AWS refuses an empty list.
pub(crate) fn write_tags(tags: &Tags) -> Option<Vec<sdk::Tag>> {
    let write =
        |(key, value): (&String, &String)| sdk::Tag::builder().key(key).value(value).build();
    (!tags.is_empty()).then(|| tags.iter().map(write).collect())
}

/// Reads the load balancer's view of a target.
pub(crate) fn read_health(
    one: &sdk::TargetHealthDescription,
) -> Result<TargetHealth, ConvertError> {
    let target = one.target().ok_or(ConvertError::Missing("Target"))?;
    let id = target.id().ok_or(ConvertError::Missing("Id"))?;
    let health = one.target_health();
    Ok(TargetHealth {
        target: InstanceId::new(id),
        // A lambda function has no port.
        port: target.port().map_or(Ok(0), |one| port(Some(one)))?,
        state: health
            .and_then(sdk::TargetHealth::state)
            .map_or(HealthState::Unavailable, read_state),
        reason: health.and_then(read_reason),
    })
}

fn read_state(state: &sdk::TargetHealthStateEnum) -> HealthState {
    use sdk::TargetHealthStateEnum as State;
    match state {
        State::Initial => HealthState::Initial,
        State::Healthy => HealthState::Healthy,
        State::Unhealthy => HealthState::Unhealthy,
        State::Draining | State::UnhealthyDraining => HealthState::Draining,
        State::Unused => HealthState::Unused,
        // What is not known is not healthy.
        _ => HealthState::Unavailable,
    }
}

/// The code comes first, since it is what people search for.
fn read_reason(health: &sdk::TargetHealth) -> Option<String> {
    match (health.reason(), health.description()) {
        (Some(reason), Some(text)) => Some(format!("{}: {text}", reason.as_str())),
        (Some(reason), None) => Some(reason.as_str().to_owned()),
        (None, text) => text.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> sdk::TargetGroup {
        sdk::TargetGroup::builder()
            .target_group_name("web-blue")
            .protocol(sdk::ProtocolEnum::Http)
            .port(8080)
            .vpc_id("vpc-1")
            .target_type(sdk::TargetTypeEnum::Instance)
            .health_check_path("/health")
            .health_check_interval_seconds(10)
            .matcher(sdk::Matcher::builder().http_code("200-299").build())
            .load_balancer_arns("arn:aws:elasticloadbalancing:r:1:loadbalancer/app/web/01")
            .load_balancer_arns("arn:aws:elasticloadbalancing:r:1:loadbalancer/app/web/01")
            .build()
    }

    fn attribute(key: &str, value: &str) -> sdk::TargetGroupAttribute {
        sdk::TargetGroupAttribute::builder().key(key).value(value).build()
    }

    #[test]
    fn what_is_read_is_what_is_written() {
        let attributes =
            [attribute(DEREGISTRATION_DELAY, "15"), attribute("stickiness.enabled", "true")];
        let settings = read_settings(&group(), &attributes, Tags::new()).unwrap();
        assert_eq!(settings.deregistration_delay, Duration::from_secs(15));
        let request =
            write(&TargetGroupName::new("web-green"), &settings).unwrap().build().unwrap();
        assert_eq!(request.vpc_id(), Some("vpc-1"));
        assert_eq!(request.health_check_path(), Some("/health"));
        assert_eq!(request.matcher().and_then(sdk::Matcher::http_code), Some("200-299"));
        let mut written = write_attributes(&settings).unwrap();
        written.sort_by_key(|one| one.key().map(str::to_owned));
        assert_eq!(written, attributes);
    }

    #[test]
    fn only_attributes_may_be_finished_later() {
        let one = read_settings(&group(), &[], Tags::new()).unwrap();
        let other = read_settings(&group(), &[attribute("slow_start", "30")], Tags::new()).unwrap();
        assert!(same_but_attributes(&one, &other));
        let mut moved = group();
        moved.vpc_id = Some("vpc-2".to_owned());
        let moved = read_settings(&moved, &[], Tags::new()).unwrap();
        assert!(!same_but_attributes(&one, &moved));
    }

    #[test]
    fn a_state_that_is_new_is_not_healthy() {
        let health = sdk::TargetHealth::builder().state("splendid".into()).build();
        let target = sdk::TargetDescription::builder().id("i-1").port(80).build();
        let one =
            sdk::TargetHealthDescription::builder().target(target).target_health(health).build();
        assert_eq!(read_health(&one).unwrap().state, HealthState::Unavailable);
    }
}
