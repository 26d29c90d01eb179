use std::time::Duration;

use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::TargetGroupName;

use super::{Clause, Fixture, arrange, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] =
    clauses![requests_to_what_is_not_there_are_not_measured, a_new_target_group_had_no_requests];

const WINDOW: Duration = Duration::from_mins(3);

/// What is not measured is left out: a target group that does not exist.
pub async fn requests_to_what_is_not_there_are_not_measured(cloud: &dyn Cloud, fixture: &Fixture) {
    let unknown = TargetGroupName::new("no-such-group");
    let names = [fixture.target_group.clone(), unknown.clone()];
    let found = cloud.requests(&names, WINDOW).await.expect("an unknown name is no error");
    assert!(!found.contains_key(&unknown), "nobody knows what it had");
    assert!(found.keys().all(|name| *name == fixture.target_group), "only what was asked for");
}

/// A measure says zero, or nothing, of what no request reached.
pub async fn a_new_target_group_had_no_requests(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = arrange::target_group(cloud, fixture, "quiet").await;
    let found = cloud.requests(std::slice::from_ref(&name), WINDOW).await;
    let found = found.expect("measures can be read");
    assert!(found.get(&name).is_none_or(|count| *count == 0), "{found:?}");
    arrange::delete_target_group(cloud, fixture, &name).await;
}
