//! Undos that are only planned, of runs that never were.

use std::collections::BTreeMap;
use std::time::Duration;

use bluegreen_core::change::CloudChange;
use bluegreen_core::model::{Environment, Quiet, RunId, ScalingGroupName};
use bluegreen_core::plan::{
    CloudPlan, Decision, Refusal, ScaledownFacts, Standing, UndoFacts, UndoOptions, undo,
};
use bluegreen_core::transaction::Stage;

/// Plans to take back a run that made one change, which is as it was left.
pub(super) fn take_back(
    environment: &Environment,
    change: CloudChange,
    floats: BTreeMap<ScalingGroupName, u64>,
) -> Result<Decision, Refusal> {
    take_all_back(environment, vec![change], floats)
}

/// Plans to take back a run that made these changes one after the other.
pub(super) fn take_all_back(
    environment: &Environment,
    changes: Vec<CloudChange>,
    floats: BTreeMap<ScalingGroupName, u64>,
) -> Result<Decision, Refusal> {
    let stages = changes.into_iter().map(|change| Stage::changes("a change", vec![change]));
    let plan = CloudPlan::new(stages.collect()).expect("a plan");
    let standing = plan.changes().map(|(step, _)| (step, Standing::InPlace)).collect();
    let (deregistration_delay, idle_for) = (Duration::ZERO, Duration::ZERO);
    let drain = ScaledownFacts { deregistration_delay, idle_for, quiet: Quiet::default() };
    let facts = UndoFacts { plan, standing, drain, floats };
    undo(environment, &UndoOptions::new(RunId::new("01a")), &facts)
}
