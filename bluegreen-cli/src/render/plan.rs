use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::{Environment, Liveness};
use bluegreen_core::plan::CloudPlan;
use bluegreen_core::transaction::{Change as _, Gate as _, Patience, Reversibility, Work};
use serde::Serialize;

use super::text::{BOLD, ODD, count, hang, styled};
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
}

/// A plan, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct PlanReport<'a> {
    environment: &'a str,
    account: &'a str,
    region: &'a str,
    operation: &'a str,
    state: &'static str,
    changes: usize,
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
            state: "planned",
            changes: self.plan.changes().count(),
            stages,
        }
    }

    /// Returns the plan for people.
    pub(crate) fn text(self, width: usize) -> String {
        let Self { operation, environment, alias, region, plan } = self;
        let mut text = format!(
            "{}  (account {} {alias}, {region})\n",
            styled(BOLD, &format!("{operation} {}", environment.name)),
            environment.account,
        );
        let mut shown = None;
        for (step, at, work) in plan.steps() {
            let stage = &plan.stages()[at];
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
        text
    }

    fn summary(self) -> String {
        let changes = self.plan.changes().count();
        let stages = self.plan.stages().len();
        let mut text = format!("{} in {}", count(changes, "change"), count(stages, "stage"));
        let is_equivalent = |change: &_| {
            bluegreen_core::transaction::Change::reversibility(change) == Reversibility::Equivalent
        };
        if self.plan.changes().any(|(_, change)| is_equivalent(change)) {
            text.push_str("; equivalent: undone with as many machines, but other ones");
        }
        text
    }

    /// Says how all of it is taken back.
    fn undone(self) -> String {
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
            _ => return "undo: a failure or Ctrl-C takes everything back".to_owned(),
        };
        format!("undo: a failure or Ctrl-C takes everything back; {later}")
    }
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
