//! What keeps both colours checked, whichever of them serves.

mod idle_listener;
mod idle_ports;
mod quotas;
mod test_rule;
mod weight_zero;

use super::{UpgradeSurvey, made_tags};
use crate::change::CloudChange;
use crate::model::{Environment, HealthStrategy, LoadBalancer, LoadBalancerKind};
use crate::plan::Refusal;

/// Plans what keeps both colours checked, or says why that cannot be.
pub(super) fn changes(
    environment: &Environment,
    survey: &UpgradeSurvey,
) -> Result<Vec<CloudChange>, Refusal> {
    for load_balancer in &survey.load_balancers {
        check(&environment.health, load_balancer)?;
    }
    let changes = match &environment.health {
        HealthStrategy::IdleListener => idle_listener::changes(environment, survey)?,
        HealthStrategy::WeightZero { .. } => weight_zero::changes(environment, survey)?,
        HealthStrategy::TestRule { sources } => test_rule::changes(environment, survey, sources)?,
    };
    quotas::check(environment, survey, &changes)?;
    Ok(changes)
}

/// Refuses a load balancer that cannot keep a colour checked in that way.
fn check(health: &HealthStrategy, load_balancer: &LoadBalancer) -> Result<(), Refusal> {
    let name = || load_balancer.name.clone();
    match (load_balancer.kind, health) {
        (LoadBalancerKind::Network, HealthStrategy::IdleListener) if !load_balancer.guarded => {
            Err(Refusal::Unguarded(name()))
        }
        (LoadBalancerKind::Network, HealthStrategy::WeightZero { cuts_connections: false }) => {
            Err(Refusal::CutsConnections(name()))
        }
        (LoadBalancerKind::Network, HealthStrategy::TestRule { .. }) => {
            Err(Refusal::NoRules(name()))
        }
        (LoadBalancerKind::Application | LoadBalancerKind::Network, _) => Ok(()),
        (LoadBalancerKind::Gateway, _) => {
            let kind = "a gateway load balancer".to_owned();
            Err(Refusal::LoadBalancerKind { name: name(), kind })
        }
    }
}
