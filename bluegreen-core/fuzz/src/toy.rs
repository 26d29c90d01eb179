//! Changes and gates of nothing, so that a plan may have any shape.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::transaction::{
    Change, Fields, Gate, Patience, Position, Progress, Reversibility, Verdict,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToyChange {
    thing: u32,
    is_made: bool,
    is_final: bool,
}

impl ToyChange {
    pub(crate) fn new(thing: u32, is_final: bool) -> Self {
        Self { thing, is_made: true, is_final }
    }
}

impl fmt::Display for ToyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "toy {}", self.thing)
    }
}

#[async_trait]
impl Change for ToyChange {
    type World = ();
    type Error = Infallible;

    fn resource(&self) -> String {
        self.to_string()
    }

    fn inverse(&self) -> Self {
        Self { is_made: !self.is_made, ..self.clone() }
    }

    fn follows(&self, _: &Self) -> bool {
        true
    }

    fn reversibility(&self) -> Reversibility {
        if self.is_final { Reversibility::Irreversible } else { Reversibility::Exact }
    }

    fn undo_time(&self) -> Duration {
        Duration::ZERO
    }

    fn before(&self) -> Fields {
        Fields::new()
    }

    fn after(&self) -> Fields {
        Fields::new()
    }

    fn redacted(&self) -> Self {
        self.clone()
    }

    async fn find(&self, (): &()) -> Result<Fields, Infallible> {
        Ok(Fields::new())
    }

    async fn observe(changes: &[&Self], (): &()) -> Vec<Result<Position, Infallible>> {
        changes.iter().map(|_| Ok(Position::Before)).collect()
    }

    async fn apply(&self, (): &()) -> Result<(), Infallible> {
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToyGate;

impl fmt::Display for ToyGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("gate")
    }
}

#[async_trait]
impl Gate for ToyGate {
    type World = ();
    type Error = Infallible;

    fn patience(&self) -> Patience {
        Patience { timeout: Duration::ZERO, poll: Duration::ZERO, readings: 1 }
    }

    async fn look(&self, (): &(), _: Duration) -> Result<Verdict, Infallible> {
        Ok(Verdict::Pass(Progress { done: 0, wanted: 0, what: String::new() }))
    }
}
