//! One pure planner per operation: what was observed goes in, a plan comes out.
//!
//! Nothing here waits, reads or writes. A plan leaves no choice to be made when
//! it is executed.

mod deploy;
mod doctor;
mod downgrade;
mod holds;
mod orphans;
mod parity;
mod refusal;
mod removal;
mod scaledown;
mod switch;
mod undo;
mod upgrade;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use deploy::{DeployFacts, DeployOptions, DeploySource, deploy};
pub use doctor::{Examination, Finding, FindingSeverity, examine};
pub(crate) use downgrade::launch_before;
pub use downgrade::{DowngradeFacts, DowngradeOptions, downgrade};
pub use holds::{ExpiredHold, expired_hold};
pub(crate) use holds::{signed, sweep};
pub use orphans::{
    Census, Findings, Kept, OpenRun, Orphan, Unclaimed, Unread, delete_orphans, orphans, unclaimed,
};
pub use parity::{Disparity, GroupWhole, parity};
pub use refusal::Refusal;
pub use removal::Making;
pub use scaledown::{NETWORK_SETTLE, ScaledownFacts, ScaledownOptions, scaledown};
pub use switch::{SwitchOptions, switch};
pub use undo::{Overtaken, Standing, UndoFacts, UndoOptions, standings, undo};
pub use upgrade::{Names, UpgradeOptions, UpgradeSurvey, upgrade};

use crate::change::{CloudChange, Edit};
use crate::gate::{CloudGate, SideKey};
use crate::model::{
    Color, Environment, Forward, Liveness, Member, Process, Route, ScalingGroup, Side,
    TargetGroupName,
};
use crate::transaction::{Patience, Plan, Stage};

/// A plan of changes of a cloud.
pub type CloudPlan = Plan<CloudChange, CloudGate>;

/// A stage of such a plan.
pub type CloudStage = Stage<CloudChange, CloudGate>;

/// What a planner came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This is to be done.
    Run(CloudPlan),
    /// There is nothing to do, and why.
    Nothing(String),
}

impl Decision {
    /// There is nothing to upgrade.
    pub(crate) fn upgraded_already() -> Self {
        Self::Nothing("the environment has both colours already".to_owned())
    }
}

/// How long an operation waits for what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// When a gate that may be waited for gives up.
    pub timeout: Duration,
    /// How long to wait between two looks.
    pub poll: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { timeout: Duration::from_mins(15), poll: Duration::from_secs(5) }
    }
}

impl Waits {
    /// Waits for something to come true; two looks in a row must agree.
    fn until_true(self) -> Patience {
        Patience { timeout: self.timeout, poll: self.poll, readings: 2 }
    }

    /// Wants something to be true now; two looks in a row must agree.
    fn now(self) -> Patience {
        let poll = self.poll.min(Duration::from_secs(2));
        Patience { timeout: Duration::ZERO, poll, readings: 2 }
    }

    /// Wants something to stay true for a while; three looks in a row must agree.
    fn steadily(self) -> Patience {
        Patience { timeout: Duration::ZERO, poll: self.poll, readings: 3 }
    }
}

/// Returns the live colour of an environment that has both and is not split.
fn live_color(environment: &Environment) -> Result<Color, Refusal> {
    if !environment.is_upgraded() {
        return Err(Refusal::NotUpgraded(environment.name.clone()));
    }
    match environment.liveness() {
        Liveness::Live(color) => Ok(color),
        Liveness::Split => Err(Refusal::Split(environment.name.clone())),
    }
}

/// Returns a side of an environment that has both.
fn side(environment: &Environment, color: Color) -> Result<&Side, Refusal> {
    environment.side(color).ok_or_else(|| Refusal::NotUpgraded(environment.name.clone()))
}

/// Refuses a group that somebody else is working on.
fn check_free(group: &ScalingGroup) -> Result<(), Refusal> {
    if group.deleting {
        return Err(Refusal::Deleting(group.name.clone()));
    }
    if let Some(operator) = &group.operator {
        return Err(Refusal::Managed { group: group.name.clone(), operator: operator.clone() });
    }
    Ok(())
}

/// Refuses a side that would not be health-checked whichever side is live.
fn check_kept_checked(environment: &Environment, side: &Side) -> Result<(), Refusal> {
    let is_lost = |member: &&Member| environment.kept_checked_by(member).is_none();
    match side.members.iter().find(is_lost) {
        Some(member) => Err(Refusal::NoIdleListener(member.target_group.name.clone())),
        None => Ok(()),
    }
}

/// Returns the change that gives a route's target groups other weights; `None` if they have them.
fn reweighted(
    route: &Route,
    forward: &Forward,
    weights: BTreeMap<TargetGroupName, u32>,
) -> Option<CloudChange> {
    let after = Forward::new(weights, forward.stickiness().cloned()).ok()?;
    let after = after.with_form(forward.form().clone());
    (after != *forward).then(|| {
        let after = route.actions.with_forward(&after);
        CloudChange::Route(Edit::new(route.key.clone(), route.actions.clone(), after))
    })
}

fn side_key(side: &Side) -> SideKey {
    SideKey {
        group: side.group.name.clone(),
        target_groups: side.members.iter().map(|one| one.target_group.name.clone()).collect(),
    }
}

/// Suspends what would act on a colour that gets no traffic; `None` if it is suspended already.
fn hold(group: &ScalingGroup) -> Option<CloudChange> {
    processes(group, |_| true)
}

/// Suspends and resumes the processes that are held on the idle colour.
fn processes(group: &ScalingGroup, wanted: impl Fn(Process) -> bool) -> Option<CloudChange> {
    let held = Process::HELD_ON_IDLE.into_iter();
    let before = held.clone().map(|one| (one, group.suspended.contains(&one))).collect();
    let after = held.map(|one| (one, wanted(one))).collect();
    (before != after).then(|| CloudChange::Processes(Edit::new(group.name.clone(), before, after)))
}

/// Checks stages that a planner made.
fn checked(stages: Vec<CloudStage>) -> Result<Decision, Refusal> {
    Plan::new(stages).map(Decision::Run).map_err(Refusal::Inconsistent)
}
