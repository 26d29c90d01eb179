//! What AWS answers to the calls that moto has not implemented, or to which it knows no answer.

use std::collections::BTreeMap;

use super::call::Call;
use super::refusal::{REQUEST_ID, escape};

const SCALING: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";
const MONITORING: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// Answers in moto's place; what a test has not set is empty, as in an account where it is unused.
#[derive(Debug, Default)]
pub(super) struct Filler {
    /// The instance refresh of a group, by its status.
    refreshes: BTreeMap<String, String>,
    /// The notifications of a group: topic and type.
    notifications: BTreeMap<String, Vec<(String, String)>>,
    /// How many requests target groups had lately; nothing measures those that have `None`.
    requests: BTreeMap<String, Option<u64>>,
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

    /// Says how many requests a target group had lately; `None` if nothing measures them.
    pub(super) fn set_requests(&mut self, target_group: &str, count: Option<u64>) {
        self.requests.insert(target_group.to_owned(), count);
    }

    /// Whether moto answers a call as if nobody had asked for what load balancers measure.
    pub(super) fn knows_better(call: &Call) -> bool {
        call.service == "monitoring" && call.action == "GetMetricData"
    }

    /// The XML that AWS answers to a call, if it is one of those that moto lacks.
    pub(super) fn answer(&self, call: &Call) -> Option<String> {
        if Self::knows_better(call) {
            let list = element("MetricDataResults", &self.measures(call));
            return Some(envelope(&call.action, MONITORING, &list));
        }
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
        Some(envelope(&call.action, SCALING, &list))
    }

    /// One number for each metric, as of now.
    fn measures(&self, call: &Call) -> String {
        let now = call.params.get("EndTime").map_or("", String::as_str);
        let ids = call.params.iter().filter_map(|(key, id)| {
            let query = key.strip_suffix(".Id")?;
            query.starts_with("MetricDataQueries.member.").then_some((query, id))
        });
        let measure = |(query, id): (&str, &String)| {
            let inside = format!("{query}.MetricStat.Metric.Dimensions.");
            let values = call.params.iter().filter(|(key, _)| key.starts_with(&inside));
            let mut named = values.filter_map(|(_, value)| value.split('/').nth(1));
            let count = named.find_map(|name| self.requests.get(name));
            let (times, values) = match count.copied().unwrap_or(Some(0)) {
                Some(count) => (element("member", now), element("member", &format!("{count}.0"))),
                None => (String::new(), String::new()),
            };
            let result = [
                element("Id", id),
                element("StatusCode", "Complete"),
                element("Timestamps", &times),
                element("Values", &values),
            ];
            element("member", &result.concat())
        };
        ids.map(measure).collect()
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

/// The wrapping of a result in the query protocol.
fn envelope(action: &str, namespace: &str, content: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{namespace}\">\
         <{action}Result>{content}</{action}Result>\
         <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>\
         </{action}Response>"
    )
}
