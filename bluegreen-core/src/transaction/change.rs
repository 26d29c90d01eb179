use std::error::Error;
use std::fmt::{Debug, Display};

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One reversible edit of the world, carrying the value it replaces.
///
/// A change is plain data: it can be printed before it runs, journaled while it
/// runs, and undone by a later process that shares nothing but the journal. An
/// edit that cannot be undone is not a change.
///
/// # Contract
///
/// - `inverse` of `inverse` is the change itself.
/// - `apply` is absolute: applying twice is applying once.
/// - `apply` leaves everything alone that the change does not name.
/// - `observe` looks at the world; it never answers from memory.
/// - The `Display` text names the resource and both values, and no secret.
#[async_trait]
pub trait Change:
    Clone + Debug + Display + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// What the change is made to.
    type World: ?Sized + Send + Sync;
    /// Why it could not be made or seen.
    type Error: Failure;

    /// Returns the natural key of what is changed; equal for changes of the same thing.
    fn resource(&self) -> String;

    /// Returns the change that takes this one back.
    #[must_use]
    fn inverse(&self) -> Self;

    /// Returns whether this change, of the same resource, starts where `earlier` ends.
    fn follows(&self, earlier: &Self) -> bool;

    /// Returns how well the change can be taken back.
    fn reversibility(&self) -> Reversibility;

    /// Looks at the world to see where it stands between before and after.
    ///
    /// Takes all changes of a stage at once so that they can share calls. The
    /// answers are in the order of the changes.
    async fn observe(changes: &[&Self], world: &Self::World) -> Vec<Result<Position, Self::Error>>;

    /// Makes the change.
    async fn apply(&self, world: &Self::World) -> Result<(), Self::Error>;
}

/// Where the world stands relative to one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// It has the value that the change replaces.
    Before,
    /// It has the value that the change brings.
    After,
    /// It has something that only this change can have begun: it takes several calls, and not
    /// all of them were made.
    Partial,
    /// Neither: somebody else was there.
    Drifted,
}

/// How well a change can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reversibility {
    /// The inverse restores what was.
    Exact,
    /// The inverse restores the same capacity, on other machines.
    Equivalent,
}

impl Display for Reversibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Equivalent => "equivalent",
        })
    }
}

/// An error that says what the engine can do about it.
pub trait Failure: Error + Send + Sync + 'static {
    /// Returns what the engine can do about it.
    fn severity(&self) -> Severity;
}

/// What the engine can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing was changed; the same call may succeed later.
    Busy,
    /// Nothing was changed; the same call would fail again.
    Refused,
    /// Only a look at the world can tell whether it was changed.
    Unknown,
    /// Every further call would fail alike: neither going on nor going back makes sense now.
    Hopeless,
}
