//! What belongs to groups and stands in answers of its own.

use bluegreen_core::model::ScalingGroupName;
use serde_json::{Map, Value};

use super::{Call, GROUP, WireError, Xml, condition};
use crate::playground::control::{names, time};
use crate::playground::site::Site;

/// Describes the instance refresh of a group that is under way, if one is.
pub(super) fn refreshes(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    super::find(call.site, &name)?;
    let status = call.site.cloud().refresh_of(&name);
    let shown = status.map(|status| {
        let id = call.site.facts().identity("instance-refresh", name.as_str());
        Xml::new()
            .text("InstanceRefreshId", names::uuid(&id))
            .text("AutoScalingGroupName", &name)
            .text("Status", status)
    });
    super::listed(call.params, "InstanceRefreshes", 50, shown.into_iter().collect())
}

fn topics(site: &Site, group: &ScalingGroupName) -> Map<String, Value> {
    let facts = site.facts();
    let noted = facts.noted(GROUP, group.as_str(), "notifications").and_then(Value::as_object);
    noted.cloned().unwrap_or_default()
}

/// Lets a topic hear of a group; what it heard of before is replaced.
pub(super) fn put_notifications(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    let topic = call.params.need("TopicARN")?;
    super::amend(call.site, &name, |_| Ok(()))?;
    let mut topics = topics(call.site, &name);
    topics.insert(topic.to_owned(), call.params.list("NotificationTypes").into());
    call.site.facts().note(GROUP, name.as_str(), "notifications", topics);
    condition::restate(call.site, &name);
    Ok(Xml::new())
}

/// Lets a topic hear of a group no more.
pub(super) fn delete_notifications(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    let topic = call.params.need("TopicARN")?;
    super::amend(call.site, &name, |_| Ok(()))?;
    let mut topics = topics(call.site, &name);
    topics.remove(topic);
    {
        let mut facts = call.site.facts();
        if topics.is_empty() {
            facts.erase(GROUP, name.as_str(), "notifications");
        } else {
            facts.note(GROUP, name.as_str(), "notifications", topics);
        }
    }
    condition::restate(call.site, &name);
    Ok(Xml::new())
}

/// Describes who hears of groups.
pub(super) fn notifications(call: &Call<'_>) -> Result<Xml, WireError> {
    let wanted = call.params.list("AutoScalingGroupNames");
    let mut shown = vec![];
    for group in call.site.cloud().visible_groups() {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == group.name.as_str()) {
            continue;
        }
        for (topic, kinds) in topics(call.site, &group.name) {
            for kind in kinds.as_array().into_iter().flatten().filter_map(Value::as_str) {
                shown.push(
                    Xml::new()
                        .text("AutoScalingGroupName", &group.name)
                        .text("TopicARN", &topic)
                        .text("NotificationType", kind),
                );
            }
        }
    }
    super::listed(call.params, "NotificationConfigurations", 50, shown)
}

/// Describes the warm pool of a group: there is none.
pub(super) fn warm_pool(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    super::find(call.site, &name)?;
    Ok(Xml::new().list("Instances", "member", []))
}

/// Describes how much there may be.
pub(super) fn limits(call: &Call<'_>) -> Xml {
    let world = call.site.cloud().world();
    Xml::new()
        .text("MaxNumberOfAutoScalingGroups", 500)
        .text("MaxNumberOfLaunchConfigurations", 200)
        .text("NumberOfAutoScalingGroups", world.scaling_groups.len())
        .text("NumberOfLaunchConfigurations", world.configurations.len())
}

/// Reads a moment that a request gives.
pub(super) fn moment(text: &str) -> Result<bluegreen_core::model::Timestamp, WireError> {
    bluegreen_core::model::Timestamp::try_from(text.to_owned())
        .map_err(|error| super::refusal::invalid(format!("Invalid time: {error}")))
}

/// Returns whether a moment is over.
pub(super) fn is_past(moment: bluegreen_core::model::Timestamp) -> bool {
    moment < time::now()
}
