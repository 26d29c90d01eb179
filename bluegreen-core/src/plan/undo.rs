use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::scaledown::drained;
use super::{
    CloudPlan, CloudStage, Decision, Refusal, ScaledownFacts, Waits, check_free, checked, side,
    side_key,
};
use crate::change::{CloudChange, Edit};
use crate::gate::CloudGate;
use crate::model::{
    Actions, Capacity, Color, Environment, LaunchSource, ListenerKey, Liveness, RouteKey, RunId,
    ScalingGroupName, TargetGroupName, TemplateVersion,
};
use crate::transaction::{Change as _, Gate as _, Stage, StepId, Work};

/// What may be said about an undo.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndoOptions {
    /// The run to take back.
    pub run: RunId,
    /// How long to wait.
    pub waits: Waits,
}

impl UndoOptions {
    /// Takes a run back.
    pub fn new(run: RunId) -> Self {
        Self { run, waits: Waits::default() }
    }

    /// Says how long to wait.
    #[must_use]
    pub fn with_waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }
}

/// What an undo must know beyond the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoFacts {
    /// What the run did.
    pub plan: CloudPlan,
    /// Where each of its changes stands now.
    pub standing: BTreeMap<StepId, Standing>,
    /// What is needed to stop a colour.
    pub drain: ScaledownFacts,
    /// The number that a floating version, which the run replaced, means now.
    pub floats: BTreeMap<ScalingGroupName, u64>,
}

/// Where a change of an earlier run stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As the run left it.
    InPlace,
    /// As it was before.
    TakenBack,
    /// Neither: somebody changed it since.
    Changed(Vec<Overtaken>),
}

/// Something that somebody changed after a run: what the run left, what is, what was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overtaken {
    /// The thing.
    pub resource: String,
    /// The field of it; empty if it is about the whole.
    pub field: String,
    /// What the run left; nothing if it was not there then.
    pub left: Option<String>,
    /// What is there now; nothing if it is not there.
    pub now: Option<String>,
    /// What was there before the run; nothing if it was not there then.
    pub before: Option<String>,
}

impl fmt::Display for Overtaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, field, left, now, before } = self;
        let [left, now, before] =
            [left, now, before].map(|value| value.as_deref().unwrap_or("absent"));
        write!(f, "{resource}")?;
        if !field.is_empty() {
            write!(f, ", {field}")?;
        }
        write!(f, ": the run left {left}, it is {now}, before it was {before}")
    }
}

/// Plans to take an earlier run back: its inverses, newest first, with the gates that such changes
/// need whenever they are made.
///
/// Stops where somebody changed what the run left. Never takes anything from the colour that serves.
pub fn undo(
    environment: &Environment,
    options: &UndoOptions,
    facts: &UndoFacts,
) -> Result<Decision, Refusal> {
    let overtaken: Vec<Overtaken> = facts
        .standing
        .values()
        .flat_map(|standing| match standing {
            Standing::Changed(overtaken) => overtaken.clone(),
            Standing::InPlace | Standing::TakenBack => Vec::new(),
        })
        .collect();
    if !overtaken.is_empty() {
        return Err(Refusal::Overtaken { run: options.run.clone(), overtaken });
    }
    for color in Color::BOTH {
        environment.side(color).map_or(Ok(()), |side| check_free(&side.group))?;
    }
    let undo = Undo { environment, live: live(environment)?, waits: options.waits, facts };
    let mut stages = Vec::new();
    for (at, stage) in facts.plan.stages().iter().enumerate().rev() {
        let inverses: Vec<CloudChange> = undo.in_place(at).map(CloudChange::inverse).collect();
        for inverse in &inverses {
            undo.check(inverse)?;
        }
        stages.extend(undo.guarded(&stage.title, inverses)?);
    }
    if stages.is_empty() {
        let why = format!("everything is as it was before run {} already", options.run);
        return Ok(Decision::Nothing(why));
    }
    checked(with_gates_first(stages))
}

/// Wants everything to hold at the very beginning, too, that must hold later without waiting:
/// nothing is begun that is bound to fail.
fn with_gates_first(stages: Vec<CloudStage>) -> Vec<CloudStage> {
    let is_now = |stage: &&CloudStage| {
        matches!(&stage.work, Work::Gate(gate @ CloudGate::Healthy { than: Some(_), .. })
            if gate.patience().timeout.is_zero())
    };
    let starts_with_changes = matches!(stages[0].work, Work::Changes(_));
    let first: Vec<CloudStage> =
        stages.iter().filter(is_now).filter(|_| starts_with_changes).cloned().collect();
    first.into_iter().chain(stages).collect()
}

/// Returns the colour that serves; before an upgrade that is blue.
fn live(environment: &Environment) -> Result<Color, Refusal> {
    match environment.liveness() {
        _ if !environment.is_upgraded() => Ok(Color::Blue),
        Liveness::Live(live) => Ok(live),
        Liveness::Split => Err(Refusal::Split(environment.name.clone())),
    }
}

struct Undo<'a> {
    environment: &'a Environment,
    live: Color,
    waits: Waits,
    facts: &'a UndoFacts,
}

impl<'a> Undo<'a> {
    /// Returns the changes of a stage that are as the run left them.
    fn in_place(&self, stage: usize) -> impl Iterator<Item = &'a CloudChange> {
        let facts = self.facts;
        facts.plan.steps().filter_map(move |(step, at, work)| {
            let is_wanted = at == stage && facts.standing.get(&step) == Some(&Standing::InPlace);
            work.ok().filter(|_| is_wanted)
        })
    }

    /// Refuses what would take something from the colour that serves.
    fn check(&self, inverse: &CloudChange) -> Result<(), Refusal> {
        let environment = self.environment.name.clone();
        let is_live = || Refusal::IsLive { environment: environment.clone(), color: self.live };
        let serving = side(self.environment, self.live)?;
        match inverse {
            CloudChange::Capacity(edit) if edit.of == serving.group.name => Err(is_live()),
            CloudChange::ScalingGroup(Edit { of, .. }) if *of == serving.group.name => {
                Err(is_live())
            }
            CloudChange::TargetGroup(Edit { of, after: None, .. }) if self.is_routed(of) => {
                Err(is_live())
            }
            CloudChange::Listener(Edit { of, after: None, .. }) if self.is_live_listener(of) => {
                Err(is_live())
            }
            CloudChange::Launch(edit) if edit.of == serving.group.name => {
                self.check_launch(edit, is_live)
            }
            _ => Ok(()),
        }
    }

    /// Lets the live group follow a floating version again only if that changes nothing.
    fn check_launch(
        &self,
        edit: &Edit<ScalingGroupName, LaunchSource>,
        is_live: impl Fn() -> Refusal,
    ) -> Result<(), Refusal> {
        match (edit.before.template(), edit.after.template()) {
            (Some((_, TemplateVersion::Number(pinned))), Some((_, version)))
                if version.floats() =>
            {
                match self.facts.floats.get(&edit.of) {
                    Some(now) if now == pinned => Ok(()),
                    _ => Err(Refusal::FloatMoved {
                        group: edit.of.clone(),
                        launch: edit.after.clone(),
                        pinned: *pinned,
                    }),
                }
            }
            _ => Err(is_live()),
        }
    }

    fn is_routed(&self, name: &TargetGroupName) -> bool {
        self.environment.routes.iter().any(|route| reaches(&route.actions, name))
    }

    fn is_live_listener(&self, key: &ListenerKey) -> bool {
        self.environment.routes.iter().any(|route| route.key.listener == *key)
    }

    /// Puts the gates around a stage of inverses that its changes need.
    fn guarded(&self, title: &str, inverses: Vec<CloudChange>) -> Result<Vec<CloudStage>, Refusal> {
        if inverses.is_empty() {
            return Ok(Vec::new());
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let routes: Vec<(&RouteKey, &Actions)> = inverses
            .iter()
            .filter_map(|inverse| match inverse {
                CloudChange::Route(edit) if moves(edit) => Some((&edit.of, &edit.after)),
                _ => None,
            })
            .collect();
        if !routes.is_empty() {
            let to = self.color_of(&routes)?;
            let (new, old) = (side(self.environment, to)?, side(self.environment, to.other())?);
            let healthy =
                |than, patience| CloudGate::Healthy { side: side_key(new), than, patience };
            before.push(Stage::gate(
                format!("{to} is healthy and large enough"),
                healthy(Some(side_key(old)), self.waits.now()),
            ));
            let gate = healthy(None, self.waits.steadily());
            after.push(Stage::gate(format!("{to} stays healthy"), gate));
        }
        for inverse in &inverses {
            if let CloudChange::Capacity(edit) = inverse {
                self.guard_capacity(edit, &mut before, &mut after)?;
            }
        }
        before.push(Stage::changes(format!("take back: {title}"), inverses));
        before.append(&mut after);
        Ok(before)
    }

    /// Waits for what a change of size needs before, and for what it brings after.
    fn guard_capacity(
        &self,
        edit: &Edit<ScalingGroupName, Capacity>,
        before: &mut Vec<CloudStage>,
        after: &mut Vec<CloudStage>,
    ) -> Result<(), Refusal> {
        let idle = self.live.other();
        let side = side(self.environment, idle)?;
        if edit.after.desired < edit.before.desired {
            before.push(drained(self.environment, idle, self.facts.drain, self.waits)?);
        }
        let patience = self.waits.until_true();
        let (title, gate) = if edit.after.desired == 0 {
            let group = edit.of.clone();
            ("wait until its machines are gone", CloudGate::Empty { group, patience })
        } else {
            let side = side_key(side);
            ("wait until it is healthy", CloudGate::Healthy { side, than: None, patience })
        };
        after.push(Stage::gate(title, gate));
        Ok(())
    }

    /// Returns the colour that all of these routes are sent back to.
    fn color_of(&self, routes: &[(&RouteKey, &Actions)]) -> Result<Color, Refusal> {
        let goes_to = |color: Color, actions: &Actions| {
            self.environment.pairs.iter().any(|pair| reaches(actions, pair.get(color)))
        };
        let is_all = |color: &Color| {
            routes
                .iter()
                .all(|(_, actions)| goes_to(*color, actions) && !goes_to(color.other(), actions))
        };
        Color::BOTH
            .into_iter()
            .find(is_all)
            .ok_or_else(|| Refusal::SplitBefore(self.environment.name.clone()))
    }
}

/// Returns whether a route sends requests to other target groups than before; what has weight 0 may
/// come and go.
fn moves(edit: &Edit<RouteKey, Actions>) -> bool {
    let reached = |actions: &Actions| -> BTreeSet<TargetGroupName> {
        let forward = actions.forward();
        let names = forward.into_iter().flat_map(|forward| forward.weights().keys());
        names.filter(|name| reaches(actions, name)).cloned().collect()
    };
    reached(&edit.before) != reached(&edit.after)
}

fn reaches(actions: &Actions, name: &TargetGroupName) -> bool {
    actions.forward().is_some_and(|forward| forward.reaches(name))
}

/// Settles where the changes of a run stand, from a look at each.
///
/// A thing stands where its newest change stands that is not taken back; what an older change
/// brought, the newer one started from.
pub fn standings(
    plan: &CloudPlan,
    mut looks: BTreeMap<StepId, Standing>,
) -> BTreeMap<StepId, Standing> {
    let mut settled = BTreeSet::new();
    let changes: Vec<(StepId, &CloudChange)> = plan.changes().collect();
    let mut standing = BTreeMap::new();
    for (step, change) in changes.into_iter().rev() {
        let look = looks.remove(&step).filter(|_| !settled.contains(&change.resource()));
        let look = look.unwrap_or(Standing::InPlace);
        if look != Standing::TakenBack {
            settled.insert(change.resource());
        }
        standing.insert(step, look);
    }
    standing
}
