use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value as text, field by field, so that two can be told apart by name. Absent is empty.
pub type Fields = BTreeMap<String, String>;

/// The keys of what is stored for a replay and never shown.
const SEALED: &str = "sealed";

/// A field that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The name of the field; empty if it is about the whole.
    pub field: String,
    /// What it should be; nothing if it should not be there.
    pub wanted: Option<String>,
    /// What it is; nothing if it is not there.
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ABSENT: &str = "absent";
        let Self { field, wanted, found } = self;
        let (wanted, found) =
            (wanted.as_deref().unwrap_or(ABSENT), found.as_deref().unwrap_or(ABSENT));
        if field.is_empty() {
            write!(f, "should be {wanted}, is {found}")
        } else {
            write!(f, "{field} should be {wanted}, is {found}")
        }
    }
}

/// Returns every field in which what was found is not what is wanted, by name.
pub fn differences(wanted: &Fields, found: &Fields) -> Vec<Difference> {
    const THERE: &str = "there";
    let whole = |wanted: bool, found: bool| Difference {
        field: String::new(),
        wanted: wanted.then(|| THERE.to_owned()),
        found: found.then(|| THERE.to_owned()),
    };
    match (wanted.is_empty(), found.is_empty()) {
        (true, true) => return Vec::new(),
        (false, true) => return vec![whole(true, false)],
        (true, false) => return vec![whole(false, true)],
        (false, false) => {}
    }
    let mut names: Vec<&String> = wanted.keys().chain(found.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| wanted.get(*name) != found.get(*name))
        .map(|name| Difference {
            field: name.clone(),
            wanted: wanted.get(name).cloned(),
            found: found.get(name).cloned(),
        })
        .collect()
}

/// Writes a value field by field, without what is [sealed](crate::model::UserData).
///
/// # Panics
///
/// If the value cannot be written as JSON, which is a mistake in its type.
pub fn fields(value: &impl Serialize) -> Fields {
    let value = serde_json::to_value(value).expect("values have string keys");
    let mut fields = Fields::new();
    flatten(String::new(), &value, &mut fields);
    fields
}

fn flatten(name: String, value: &Value, fields: &mut Fields) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| *key != SEALED) {
                flatten(below(key), value, fields);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                flatten(below(&at.to_string()), value, fields);
            }
        }
        Value::String(text) => {
            fields.insert(named(name), text.clone());
        }
        other => {
            fields.insert(named(name), other.to_string());
        }
    }
}

/// A value without fields is a field itself.
fn named(name: String) -> String {
    if name.is_empty() { "value".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: &Value) -> Fields {
        fields(value)
    }

    fn said(wanted: &Value, found: &Value) -> Vec<String> {
        differences(&of(wanted), &of(found)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn differences_are_named_field_by_field() {
        let wanted = json!({"weights": {"a": 100, "b": 0}, "kind": "forward"});
        let found = json!({"weights": {"a": 30, "c": 70}, "kind": "forward"});
        assert_eq!(
            said(&wanted, &found),
            [
                "weights.a should be 100, is 30",
                "weights.b should be 0, is absent",
                "weights.c should be absent, is 70"
            ]
        );
        assert_eq!(said(&wanted, &wanted), [""; 0]);
    }

    #[test]
    fn what_is_not_there_is_one_difference() {
        let value = json!({"a": 1, "b": 2});
        assert_eq!(said(&value, &Value::Null), ["should be there, is absent"]);
        assert_eq!(said(&Value::Null, &value), ["should be absent, is there"]);
        assert_eq!(said(&json!(true), &json!(false)), ["value should be true, is false"]);
    }

    #[test]
    fn what_is_sealed_is_not_shown() {
        let value = json!({"user_data": {"sha256": "ab", "sealed": "c2VjcmV0"}});
        assert_eq!(of(&value), Fields::from([("user_data.sha256".to_owned(), "ab".to_owned())]));
    }
}
