use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;

/// A place that keeps objects by key for several machines: a bucket.
///
/// The little that a [`Store`](super::Store) needs of one; nothing is ever deleted.
///
/// # Contract
///
/// - What was put is seen by everybody from then on.
/// - Of two who put the same key on the same [`Condition`], one succeeds at most.
/// - An error says nothing about whether the object was put: the caller looks.
/// - [`Refused`](Put::Refused) does not say who broke the condition: whoever repeats a put by
///   itself after a lost answer is refused by its own first try. The caller looks.
#[async_trait]
pub trait Objects: Debug + Send + Sync {
    /// Returns an object, if there is one of that key.
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError>;

    /// Returns the keys that begin with `prefix`, in order; all of them, whatever their number.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// Returns the keys that begin with `prefix` up to and with the first slash after it, each
    /// once, in order; those without a slash are left out.
    async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// Puts an object if the condition holds; says whether it did.
    async fn put(&self, key: &str, body: Vec<u8>, condition: &Condition)
    -> Result<Put, StoreError>;
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The content.
    pub body: Vec<u8>,
    /// Tells one version of the object from another.
    pub version: String,
    /// How long ago it was put, by the clock of whoever keeps it and by no other; never more than
    /// that, where the clock is coarse.
    pub age: Duration,
}

/// When an object may be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// If the key holds nothing.
    Absent,
    /// If the key holds this version.
    Version(String),
}

/// Whether an object was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was, and has this version now.
    Done(String),
    /// The condition did not hold.
    Refused,
}
