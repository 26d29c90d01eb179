use serde::{Deserialize, Serialize};

/// Settings that only the provider's adapter understands.
///
/// Taken from a describe and given back to a create, so that what the core does
/// not reason about survives a clone. Never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Opaque(serde_json::Value);

impl Opaque {
    /// Wraps what an adapter wants to have carried.
    pub fn new(value: serde_json::Value) -> Self {
        Self(value)
    }

    /// Returns what the adapter wrapped.
    pub fn value(&self) -> &serde_json::Value {
        &self.0
    }
}
