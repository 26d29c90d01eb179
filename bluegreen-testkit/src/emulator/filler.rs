//! What AWS answers to the calls that moto has not implemented.

use std::collections::BTreeMap;

use super::call::Call;
use super::refusal::{REQUEST_ID, escape};

/// Answers in moto's place; what a test has not set is empty, as in an account where it is unused.
#[derive(Debug, Default)]
pub(super) struct Filler {
    /// The instance refresh of a group, by its status.
    refreshes: BTreeMap<String, String>,
    /// The notifications of a group: topic and type.
    notifications: BTreeMap<String, Vec<(String, String)>>,
}

impl Filler {
    /// Gives a group one instance refresh in this state.
    pub(super) fn set_instance_refresh(&mut self, group: &str, status: &str) {
        self.refreshes.insert(group.to_owned(), status.to_owned());
    }

    /// Makes a group tell a topic about an event.
    pub(super) fn add_notification(&mut self, group: &str, topic: &str, kind: &str) {
        let entry = self.notifications.entry(group.to_owned()).or_default();
        entry.push((topic.to_owned(), kind.to_owned()));
    }

    /// The XML that AWS answers to a call, if it is one of those that moto lacks.
    pub(super) fn answer(&self, call: &Call) -> Option<String> {
        if call.service != "autoscaling" {
            return None;
        }
        let list = match call.action.as_str() {
            "DescribeInstanceRefreshes" => element("InstanceRefreshes", &self.refreshes_of(call)),
            "DescribeNotificationConfigurations" => {
                element("NotificationConfigurations", &self.notifications_of(call))
            }
            "DescribeTrafficSources" => element("TrafficSources", ""),
            _ => return None,
        };
        Some(envelope(&call.action, &list))
    }

    fn refreshes_of(&self, call: &Call) -> String {
        let Some((group, status)) = call
            .params
            .get("AutoScalingGroupName")
            .and_then(|name| self.refreshes.get_key_value(name))
        else {
            return String::new();
        };
        let wanted = call.list("InstanceRefreshIds");
        if !wanted.is_empty() && !wanted.contains(&REQUEST_ID) {
            return String::new();
        }
        let fields = [
            ("InstanceRefreshId", REQUEST_ID),
            ("AutoScalingGroupName", group),
            ("Status", status),
            ("StartTime", "2026-01-01T00:00:00Z"),
            ("PercentageComplete", "0"),
            ("InstancesToUpdate", "1"),
        ];
        member(&fields)
    }

    fn notifications_of(&self, call: &Call) -> String {
        let wanted = call.list("AutoScalingGroupNames");
        self.notifications
            .iter()
            .filter(|(group, _)| wanted.is_empty() || wanted.contains(&group.as_str()))
            .flat_map(|(group, entries)| entries.iter().map(move |entry| (group, entry)))
            .map(|(group, (topic, kind))| {
                member(&[
                    ("AutoScalingGroupName", group),
                    ("NotificationType", kind),
                    ("TopicARN", topic),
                ])
            })
            .collect()
    }
}

fn element(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

/// One entry of a list.
fn member(fields: &[(&str, &str)]) -> String {
    let fields: String = fields.iter().map(|(name, text)| element(name, &escape(text))).collect();
    element("member", &fields)
}

/// The wrapping of a result in the query protocol of Auto Scaling.
fn envelope(action: &str, content: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">\
         <{action}Result>{content}</{action}Result>\
         <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>\
         </{action}Response>"
    )
}
