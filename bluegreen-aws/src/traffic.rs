//! How many requests target groups had, as `CloudWatch` counted them.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::{CloudError, ReadTraffic};
use bluegreen_core::model::{Requests, TargetGroupName, Timestamp};
use bluegreen_core::transaction::{Clock as _, SystemClock};

use crate::AwsCloud;
use crate::arn;
use crate::cloudwatch::{MetricSeries, RequestCount, Span};
use crate::error::read_error;

/// Load balancers report every minute.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>
const MINUTE: Duration = Duration::from_mins(1);
/// How old the newest number may be: what is older than that says nothing of now.
const FRESH: Duration = Duration::from_mins(5);
/// The same for a cloud that is asked about less than a minute.
const VERY_FRESH: Duration = Duration::from_secs(10);

#[async_trait]
impl ReadTraffic for AwsCloud {
    async fn requests(
        &self,
        names: &[TargetGroupName],
        window: Duration,
    ) -> Result<Requests, CloudError> {
        let found = self.describe_target_groups(names).await?;
        let counted: Vec<(TargetGroupName, RequestCount)> =
            found.iter().filter_map(counted).collect();
        let Some((first, _)) = counted.first() else { return Ok(Requests::new()) };
        let span = Span::up_to(SystemClock.now(), window);
        let metrics: Vec<_> = counted.iter().map(|(_, metric)| metric.clone()).collect();
        let series = self.cloudwatch().request_counts(&metrics, span).await;
        let series = series.map_err(|error| read_error("GetMetricData", first, error))?;
        let names: BTreeMap<String, &TargetGroupName> =
            counted.iter().map(|(name, metric)| (metric.target_group.clone(), name)).collect();
        let sums = series.into_iter().filter_map(|(target_group, series)| {
            Some(((*names.get(&target_group)?).clone(), sum(&series, span)?))
        });
        Ok(sums.collect())
    }
}

/// Names the metric that counts the requests of a target group, if there is one.
///
/// The flows of a network load balancer are counted for all of its target groups together.
fn counted(found: &sdk::TargetGroup) -> Option<(TargetGroupName, RequestCount)> {
    let is_http = found.protocol().is_some_and(|one| one.as_str().starts_with("HTTP"));
    let load_balancer = found.load_balancer_arns().first().filter(|_| is_http)?;
    let target_group = found.target_group_arn()?;
    let metric = RequestCount {
        load_balancer: arn::load_balancer_part(load_balancer)?.to_owned(),
        target_group: arn::target_group_part(target_group)?.to_owned(),
    };
    Some((TargetGroupName::new(found.target_group_name()?), metric))
}

/// Adds up what was counted; `None` if nothing recent was.
fn sum(series: &MetricSeries, span: Span) -> Option<u64> {
    let newest = series.points.iter().map(|(at, _)| *at).max()?;
    let fresh = if span.period < MINUTE { VERY_FRESH } else { FRESH };
    let is_fresh = span.end.since(newest) <= fresh.saturating_add(span.period);
    let total: f64 = series.points.iter().map(|(_, value)| *value).sum();
    // A part of a request is a request.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    let total = total.max(0.0).ceil() as u64;
    (series.complete && is_fresh).then_some(total)
}

impl Span {
    /// Covers `window` up to now, in the longest steps that it has.
    fn up_to(now: Timestamp, window: Duration) -> Self {
        let period = if window < MINUTE { Duration::from_secs(1) } else { MINUTE };
        let step = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        let before = u64::try_from((window + period).as_millis()).unwrap_or(u64::MAX);
        // The minute that has begun is not counted yet, and the one before need not be.
        let start = now.as_millis().saturating_sub(before) / step * step;
        Self { start: Timestamp::from_millis(start), end: now, period }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_012_345;

    fn series(points: &[(u64, f64)]) -> MetricSeries {
        let at = |ago: u64| Timestamp::from_millis(NOW - ago * 1000);
        MetricSeries {
            complete: true,
            points: points.iter().map(|(ago, value)| (at(*ago), *value)).collect(),
        }
    }

    fn span() -> Span {
        Span::up_to(Timestamp::from_millis(NOW), Duration::from_mins(3))
    }

    #[test]
    fn what_was_counted_is_added_up() {
        assert_eq!(sum(&series(&[(60, 3.0), (120, 4.0)]), span()), Some(7));
        assert_eq!(sum(&series(&[(60, 0.0)]), span()), Some(0));
    }

    #[test]
    fn no_data_old_data_and_a_part_of_the_data_are_no_measure() {
        assert_eq!(sum(&series(&[]), span()), None);
        assert_eq!(sum(&series(&[(7 * 60, 0.0)]), span()), None);
        assert_eq!(sum(&MetricSeries { complete: false, ..series(&[(60, 0.0)]) }, span()), None);
    }

    #[test]
    fn a_span_begins_with_a_whole_step() {
        let span = span();
        assert_eq!(span.period, MINUTE);
        assert_eq!(span.start.as_millis() % 60_000, 0);
        assert!(span.end.since(span.start) >= Duration::from_mins(4));
        let short = Span::up_to(Timestamp::from_millis(NOW), Duration::from_secs(5));
        assert_eq!(short.period, Duration::from_secs(1));
    }
}
