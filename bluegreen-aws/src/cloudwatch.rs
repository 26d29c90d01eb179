//! The few calls of `CloudWatch` that are needed.

mod metrics;

use std::sync::Arc;

use aws_types::SdkConfig;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::InvalidConfig;
use crate::budget::{Budget, Call};
use crate::page::Pages;
use crate::query::{CallError, Form, Query, Service, Set, filled};

/// Amazon `CloudWatch`.
const SERVICE: Service = Service {
    id: "CloudWatch",
    prefix: "monitoring",
    version: "2010-08-01",
    global: false,
    call: Call::Alarms,
    charge: |_| Call::Alarms,
};

pub(crate) use metrics::{MetricSeries, RequestCount, Span};

/// A client of `CloudWatch`.
#[derive(Clone, Debug)]
pub(crate) struct CloudWatch(Query);

/// A metric alarm.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetricAlarm {
    pub(crate) alarm_name: String,
    pub(crate) alarm_description: Option<String>,
    pub(crate) actions_enabled: Option<bool>,
    #[serde(rename = "OKActions", default)]
    pub(crate) ok_actions: Set<String>,
    #[serde(default)]
    pub(crate) alarm_actions: Set<String>,
    #[serde(default)]
    pub(crate) insufficient_data_actions: Set<String>,
    pub(crate) metric_name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) statistic: Option<String>,
    pub(crate) extended_statistic: Option<String>,
    #[serde(default)]
    pub(crate) dimensions: Set<MetricDimension>,
    pub(crate) period: Option<i32>,
    pub(crate) unit: Option<String>,
    pub(crate) evaluation_periods: Option<i32>,
    pub(crate) datapoints_to_alarm: Option<i32>,
    pub(crate) threshold: Option<f64>,
    pub(crate) comparison_operator: Option<String>,
    pub(crate) treat_missing_data: Option<String>,
    pub(crate) evaluate_low_sample_count_percentile: Option<String>,
    #[serde(default)]
    pub(crate) metrics: Set<IgnoredAny>,
    pub(crate) threshold_metric_id: Option<String>,
    pub(crate) evaluation_criteria: Option<IgnoredAny>,
    pub(crate) evaluation_window: Option<IgnoredAny>,
    pub(crate) evaluation_interval: Option<IgnoredAny>,
    pub(crate) warm_up_configuration: Option<IgnoredAny>,
    pub(crate) action_configuration: Option<IgnoredAny>,
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetricDimension {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeAlarmsReply {
    describe_alarms_result: DescribeAlarmsResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeAlarmsResult {
    #[serde(default)]
    metric_alarms: Set<MetricAlarm>,
    next_token: Option<String>,
}

/// Which alarms are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alarms<'a> {
    /// Those with these names.
    Named(&'a [String]),
    /// Those that call this ARN when they go off.
    Calling(&'a str),
}

impl CloudWatch {
    /// Makes a client that is configured as the SDK's own would be.
    pub(crate) fn new(config: &SdkConfig, budget: &Arc<Budget>) -> Result<Self, InvalidConfig> {
        Query::new(config, budget, SERVICE).map(Self)
    }

    /// Describes those metric alarms that exist.
    pub(crate) async fn describe_alarms(
        &self,
        wanted: Alarms<'_>,
    ) -> Result<Vec<MetricAlarm>, CallError> {
        let mut pages = Pages::new();
        let mut token: Option<String> = None;
        let mut alarms = Vec::new();
        loop {
            let form = Form::new("DescribeAlarms");
            let form = match wanted {
                Alarms::Named(names) => form.with_list("AlarmNames.member", names),
                Alarms::Calling(arn) => form.with("ActionPrefix", arn),
            };
            let form =
                form.with_list("AlarmTypes.member", ["MetricAlarm"]).with_some("NextToken", token);
            let reply: DescribeAlarmsReply = self.0.call(form).await?;
            alarms.extend(reply.describe_alarms_result.metric_alarms.items);
            let Some(next) = filled(reply.describe_alarms_result.next_token) else {
                return Ok(alarms);
            };
            pages.turn(&next).map_err(CallError::construction_failure)?;
            token = Some(next);
        }
    }

    /// Makes an alarm or replaces the one of its name.
    ///
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
    pub(crate) async fn put_metric_alarm(&self, alarm: Form) -> Result<(), CallError> {
        self.0.send(alarm).await
    }

    /// Deletes an alarm.
    ///
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html>
    pub(crate) async fn delete_alarm(&self, name: &str) -> Result<(), CallError> {
        self.0.send(Form::new("DeleteAlarms").with_list("AlarmNames.member", [name])).await
    }
}
