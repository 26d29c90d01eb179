use std::collections::BTreeSet;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadPermissions, ReadQuotas};
use bluegreen_core::model::{Estate, Evidence, Permission, PermissionVerdict, Quota, QuotaKind};

use super::FakeCloud;
use super::state::State;

/// What operations do here: of this cloud, everything that they do is one action.
const OPERATIONS: [&str; 7] =
    ["upgrade", "deploy", "switch", "scaledown", "downgrade", "orphans", "doctor"];

/// What an account is known as, and what it lets people do.
#[derive(Clone, Debug, Default)]
pub(super) struct Papers {
    pub(super) alias: Option<String>,
    denied: BTreeSet<String>,
    /// Limits that are not what accounts begin with.
    limits: Vec<(QuotaKind, u64)>,
}

#[async_trait]
impl ReadQuotas for FakeCloud {
    async fn quotas(&self) -> Result<Vec<Quota>, CloudError> {
        self.read("quotas", "the account".to_owned(), |state| {
            let kinds = [
                QuotaKind::ScalingGroups,
                QuotaKind::LaunchConfigurations,
                QuotaKind::TargetGroups,
                QuotaKind::Listeners,
                QuotaKind::TargetGroupsOfOne,
                QuotaKind::Targets,
            ];
            Ok(kinds.into_iter().map(|of| quota(state, of)).collect())
        })
        .await
    }
}

fn quota(state: &State, of: QuotaKind) -> Quota {
    let changed = state.papers.limits.iter().find(|(kind, _)| *kind == of);
    let (begins, used) = match of {
        QuotaKind::ScalingGroups => (500, Some(state.world.scaling_groups.len())),
        QuotaKind::LaunchConfigurations => (200, Some(state.world.configurations.len())),
        QuotaKind::TargetGroups => (3000, Some(state.world.target_groups.len())),
        QuotaKind::Listeners => (50, None),
        QuotaKind::TargetGroupsOfOne => (100, None),
        _ => (1000, None),
    };
    let limit = changed.map_or(begins, |(_, limit)| *limit);
    Quota { of, limit, used: used.and_then(|used| u64::try_from(used).ok()) }
}

#[async_trait]
impl ReadPermissions for FakeCloud {
    async fn permissions(&self, estate: &Estate) -> Result<Vec<Permission>, CloudError> {
        self.read("permissions", estate.environment.to_string(), |state| {
            let verdict = |operation: &str| {
                if state.papers.denied.contains(operation) {
                    PermissionVerdict::Denied
                } else {
                    PermissionVerdict::Allowed
                }
            };
            let permission = |operation: &&str| Permission {
                operation: (*operation).to_owned(),
                action: format!("fake:{operation}"),
                verdict: verdict(operation),
                evidence: Evidence::Simulation,
            };
            Ok(OPERATIONS.iter().map(permission).collect())
        })
        .await
    }
}

impl FakeCloud {
    /// Gives the account the name that people know it by.
    pub fn set_account_alias(&self, alias: &str) {
        self.present().papers.alias = Some(alias.to_owned());
    }

    /// Says that the caller may not do what an operation does. Nothing is refused for that: it is
    /// only told.
    pub fn deny(&self, operation: &str) {
        self.present().papers.denied.insert(operation.to_owned());
    }

    /// Says how much there may be of something. Nothing is refused for that: it is only told.
    pub fn set_limit(&self, of: QuotaKind, limit: u64) {
        self.present().papers.limits.insert(0, (of, limit));
    }
}
