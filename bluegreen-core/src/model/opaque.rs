use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Settings that only the provider's adapter understands.
///
/// Taken from a describe and given back to a create, so that what the core does
/// not reason about survives a clone. Never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Opaque(Value);

impl Opaque {
    /// Wraps what an adapter wants to have carried.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// Returns what the adapter wrapped.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Returns whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.0.is_null()
    }

    /// Returns whether everything that `wanted` says is so here.
    ///
    /// A cloud may add what nobody asked for: defaults, or attributes that depend on what a
    /// resource is attached to.
    pub fn covers(&self, wanted: &Self) -> bool {
        covers(&self.0, &wanted.0)
    }
}

fn covers(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (_, Value::Null) => true,
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| covers(found.get(key).unwrap_or(&Value::Null), value))
        }
        (found, wanted) => found == wanted,
    }
}
