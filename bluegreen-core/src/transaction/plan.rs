use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Change, Gate, Reversibility};

/// A checked list of stages, to be run in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan<C, G> {
    stages: Vec<Stage<C, G>>,
}

/// One stage of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage<C, G> {
    /// What the stage is for, in words.
    pub title: String,
    /// What it does.
    pub work: Work<C, G>,
}

/// What a stage does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work<C, G> {
    /// Changes that run at the same time.
    Changes(Vec<C>),
    /// Something that must hold before the next stage.
    Gate(G),
}

impl<C, G> Stage<C, G> {
    /// Makes a stage of changes that run at the same time.
    pub fn changes(title: impl Into<String>, changes: Vec<C>) -> Self {
        Self { title: title.into(), work: Work::Changes(changes) }
    }

    /// Makes a stage that waits for a gate.
    pub fn gate(title: impl Into<String>, gate: G) -> Self {
        Self { title: title.into(), work: Work::Gate(gate) }
    }
}

/// The position of a change or a gate in a plan, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub u32);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Says why a list of stages is not a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A change that changes nothing.
    #[error("the change of `{0}` changes nothing")]
    NoOp(String),
    /// Two changes of one thing at the same time.
    #[error("`{0}` is changed twice in one stage")]
    Twice(String),
    /// A change does not start where the one before it ends.
    #[error("a change of `{0}` does not start where the one before it ends")]
    BrokenChain(String),
}

impl<C: Change, G: Gate> Plan<C, G> {
    /// Checks a list of stages; stages without changes are dropped.
    pub fn new(stages: Vec<Stage<C, G>>) -> Result<Self, PlanError> {
        let stages: Vec<_> = stages
            .into_iter()
            .filter(|stage| !matches!(&stage.work, Work::Changes(changes) if changes.is_empty()))
            .collect();
        let plan = Self { stages };
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), PlanError> {
        let mut earlier: Vec<(usize, String, &C)> = Vec::new();
        for (at, stage) in self.stages.iter().enumerate() {
            let Work::Changes(changes) = &stage.work else { continue };
            for change in changes {
                let resource = change.resource();
                if change.inverse() == *change {
                    return Err(PlanError::NoOp(resource));
                }
                match earlier.iter().rfind(|(_, name, _)| *name == resource) {
                    Some((stage, ..)) if *stage == at => return Err(PlanError::Twice(resource)),
                    Some((.., last)) if !change.follows(last) => {
                        return Err(PlanError::BrokenChain(resource));
                    }
                    _ => earlier.push((at, resource, change)),
                }
            }
        }
        Ok(())
    }
}

impl<C, G> Plan<C, G> {
    /// Takes the plan apart.
    pub(crate) fn into_stages(self) -> Vec<Stage<C, G>> {
        self.stages
    }
}

impl<C: Change, G> Plan<C, G> {
    /// Returns the index of the first stage that cannot be undone, if there is one: from there on
    /// a run can only go on.
    pub fn point_of_no_return(&self) -> Option<usize> {
        let irreversible = |change: &C| change.reversibility() == Reversibility::Irreversible;
        self.stages.iter().position(|stage| match &stage.work {
            Work::Changes(changes) => changes.iter().any(irreversible),
            Work::Gate(_) => false,
        })
    }

    /// Returns how long a rollback takes, roughly, from the last moment at which there can be one.
    ///
    /// Changes of a stage go back at the same time, stages one after the other.
    pub fn rollback_time(&self) -> Duration {
        let last = self.point_of_no_return().unwrap_or(self.stages.len());
        let times = self.stages[..last].iter().map(|stage| match &stage.work {
            Work::Changes(changes) => changes.iter().map(Change::undo_time).max(),
            Work::Gate(_) => None,
        });
        times.flatten().sum()
    }
}

impl<C, G> Plan<C, G> {
    /// Returns the stages in order.
    pub fn stages(&self) -> &[Stage<C, G>] {
        &self.stages
    }

    /// Returns whether the plan changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// Returns every change with its step, in order.
    pub fn changes(&self) -> impl Iterator<Item = (StepId, &C)> {
        self.steps().filter_map(|(step, _, change)| Some((step, change.ok()?)))
    }

    /// Returns every step with the index of its stage, in order.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, usize, Result<&C, &G>)> {
        self.stages
            .iter()
            .enumerate()
            .flat_map(|(at, stage)| {
                let (changes, gate) = match &stage.work {
                    Work::Changes(changes) => (changes.as_slice(), None),
                    Work::Gate(gate) => (&[][..], Some(gate)),
                };
                let work = changes.iter().map(Ok).chain(gate.map(Err));
                work.map(move |work| (at, work))
            })
            .zip(1..)
            .map(|((at, work), step)| (StepId(step), at, work))
    }
}
