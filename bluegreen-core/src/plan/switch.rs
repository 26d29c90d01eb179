use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    CloudStage, Decision, Refusal, Waits, check_free, check_kept_checked, checked, hold, processes,
    reweighted, side, side_key,
};
use crate::change::CloudChange;
use crate::gate::CloudGate;
use crate::model::{Color, Environment, Liveness, Process, Route, ScalingGroup, TargetGroupName};
use crate::transaction::Stage;

/// The heaviest weight that a load balancer takes.
const HEAVIEST: u32 = 999;

/// What may be said about a switch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SwitchOptions {
    /// The colour to be made live; by default the one that is not.
    pub to: Option<Color>,
    /// How long to wait between looks.
    pub waits: Waits,
}

impl SwitchOptions {
    /// Says which colour is to be made live, which also mends a split environment.
    #[must_use]
    pub fn with_to(mut self, to: Color) -> Self {
        self.to = Some(to);
        self
    }

    /// Says how long to wait between looks.
    #[must_use]
    pub fn with_waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }
}

/// Plans to send all traffic to the other colour: every live route in one concurrent stage.
pub fn switch(environment: &Environment, options: &SwitchOptions) -> Result<Decision, Refusal> {
    if !environment.is_upgraded() {
        return Err(Refusal::NotUpgraded(environment.name.clone()));
    }
    let to = match (environment.liveness(), options.to) {
        (Liveness::Live(live), Some(to)) if live == to => {
            return Ok(Decision::Nothing(format!("{to} is live already")));
        }
        (_, Some(to)) => to,
        (Liveness::Live(live), None) => live.other(),
        (Liveness::Split, None) => return Err(Refusal::Split(environment.name.clone())),
    };
    let (new, old) = (side(environment, to)?, side(environment, to.other())?);
    check_free(&new.group)?;
    check_free(&old.group)?;
    check_kept_checked(environment, new)?;
    check_kept_checked(environment, old)?;
    let healthy = |than, patience| CloudGate::Healthy { side: side_key(new), than, patience };
    let waits = options.waits;
    checked(vec![
        Stage::gate(
            format!("{to} is healthy and large enough"),
            healthy(Some(side_key(old)), waits.now()),
        ),
        Stage::changes(format!("send all traffic to {to}"), routes(environment, to)),
        Stage::gate(format!("{to} stays healthy"), healthy(None, waits.steadily())),
        hand_over(&new.group, &old.group, to, environment.liveness() == Liveness::Split),
    ])
}

fn routes(environment: &Environment, to: Color) -> Vec<CloudChange> {
    environment.routes.iter().filter_map(|route| moved(environment, route, to)).collect()
}

/// Returns the change that sends a route's traffic to `to`; `None` if all of it goes there.
fn moved(environment: &Environment, route: &Route, to: Color) -> Option<CloudChange> {
    let forward = route.actions.forward()?;
    let mut weights = forward.weights().clone();
    let keep = forward.stickiness().is_none() && environment.keeps_at_zero(&route.key);
    for pair in &environment.pairs {
        move_weight(&mut weights, pair.get(to.other()), pair.get(to), keep);
    }
    reweighted(route, forward, weights)
}

/// Moves all the weight of a pair from one target group to the other.
///
/// A target group that was in the route with whatever weight stays in it at 0, so that the route
/// keeps its shape; except where clients are sticky, which a weight of 0 would not move, and on a
/// network load balancer, which would close their connections: being replaced leaves them alone.
fn move_weight(
    weights: &mut BTreeMap<TargetGroupName, u32>,
    from: &TargetGroupName,
    to: &TargetGroupName,
    keep: bool,
) {
    let Some(lost) = weights.remove(from) else { return };
    match weights.get_mut(to) {
        None => {
            weights.insert(to.clone(), lost);
        }
        Some(weight) => {
            *weight = weight.saturating_add(lost).clamp(1, HEAVIEST);
            if keep {
                weights.insert(from.clone(), 0);
            }
        }
    }
}

/// Gives the new live colour the processes that the old one ran, and holds the old one's.
///
/// Where the environment was split, neither colour's suspensions say what its owner wants of a
/// live one: what is held is let go, and what is not is left alone.
fn hand_over(new: &ScalingGroup, old: &ScalingGroup, to: Color, was_split: bool) -> CloudStage {
    let is_held = Process::HELD_ON_IDLE.iter().all(|process| new.suspended.contains(process));
    let release = match (was_split, is_held) {
        (false, _) => processes(new, |process| old.suspended.contains(&process)),
        (true, true) => processes(new, |_| false),
        (true, false) => None,
    };
    let changes = release.into_iter().chain(hold(old)).collect();
    Stage::changes(format!("let {to} scale by itself, hold {}", to.other()), changes)
}
