use std::convert::Infallible;
use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;
use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Failure, Patience, Severity};

/// What must hold before a run goes on. Can only veto: it changes nothing.
///
/// A gate is data, like a change: it stands in the plan and in the journal.
/// The engine does the waiting.
#[async_trait]
pub trait Gate:
    Clone + Debug + Display + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// What the gate looks at.
    type World: ?Sized + Send + Sync;
    /// Why it could not be looked at.
    type Error: Failure;

    /// Returns for how long to wait, how often to look, and how many readings in a row must pass.
    fn patience(&self) -> Patience;

    /// Looks once, having been waited for as long as `waited`.
    async fn look(&self, world: &Self::World, waited: Duration) -> Result<Verdict, Self::Error>;
}

/// What one look at a gate found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Pass(Progress),
    /// It does not hold yet.
    Wait(Progress),
    /// It does not hold, and waiting will not mend that.
    Fail(String),
}

/// How far the thing that is waited for has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How many of what is waited for are there.
    pub done: usize,
    /// How many there must be; zero if it is nothing that is counted up.
    pub wanted: usize,
    /// What is counted, and what is known about the missing ones.
    pub what: String,
}

impl Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { wanted: 0, what, .. } => f.write_str(what),
            Self { done, wanted, what } => write!(f, "{done} of {wanted} {what}"),
        }
    }
}

/// The gate of plans that have none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct NoGate<W: ?Sized>(Never, #[serde(skip)] PhantomData<fn(&W)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Never {}

impl<W: ?Sized> Clone for NoGate<W> {
    fn clone(&self) -> Self {
        match self.0 {}
    }
}

impl<W: ?Sized> PartialEq for NoGate<W> {
    fn eq(&self, _: &Self) -> bool {
        match self.0 {}
    }
}

impl<W: ?Sized> Display for NoGate<W> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

#[async_trait]
impl<W: Debug + ?Sized + Send + Sync + 'static> Gate for NoGate<W> {
    type World = W;
    type Error = Infallible;

    fn patience(&self) -> Patience {
        match self.0 {}
    }

    async fn look(&self, _: &W, _: Duration) -> Result<Verdict, Infallible> {
        match self.0 {}
    }
}

impl Failure for Infallible {
    fn severity(&self) -> Severity {
        match *self {}
    }
}
