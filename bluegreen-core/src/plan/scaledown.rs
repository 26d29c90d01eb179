use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    CloudStage, Decision, Refusal, Waits, check_free, checked, deploy, hold, live_color, side,
};
use crate::change::{CloudChange, Edit};
use crate::gate::CloudGate;
use crate::model::{
    Capacity, Color, Environment, Quiet, ResourceKey, ScalingGroup, TargetGroup, tag_key,
};
use crate::transaction::{Patience, Stage};

/// What may be said about a scaledown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScaledownOptions {
    /// The colour to be stopped; the idle one by default, and no other is accepted.
    pub color: Option<Color>,
    /// How long to wait.
    pub waits: Waits,
}

impl ScaledownOptions {
    /// Says which colour is meant; refused if it is the live one.
    #[must_use]
    pub fn with_color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Says how long to wait.
    #[must_use]
    pub fn with_waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }
}

/// For how long a network load balancer may go on sending new flows to the target group that it
/// was told to leave: it was seen to do so for some 75 seconds, and drained for 120.
pub const NETWORK_SETTLE: Duration = Duration::from_mins(2);

/// What a scaledown must know beyond the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaledownFacts {
    /// For how long connections to the idle colour may go on, or begin, after it lost its routes.
    pub deregistration_delay: Duration,
    /// For how long the colour is known to have been idle; zero if nobody knows.
    pub idle_for: Duration,
    /// For how long it must have had no requests, and whose measure is done without.
    pub quiet: Quiet,
}

/// Plans to stop the colour that does not serve.
pub fn scaledown(
    environment: &Environment,
    options: &ScaledownOptions,
    facts: ScaledownFacts,
) -> Result<Decision, Refusal> {
    let live = live_color(environment)?;
    if options.color == Some(live) {
        return Err(Refusal::IsLive { environment: environment.name.clone(), color: live });
    }
    let color = live.other();
    let idle = side(environment, color)?;
    check_free(&idle.group)?;
    if idle.group.is_stopped() {
        return Ok(Decision::Nothing(format!("{color} has no machines")));
    }
    let mut before = vec![drained(environment, color, facts, options.waits)?];
    let keep = hold(&idle.group).into_iter().chain(remember(&idle.group));
    before.push(Stage::changes(format!("remember the size of {color}"), keep.collect()));
    before.extend(deploy::stop(idle, options.waits)?);
    checked(before)
}

/// Waits until nothing is sent to a colour any more, and what was sent is done.
pub(super) fn drained(
    environment: &Environment,
    color: Color,
    facts: ScaledownFacts,
    waits: Waits,
) -> Result<CloudStage, Refusal> {
    let members = side(environment, color)?.members.iter();
    let unmeasured =
        members.clone().map(|member| &member.target_group).find(|one| !is_measured(one));
    if let (Some(target_group), false) = (unmeasured, facts.quiet.unmeasured) {
        return Err(Refusal::Unmeasured(target_group.name.clone()));
    }
    let rest = facts.deregistration_delay.saturating_sub(facts.idle_for);
    let gate = CloudGate::Drained {
        target_groups: members.map(|one| one.target_group.name.clone()).collect(),
        routes: environment.routes.iter().map(|route| route.key.clone()).collect(),
        rest,
        quiet: Some(facts.quiet),
        // What is certain to be waited for does not count against the patience for the rest.
        patience: Patience { timeout: waits.timeout + rest, ..waits.until_true() },
    };
    Ok(Stage::gate(format!("{color} is idle and drained"), gate))
}

/// Returns whether the requests to a target group are counted: flows of network load balancers are,
/// but for each load balancer and not for each target group.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html>
fn is_measured(target_group: &TargetGroup) -> bool {
    target_group.protocol.starts_with("HTTP")
}

/// Notes the size that is taken away; `None` if it is noted already.
fn remember(group: &ScalingGroup) -> Option<CloudChange> {
    let Capacity { min, desired, max } = group.capacity;
    let key = tag_key::CAPACITY.to_owned();
    let before = BTreeMap::from([(key.clone(), group.tag(&key).map(str::to_owned))]);
    let after = BTreeMap::from([(key, Some(format!("{min}/{desired}/{max}")))]);
    let resource = ResourceKey::ScalingGroup(group.name.clone());
    (before != after && group.capacity != Capacity::ZERO)
        .then(|| CloudChange::Tags(Edit::new(resource, before, after)))
}
