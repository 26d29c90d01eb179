mod restore;

pub(crate) use restore::launch_before;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::removal::{Making, Removal};
use super::scaledown::drained;
use super::{
    CloudPlan, Decision, Refusal, ScaledownFacts, Waits, check_free, checked, deploy, live_color,
    reweighted,
};
use crate::change::CloudChange;
use crate::model::{
    Color, Environment, ListenerKey, ListenerSettings, LoadBalancer, ResourceKey, RouteKey,
    RuleSettings, Side, Tags, TargetGroupName, TargetGroupSettings, tag_key,
};
use crate::transaction::Stage;

/// What may be said about a downgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DowngradeOptions {
    /// How long to wait.
    pub waits: Waits,
}

impl DowngradeOptions {
    /// Says how long to wait.
    #[must_use]
    pub fn with_waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }
}

/// What a downgrade must know beyond the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DowngradeFacts {
    /// What would make the green scaling group again.
    pub green: Option<Making>,
    /// What would make the target groups of both colours again.
    pub target_groups: BTreeMap<TargetGroupName, TargetGroupSettings>,
    /// What would make the idle listeners again.
    pub listeners: BTreeMap<ListenerKey, ListenerSettings>,
    /// What would make the test rules again.
    pub rules: BTreeMap<RouteKey, RuleSettings>,
    /// Those of the idle listeners to which somebody has given rules.
    pub ruled: BTreeSet<ListenerKey>,
    /// The load balancers of the environment.
    pub load_balancers: Vec<LoadBalancer>,
    /// What the upgrade did, if its journal is there.
    pub upgrade: Option<CloudPlan>,
    /// The number that the floating version means now which the upgrade replaced, if it did.
    pub floats: Option<u64>,
    /// What is needed to stop a colour.
    pub drain: ScaledownFacts,
}

/// Plans to go back to one colour, the live one, and to remove what the tool made.
///
/// Blue was there first and is never deleted: while green is live, this refuses. What the upgrade
/// pinned and protected is as before only if its journal is there; a version that floated floats
/// again only if it means the version that runs now.
pub fn downgrade(
    environment: &Environment,
    options: &DowngradeOptions,
    facts: &DowngradeFacts,
) -> Result<Decision, Refusal> {
    let Some(green) = &environment.green else {
        return Ok(Decision::Nothing("the environment has one colour only".to_owned()));
    };
    if live_color(environment)? == Color::Green {
        return Err(Refusal::GreenIsLive(environment.name.clone()));
    }
    check_free(&environment.blue.group)?;
    check_free(&green.group)?;
    check_ours(green, facts)?;
    let mut stages = Vec::new();
    if !green.group.is_stopped() {
        stages.push(drained(environment, Color::Green, facts.drain, options.waits)?);
    }
    stages.extend(deploy::stop(green, options.waits)?);
    stages.push(Stage::changes("take green out of the routes", unrouted(environment, green)));
    stages.extend(removal(green, facts).stages());
    let restored = restore::changes(environment, facts);
    stages.push(Stage::changes("leave blue as it was", restored));
    checked(stages)
}

fn removal<'a>(green: &'a Side, facts: &'a DowngradeFacts) -> Removal<'a> {
    let members = green.members.iter().map(|member| &member.target_group.name);
    Removal {
        what: "green",
        makings: facts.green.iter().map(|making| (&green.group, making)).collect(),
        listeners: facts.listeners.iter().collect(),
        rules: facts.rules.iter().collect(),
        target_groups: members.filter_map(|name| facts.target_groups.get_key_value(name)).collect(),
    }
}

/// Refuses to delete what no run made, and what could not be made again.
fn check_ours(green: &Side, facts: &DowngradeFacts) -> Result<(), Refusal> {
    let not_ours = |resource| Err(Refusal::NotOurs(resource));
    if green.group.tag(tag_key::RUN).is_none() {
        return not_ours(ResourceKey::ScalingGroup(green.group.name.clone()));
    }
    let is_ours = |tags: &Tags| tags.contains_key(tag_key::RUN);
    for member in &green.members {
        let name = &member.target_group.name;
        if !facts.target_groups.get(name).is_some_and(|settings| is_ours(&settings.tags)) {
            return not_ours(ResourceKey::TargetGroup(name.clone()));
        }
    }
    for (key, settings) in &facts.listeners {
        if !is_ours(&settings.tags) {
            return not_ours(ResourceKey::Listener(key.clone()));
        }
    }
    for (key, settings) in &facts.rules {
        if !is_ours(&settings.tags) {
            return Err(Refusal::RuleNotOurs(key.clone()));
        }
    }
    if let Some(key) = facts.ruled.first() {
        return Err(Refusal::Ruled(key.clone()));
    }
    let features = facts.green.as_ref().map(Making::uncarried).unwrap_or_default();
    if features.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Uncarried { group: green.group.name.clone(), features })
    }
}

/// Takes green target groups, which get nothing, out of the routes that name them.
fn unrouted(environment: &Environment, green: &Side) -> Vec<CloudChange> {
    let names: BTreeSet<_> = green.members.iter().map(|one| &one.target_group.name).collect();
    let change = |route: &crate::model::Route| {
        let forward = route.actions.forward()?;
        let mut weights = forward.weights().clone();
        weights.retain(|name, _| !names.contains(name));
        reweighted(route, forward, weights)
    };
    environment.routes.iter().filter_map(change).collect()
}
