//! The contract of a [`Store`], one clause per sentence.
//!
//! A store forgets nothing, so the clauses leave runs and free locks behind, under names of their
//! own. They expect these names to be new to the store.

mod arrange;
mod journals;
mod locks;

use std::time::Duration;

use bluegreen_core::transaction::Store;
use futures_util::future::BoxFuture;

use super::clauses;

pub use journals::*;
pub use locks::*;

/// What a store may differ in.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// What the names of all runs and environments begin with.
    pub prefix: String,
    /// For how long locks are taken. Clauses wait for several times as long.
    pub term: Duration,
    /// How much longer than its term a lock may be held, where the store's clock is coarse.
    pub slack: Duration,
    /// When the lock of a process that is gone ends.
    pub lock_end: LockEnd,
    /// What happens to whoever opens a journal while somebody else can still write it.
    pub opening: Opening,
}

/// When the lock of a process that is gone ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockEnd {
    /// At once, and not before.
    WithItsProcess,
    /// When its term has passed without a renewal, whether the process lives or not.
    AfterItsTerm,
}

/// What happens to whoever opens a journal while somebody else can still write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// They are the writer from then on.
    TakesOver,
    /// They are refused.
    IsRefused,
}

/// One sentence of the contract, to be run.
type Clause = for<'a> fn(&'a dyn Store, &'a Fixture) -> BoxFuture<'a, ()>;

/// Runs every clause, one after the other, and returns their names.
///
/// Panics at the first one that does not hold.
pub async fn all(store: &dyn Store, fixture: &Fixture) -> Vec<&'static str> {
    let mut names = vec![];
    for (name, clause) in journals::CLAUSES.iter().chain(locks::CLAUSES) {
        clause(store, fixture).await;
        names.push(*name);
    }
    names
}
