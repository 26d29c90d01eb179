//! Metric data: the requests of target groups.

use std::time::Duration;

use bluegreen_core::model::Timestamp;

use super::super::load_balancing::Names;
use super::super::{Call, Params, WireError, Xml, time};
use super::invalid;
use crate::playground::site::Site;

/// The most metrics that one call reads.
const MOST: usize = 500;

pub(super) fn data(call: &Call<'_>) -> Result<Xml, WireError> {
    let params = call.params;
    let (start, end) = (moment(params, "StartTime")?, moment(params, "EndTime")?);
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime"));
    }
    let queries = params.structs("MetricDataQueries");
    if queries.is_empty() || queries.len() > MOST {
        return Err(invalid(format!("Between 1 and {MOST} metrics must be asked for")));
    }
    let results = queries.iter().map(|query| result(call.site, query, (start, end)));
    let results: Vec<Xml> = results.collect::<Result<_, _>>()?;
    Ok(Xml::new().list("MetricDataResults", "member", results))
}

fn result(site: &Site, query: &Params, span: (Timestamp, Timestamp)) -> Result<Xml, WireError> {
    let id = query.need("Id")?;
    if query.has("Expression") || !query.has("MetricStat") {
        return Err(invalid("Only a MetricStat can be asked for here"));
    }
    let stat = query.part("MetricStat");
    let period = stat.number::<u64>("Period")?.unwrap_or_default();
    if !matches!(period, 1 | 5 | 10 | 30) && (period == 0 || period % 60 != 0) {
        return Err(invalid("Period must be 1, 5, 10, 30 or a multiple of 60"));
    }
    if stat.need("Stat")? != "Sum" {
        return Err(invalid("Only the statistic Sum is measured here"));
    }
    let metric = stat.part("Metric");
    let counted = target_group(site, &metric);
    let points = counted.map(|name| site.measures().read(&name, span, Duration::from_secs(period)));
    // The newest first, as AWS has it unless it is asked for otherwise.
    let points: Vec<_> = points.unwrap_or_default().into_iter().rev().collect();
    Ok(Xml::new()
        .text("Id", id)
        .text("Label", metric.text("MetricName").unwrap_or_default())
        .texts("Timestamps", "member", points.iter().map(|(at, _)| time::text(*at)))
        .texts("Values", "member", points.iter().map(|(_, count)| format!("{count}.0")))
        .text("StatusCode", "Complete"))
}

/// Returns the target group whose requests a metric counts; no other metric has data.
fn target_group(site: &Site, metric: &Params) -> Option<bluegreen_core::model::TargetGroupName> {
    let is_count = metric.text("Namespace") == Some("AWS/ApplicationELB")
        && metric.text("MetricName") == Some("RequestCount");
    if !is_count {
        return None;
    }
    let dimensions = metric.structs("Dimensions");
    let value = |name: &str| {
        let named = dimensions.iter().find(|one| one.text("Name") == Some(name));
        named.and_then(|one| one.text("Value"))
    };
    let (load_balancer, target_group) = (value("LoadBalancer")?, value("TargetGroup")?);
    let (world, names) = (site.cloud().world(), Names::of(site));
    world.target_groups.keys().find_map(|name| {
        let is_it = names.target_group(name).ends_with(&format!(":{target_group}"));
        let references = world.references();
        let balancers = references.get(name)?;
        let is_there = balancers.iter().any(|balancer| {
            names.load_balancer(&world, balancer).ends_with(&format!("/{load_balancer}"))
        });
        (is_it && is_there).then(|| name.clone())
    })
}

fn moment(params: &Params, name: &str) -> Result<Timestamp, WireError> {
    let text = params.need(name)?.to_owned();
    Timestamp::try_from(text).map_err(|_| invalid(format!("{name} is not a time")))
}
