use std::collections::BTreeSet;

use super::UpgradeSurvey;
use crate::change::CloudChange;
use crate::model::{
    Actions, BalancerLimits, Environment, LoadBalancer, LoadBalancerKind, RouteKey, TargetGroupName,
};
use crate::plan::Refusal;

/// The most target groups of one route of a network load balancer that are known to be allowed,
/// where the cloud does not say.
const NETWORK_ACTION: u32 = 2;

/// Refuses what would exceed a quota of a load balancer, before anything is made.
///
/// How many target groups there may be in a region is left to the cloud: it refuses one too many,
/// and what was made until then is taken back.
pub(super) fn check(
    environment: &Environment,
    survey: &UpgradeSurvey,
    changes: &[CloudChange],
) -> Result<(), Refusal> {
    for balancer in &survey.load_balancers {
        Quotas { environment, survey, changes, balancer }.check()?;
    }
    Ok(())
}

struct Quotas<'a> {
    environment: &'a Environment,
    survey: &'a UpgradeSurvey,
    changes: &'a [CloudChange],
    balancer: &'a LoadBalancer,
}

impl Quotas<'_> {
    fn check(&self) -> Result<(), Refusal> {
        let limits = self.limits();
        let listeners = self.environment.listeners.iter();
        let used = listeners.filter(|one| one.key.load_balancer == self.balancer.name).count();
        let needed = self.made(|change| match change {
            CloudChange::Listener(edit) => Some(edit.of.load_balancer == self.balancer.name),
            _ => None,
        });
        self.within("listeners", used, needed, limits.listeners)?;
        let used = self.survey.rules.iter().filter(|rule| self.is_here(&rule.key)).count();
        let needed = self.made(|change| match change {
            CloudChange::Rule(edit) => Some(self.is_here(&edit.of)),
            _ => None,
        });
        self.within("rules", used, needed, limits.rules)?;
        let (used, needed) = self.target_groups();
        self.within("target groups", used, needed, limits.target_groups)?;
        self.actions(limits.target_groups_per_action)
    }

    fn limits(&self) -> BalancerLimits {
        let limits = &self.survey.limits;
        match self.balancer.kind {
            LoadBalancerKind::Network => BalancerLimits {
                target_groups_per_action: Some(
                    limits.network.target_groups_per_action.unwrap_or(NETWORK_ACTION),
                ),
                ..limits.network
            },
            _ => limits.application,
        }
    }

    fn is_here(&self, route: &RouteKey) -> bool {
        route.listener.load_balancer == self.balancer.name
    }

    fn made(&self, is_here: impl Fn(&CloudChange) -> Option<bool>) -> usize {
        self.changes.iter().filter(|change| is_here(change) == Some(true)).count()
    }

    /// Counts the target groups that the load balancer names, each once, and those to come.
    fn target_groups(&self) -> (usize, usize) {
        let mut named = BTreeSet::new();
        for listener in &self.environment.listeners {
            if listener.key.load_balancer == self.balancer.name {
                named.extend(names(&listener.actions));
            }
        }
        let rules = self.survey.rules.iter().filter(|rule| self.is_here(&rule.key));
        named.extend(rules.flat_map(|rule| names(&rule.actions)));
        let used = named.len();
        for change in self.changes {
            named.extend(match change {
                CloudChange::Listener(edit) if edit.of.load_balancer == self.balancer.name => {
                    edit.after.iter().flat_map(|after| names(&after.actions)).collect::<Vec<_>>()
                }
                CloudChange::Rule(edit) if self.is_here(&edit.of) => {
                    edit.after.iter().flat_map(|after| names(&after.actions)).collect()
                }
                CloudChange::Route(edit) if self.is_here(&edit.of) => names(&edit.after).collect(),
                _ => Vec::new(),
            });
        }
        (used, named.len() - used)
    }

    /// Counts the target groups of each route that gets more of them.
    fn actions(&self, limit: Option<u32>) -> Result<(), Refusal> {
        for change in self.changes {
            if let CloudChange::Route(edit) = change
                && self.is_here(&edit.of)
            {
                let (used, will) = (names(&edit.before).count(), names(&edit.after).count());
                let of = format!("route `{}`", edit.of);
                within(of, "target groups", used, will - used, limit)?;
            }
        }
        Ok(())
    }

    fn within(
        &self,
        what: &'static str,
        used: usize,
        needed: usize,
        limit: Option<u32>,
    ) -> Result<(), Refusal> {
        within(format!("load balancer `{}`", self.balancer.name), what, used, needed, limit)
    }
}

fn within(
    of: String,
    what: &'static str,
    used: usize,
    needed: usize,
    limit: Option<u32>,
) -> Result<(), Refusal> {
    match limit {
        Some(limit)
            if needed > 0 && used + needed > usize::try_from(limit).unwrap_or(usize::MAX) =>
        {
            Err(Refusal::Quota { of, what, used, needed, limit })
        }
        _ => Ok(()),
    }
}

fn names(actions: &Actions) -> impl Iterator<Item = &TargetGroupName> {
    actions.forward().into_iter().flat_map(|forward| forward.weights().keys())
}
