use std::error::Error;
use std::fmt::{Debug, Display};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Fields;

/// One reversible edit of the world, carrying the value it replaces.
///
/// A change is plain data: it can be printed before it runs, journaled while it
/// runs, and undone by a later process that shares nothing but the journal.
///
/// # Contract
///
/// - `inverse` of `inverse` is the change itself.
/// - `apply` is absolute: applying twice is applying once.
/// - `apply` leaves everything alone that the change does not name.
/// - `observe` looks at the world; it never answers from memory.
/// - `find` says what `observe` compares, in the shape of `before` and `after`.
/// - The `Display` text names the resource and both values. Neither it nor the fields hold a
///   secret.
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

    /// Returns how long taking it back takes, roughly, once its call is made.
    fn undo_time(&self) -> Duration;

    /// Returns the value that is replaced, field by field.
    fn before(&self) -> Fields;

    /// Returns the value that is brought, field by field.
    fn after(&self) -> Fields;

    /// Returns the same change without what only an `apply` needs and nobody must see.
    ///
    /// It is equal to the change itself, as far as anybody can compare them.
    #[must_use]
    fn redacted(&self) -> Self;

    /// Reads the value that is there now, field by field.
    async fn find(&self, world: &Self::World) -> Result<Fields, Self::Error>;

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
    /// The inverse restores the same settings and the same capacity, but on other machines, or
    /// under another identity.
    Equivalent,
    /// Nothing restores what was. Such a change comes after everything that can be taken back: it
    /// is the plan's point of no return.
    Irreversible,
}

impl Display for Reversibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Equivalent => "equivalent",
            Self::Irreversible => "irreversible",
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
