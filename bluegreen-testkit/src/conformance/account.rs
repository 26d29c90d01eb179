use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::{EnvironmentName, Estate, HealthStrategy, ScalingGroupName};

use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    quotas_are_told_with_what_is_used_of_them,
    permissions_are_told_by_operation_and_action,
];

/// Returns how much there may be, once for each kind, and how much there is.
pub async fn quotas_are_told_with_what_is_used_of_them(cloud: &dyn Cloud, _fixture: &Fixture) {
    let quotas = cloud.quotas().await.expect("quotas can be read");
    let mut kinds: Vec<_> = quotas.iter().map(|quota| quota.of).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), quotas.len(), "a quota is told once");
    for quota in quotas {
        assert!(quota.limit > 0, "there may be some of it: {quota:?}");
        assert!(quota.used.is_none_or(|used| used <= quota.limit), "more than may be: {quota:?}");
    }
}

/// Returns whether the caller may do what operations do, each action by the name of the operation;
/// what nobody can tell is told as such.
pub async fn permissions_are_told_by_operation_and_action(cloud: &dyn Cloud, fixture: &Fixture) {
    let estate = Estate {
        environment: EnvironmentName::new(fixture.prefix.clone()),
        account: fixture.account.clone(),
        blue: fixture.scaling_group.clone(),
        green: ScalingGroupName::new(format!("{}-green", fixture.scaling_group)),
        green_suffix: "-green".to_owned(),
        health: HealthStrategy::default(),
        load_balancers: vec![fixture.load_balancer.clone()],
        target_groups: vec![fixture.target_group.clone()],
    };
    let found = cloud.permissions(&estate).await.expect("permissions can be asked for");
    for operation in ["upgrade", "deploy", "switch", "scaledown"] {
        assert!(found.iter().any(|one| one.operation == operation), "{operation} is told");
    }
    assert!(found.iter().all(|one| !one.action.is_empty()), "each action has a name");
}
