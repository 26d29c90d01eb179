use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::DimensionValue;

/// The key under which the name of another resource stands.
const NAME: &str = "$name";

/// Settings that only the provider's adapter understands.
///
/// Taken from a describe and given back to a create, so that what the core does
/// not reason about survives a clone. Never holds a secret. Where another resource is named, its
/// [natural key](Self::name) may stand, so that a clone can be made by naming others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Opaque(Arc<Value>);

impl Opaque {
    /// Wraps what an adapter wants to have carried.
    pub fn new(value: Value) -> Self {
        Self(Arc::new(value))
    }

    /// Returns what the adapter wrapped.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Makes the value that names another resource.
    ///
    /// # Panics
    ///
    /// Never: every name can be written as JSON.
    pub fn name(of: &DimensionValue) -> Value {
        let name = serde_json::to_value(of).expect("names are plain data");
        Value::Object(Map::from_iter([(NAME.to_owned(), name)]))
    }

    /// Reads a value that names another resource; `None` if it does not.
    pub fn named(value: &Value) -> Option<DimensionValue> {
        let members = value.as_object().filter(|members| members.len() == 1)?;
        serde_json::from_value(members.get(NAME)?.clone()).ok()
    }

    /// Puts another name in the place of every name.
    #[must_use]
    pub fn renamed(&self, rename: &impl Fn(&DimensionValue) -> DimensionValue) -> Self {
        Self::new(renamed(&self.0, rename))
    }

    /// Returns every name of another resource, in the order in which they stand.
    pub fn names(&self) -> Vec<DimensionValue> {
        let mut names = Vec::new();
        collect_names(&self.0, &mut names);
        names
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

fn renamed(value: &Value, rename: &impl Fn(&DimensionValue) -> DimensionValue) -> Value {
    if let Some(name) = Opaque::named(value) {
        return Opaque::name(&rename(&name));
    }
    match value {
        Value::Object(members) => Value::Object(
            members.iter().map(|(key, one)| (key.clone(), renamed(one, rename))).collect(),
        ),
        Value::Array(items) => items.iter().map(|one| renamed(one, rename)).collect(),
        other => other.clone(),
    }
}

fn collect_names(value: &Value, names: &mut Vec<DimensionValue>) {
    if let Some(name) = Opaque::named(value) {
        return names.push(name);
    }
    match value {
        Value::Object(members) => members.values().for_each(|one| collect_names(one, names)),
        Value::Array(items) => items.iter().for_each(|one| collect_names(one, names)),
        _ => {}
    }
}

fn covers(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (_, Value::Null) => true,
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| covers(found.get(key).unwrap_or(&Value::Null), value))
        }
        // Items have no names: as many as are wanted, in their order.
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found.iter().zip(wanted).all(|(found, wanted)| covers(found, wanted))
        }
        (found, wanted) => found == wanted,
    }
}
