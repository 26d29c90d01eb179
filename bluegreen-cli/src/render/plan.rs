use std::time::Duration;

use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::{Environment, Liveness};
use bluegreen_core::operation::RunDetails;
use bluegreen_core::plan::CloudPlan;
use bluegreen_core::transaction::{Change, Gate, Patience, Plan, Reversibility, StepId, Work};
use serde::Serialize;

use super::text::{BAD, BOLD, ODD, count, hang, second, styled};
use crate::duration;

/// A plan, and what it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline<'a> {
    /// The operation.
    pub(crate) operation: &'a str,
    /// The environment that it was made from.
    pub(crate) environment: &'a Environment,
    /// What the configuration calls the account.
    pub(crate) alias: &'a str,
    /// Where the environment is.
    pub(crate) region: &'a str,
    /// What is to be done.
    pub(crate) plan: &'a CloudPlan,
    /// The earlier run that it takes back, if it does.
    pub(crate) undone: Option<&'a RunDetails>,
}

/// A plan, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct PlanReport<'a> {
    environment: &'a str,
    account: &'a str,
    region: &'a str,
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a str>,
    state: &'static str,
    changes: usize,
    /// The first step that cannot be taken back.
    point_of_no_return: Option<u32>,
    /// How long a rollback takes, roughly, from the last moment at which there can be one.
    rollback_estimate_s: u64,
    stages: Vec<StageReport<'a>>,
}

#[derive(Debug, Serialize)]
struct StageReport<'a> {
    title: &'a str,
    steps: Vec<StepReport>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum StepReport {
    Change { step: u32, change: String, inverse: String, reversibility: String },
    Gate { step: u32, gate: String, timeout_s: u64 },
}

impl<'a> Outline<'a> {
    /// Returns the plan for programs.
    pub(crate) fn report(self) -> PlanReport<'a> {
        let mut stages: Vec<StageReport<'a>> = self
            .plan
            .stages()
            .iter()
            .map(|stage| StageReport { title: &stage.title, steps: Vec::new() })
            .collect();
        for (step, stage, work) in self.plan.steps() {
            let step = step.0;
            stages[stage].steps.push(match work {
                Ok(change) => StepReport::Change {
                    step,
                    change: change.to_string(),
                    inverse: change.inverse().to_string(),
                    reversibility: change.reversibility().to_string(),
                },
                Err(gate) => StepReport::Gate {
                    step,
                    gate: gate.to_string(),
                    timeout_s: gate.patience().timeout.as_secs(),
                },
            });
        }
        PlanReport {
            environment: self.environment.name.as_str(),
            account: self.environment.account.as_str(),
            region: self.region,
            operation: self.operation,
            undoes: self.undone.map(|run| run.summary.run.as_str()),
            state: "planned",
            changes: self.plan.changes().count(),
            point_of_no_return: no_return(self.plan).map(|step| step.0),
            rollback_estimate_s: self.plan.rollback_time().as_secs(),
            stages,
        }
    }

    /// Returns the plan for people.
    pub(crate) fn text(self, width: usize) -> String {
        let Self { operation, environment, alias, region, plan, undone } = self;
        let mut text = format!(
            "{}  (account {} {alias}, {region})\n",
            styled(BOLD, &format!("{operation} {}", environment.name)),
            environment.account,
        );
        if let Some(run) = undone {
            text.push_str(&hang("", &taken_back(run), width));
        }
        let (mut shown, no_return) = (None, no_return(plan));
        for (step, at, work) in plan.steps() {
            let stage = &plan.stages()[at];
            if no_return == Some(step) {
                text.push_str(&barrier());
            }
            if shown.replace(at) != Some(at) {
                text.push_str(&headline(&stage.title, &stage.work));
            }
            let (how, what) = match work {
                Ok(change) => (change.reversibility().to_string(), change.to_string()),
                Err(gate) => (patience(gate.patience()), gate.to_string()),
            };
            text.push_str(&hang(&format!("{step:>5}  {how:<10}  "), &what, width));
        }
        text.push('\n');
        text.push_str(&hang("", &self.summary(), width));
        text.push_str(&hang("", &self.undone(), width));
        text.push_str(&hang("", &return_of(no_return, plan.rollback_time()), width));
        text
    }

    fn summary(self) -> String {
        let changes = self.plan.changes().count();
        let stages = self.plan.stages().len();
        let mut text = format!("{} in {}", count(changes, "change"), count(stages, "stage"));
        let mut changes = self.plan.changes();
        if changes.any(|(_, change)| change.reversibility() == Reversibility::Equivalent) {
            text.push_str("; equivalent: undone with as many machines, but other ones");
        }
        text
    }

    /// Says how all of it is taken back.
    fn undone(self) -> String {
        let always = match no_return(self.plan) {
            None => "a failure or Ctrl-C takes everything back".to_owned(),
            Some(step) => format!("before step {step} a failure or Ctrl-C takes everything back"),
        };
        let name = &self.environment.name;
        let live = match self.environment.liveness() {
            Liveness::Live(live) => Some(live),
            Liveness::Split => None,
        };
        let later = match (self.operation, live) {
            ("upgrade", _) => "nothing that serves is touched".to_owned(),
            ("deploy", _) => "what serves is not touched".to_owned(),
            ("switch", Some(live)) => {
                format!("later, `bluegreen switch {name} --to {live}` goes back")
            }
            ("scaledown", Some(live)) => {
                format!("later, `bluegreen deploy {name} --from {}` starts it again", live.other())
            }
            _ => return format!("undo: {always}"),
        };
        format!("undo: {always}; {later}")
    }
}

/// Returns the first step that cannot be taken back.
fn no_return<C: Change, G: Gate>(plan: &Plan<C, G>) -> Option<StepId> {
    let barrier = plan.point_of_no_return()?;
    plan.steps().find_map(|(step, stage, _)| (stage == barrier).then_some(step))
}

/// Marks the point of no return in a list of steps.
fn barrier() -> String {
    let text = "── point of no return: what follows cannot be taken back ──";
    format!("\n  {}\n", styled(BAD.bold(), text))
}

/// Says up to where there is a way back, and how long it takes.
fn return_of(no_return: Option<StepId>, time: Duration) -> String {
    let time = duration::show(time);
    match no_return {
        None => format!(
            "rollback: there is no point of no return, every step can be taken back; \
             from the last one that takes about {time}"
        ),
        Some(step) => format!(
            "rollback: possible up to the point of no return, step {step}; \
             from there it takes about {time}"
        ),
    }
}

/// Says which run is taken back.
fn taken_back(run: &RunDetails) -> String {
    let summary = &run.summary;
    let (run, operation, actor) = (&summary.run, &summary.operation, &summary.actor);
    format!("takes back {operation}, run {run}, by {actor} on {} UTC", second(summary.started))
}

fn headline<C>(title: &str, work: &Work<C, CloudGate>) -> String {
    match work {
        Work::Changes(_) => format!("\n  {title}\n"),
        Work::Gate(_) => format!("\n  {} {title}\n", styled(ODD.bold(), "GATE")),
    }
}

fn patience(patience: Patience) -> String {
    if patience.timeout.is_zero() {
        "now".to_owned()
    } else {
        format!("≤ {}", duration::show(patience.timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_told_with_its_end_and_its_time() {
        let time = Duration::from_secs(302);
        assert_eq!(
            return_of(None, time),
            "rollback: there is no point of no return, every step can be taken back; \
             from the last one that takes about 5m02s"
        );
        assert_eq!(
            return_of(Some(StepId(7)), time),
            "rollback: possible up to the point of no return, step 7; \
             from there it takes about 5m02s"
        );
    }
}
