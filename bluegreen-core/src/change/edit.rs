use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::cloud::{Cloud, CloudError, ReadCloud};
use crate::transaction::{Fields, Position, fields};

/// A thing, the value it has, and the value it is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit<K, V> {
    /// The natural key of the thing.
    pub of: K,
    /// The value that is replaced.
    pub before: V,
    /// The value that is brought.
    pub after: V,
}

impl<K, V> Edit<K, V> {
    /// Makes an edit.
    pub fn new(of: K, before: V, after: V) -> Self {
        Self { of, before, after }
    }
}

impl<K, V> Edit<K, Option<V>> {
    /// Makes the edit that creates something.
    pub fn create(of: K, after: V) -> Self {
        Self { of, before: None, after: Some(after) }
    }

    /// Makes the edit that deletes something.
    pub fn delete(of: K, before: V) -> Self {
        Self { of, before: Some(before), after: None }
    }

    /// Returns what is there either before or after: the thing that is made or deleted.
    pub(super) fn made(&self) -> Option<&V> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

impl<K, V: Serialize> Edit<K, V> {
    /// Returns the value before and the value after, every field of them.
    pub(super) fn all_fields(&self) -> (Fields, Fields) {
        (fields(&self.before), fields(&self.after))
    }
}

impl<K, V: Serialize> Edit<K, Option<V>> {
    /// Returns the fields of what was found that the edit says anything about: a cloud may add what
    /// nobody asked for.
    pub(super) fn mentioned(&self, found: Option<&V>) -> Fields {
        let mut found = fields(&found);
        if let Some(made) = self.made() {
            let mentioned = fields(made);
            found.retain(|name, _| mentioned.contains_key(name));
        }
        found
    }
}

/// Says whether something that has no other value is there.
pub(super) fn presence(is_there: bool) -> Fields {
    if is_there { fields(&"there") } else { Fields::new() }
}

/// What one family of edits does.
#[async_trait]
pub(super) trait EditKind: Send + Sync {
    /// Returns the natural key of what is edited.
    fn resource(&self) -> String;

    /// Looks where the world stands.
    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError>;

    /// Makes the edit.
    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError>;

    /// Returns the value before and the value after, field by field.
    fn values(&self) -> (Fields, Fields);

    /// Reads the value that is there now, field by field.
    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError>;

    /// Says what the edit does, without any secret.
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Compares what was found with before and after.
pub(super) fn position<T: PartialEq>(found: &T, before: &T, after: &T) -> Position {
    if found == after {
        Position::After
    } else if found == before {
        Position::Before
    } else {
        Position::Drifted
    }
}

/// Compares something that may be absent with before and after, by `is`: whether what was found
/// is what is wanted.
pub(super) fn position_by<F, V>(
    found: Option<&F>,
    before: Option<&V>,
    after: Option<&V>,
    is: impl Fn(&F, &V) -> bool,
) -> Position {
    let matches = |wanted: Option<&V>| match (found, wanted) {
        (None, None) => true,
        (Some(found), Some(wanted)) => is(found, wanted),
        _ => false,
    };
    if matches(after) {
        Position::After
    } else if matches(before) {
        Position::Before
    } else {
        Position::Drifted
    }
}
