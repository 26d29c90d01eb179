//! JSON that is spelt as AWS does (`PathPatternConfig`) or as we do (`path_pattern_config`).

use serde_json::Value;

/// Returns a member of an object, however its name is spelt.
pub(super) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let bare = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let wanted = bare(name);
    let members = object.as_object()?;
    members.iter().find(|(key, value)| !value.is_null() && bare(key) == wanted).map(|(_, one)| one)
}

/// Returns a member that is text.
pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    member(object, name)?.as_str().map(str::to_owned)
}

/// Returns the texts of a list.
pub(super) fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
