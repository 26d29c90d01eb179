use std::collections::BTreeMap;
use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bluegreen_core::model::Timestamp;
use serde::Deserialize;

use super::CloudWatch;
use crate::page::Pages;
use crate::query::{CallError, Form, Set, filled};

/// The most metrics that one call reads.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
const METRICS_PER_CALL: usize = 500;

/// The requests of one target group of an application load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestCount {
    /// The last part of the load balancer's ARN.
    pub(crate) load_balancer: String,
    /// The last part of the target group's ARN.
    pub(crate) target_group: String,
}

/// From when to when, and in which steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) period: Duration,
}

/// What was counted, step by step.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetricSeries {
    /// Whether nothing is missing for reasons of the service.
    pub(crate) complete: bool,
    /// When a step began, and what was counted in it.
    pub(crate) points: Vec<(Timestamp, f64)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMetricDataReply {
    get_metric_data_result: GetMetricDataResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMetricDataResult {
    #[serde(default)]
    metric_data_results: Set<MetricDataResult>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDataResult {
    id: String,
    status_code: Option<String>,
    #[serde(default)]
    timestamps: Set<String>,
    #[serde(default)]
    values: Set<f64>,
}

impl CloudWatch {
    /// Reads the requests of target groups, by the last part of their ARN.
    pub(crate) async fn request_counts(
        &self,
        metrics: &[RequestCount],
        span: Span,
    ) -> Result<BTreeMap<String, MetricSeries>, CallError> {
        let mut found = BTreeMap::new();
        for chunk in metrics.chunks(METRICS_PER_CALL) {
            let mut pages = Pages::new();
            let mut token: Option<String> = None;
            loop {
                let form = form(chunk, span).with_some("NextToken", token);
                let reply: GetMetricDataReply = self.0.call(form).await?;
                for result in reply.get_metric_data_result.metric_data_results.items {
                    let metric = result.id.strip_prefix('m').and_then(|at| at.parse().ok());
                    let metric = metric.and_then(|at: usize| chunk.get(at));
                    let Some(metric) = metric else { continue };
                    let series: &mut MetricSeries =
                        found.entry(metric.target_group.clone()).or_default();
                    // Of several pages the last one tells whether it is all.
                    series.complete = result.status_code.as_deref() == Some("Complete");
                    let moments = result.timestamps.items.iter().map(|text| moment(text));
                    series.points.extend(
                        moments
                            .zip(result.values.items)
                            .filter_map(|(at, value)| Some((at?, value))),
                    );
                }
                let Some(next) = filled(reply.get_metric_data_result.next_token) else { break };
                pages.turn(&next).map_err(CallError::construction_failure)?;
                token = Some(next);
            }
        }
        Ok(found)
    }
}

fn form(metrics: &[RequestCount], span: Span) -> Form {
    let form = Form::new("GetMetricData")
        .with("StartTime", span.start.to_string())
        .with("EndTime", span.end.to_string());
    metrics.iter().enumerate().fold(form, |form, (at, metric)| {
        let query = format!("MetricDataQueries.member.{}", at + 1);
        let stat = format!("{query}.MetricStat");
        let dimension = |form: Form, number: u8, name: &str, value: &str| {
            let dimension = format!("{stat}.Metric.Dimensions.member.{number}");
            form.with(format!("{dimension}.Name"), name).with(format!("{dimension}.Value"), value)
        };
        let form = form
            .with(format!("{query}.Id"), format!("m{at}"))
            .with(format!("{stat}.Metric.Namespace"), "AWS/ApplicationELB")
            .with(format!("{stat}.Metric.MetricName"), "RequestCount")
            .with(format!("{stat}.Period"), span.period.as_secs().to_string())
            .with(format!("{stat}.Stat"), "Sum");
        let form = dimension(form, 1, "LoadBalancer", &metric.load_balancer);
        dimension(form, 2, "TargetGroup", &metric.target_group)
    })
}

fn moment(text: &str) -> Option<Timestamp> {
    let found = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    Some(Timestamp::from_millis(u64::try_from(found.to_millis().ok()?).ok()?))
}
