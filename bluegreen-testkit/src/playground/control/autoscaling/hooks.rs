//! Lifecycle hooks: kept, shown, and never waited for.

use bluegreen_core::model::Opaque;
use serde_json::{Map, Value, json};

use super::refusal::invalid;
use super::{Call, Params, WireError, Xml};

/// Where hooks stand in the settings of a group.
const HOOKS: &str = "hooks";

/// The members of a hook: the name in requests, and in the settings.
const MEMBERS: [(&str, &str); 6] = [
    ("LifecycleHookName", "name"),
    ("LifecycleTransition", "transition"),
    ("DefaultResult", "default_result"),
    ("NotificationTargetARN", "notification_target"),
    ("NotificationMetadata", "notification_metadata"),
    ("RoleARN", "role"),
];

const TRANSITIONS: [&str; 2] =
    ["autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"];

/// Reads a hook.
pub(super) fn read(params: &Params) -> Result<Value, WireError> {
    let mut hook = Map::new();
    apply(params, &mut hook)?;
    finished(hook)
}

fn apply(params: &Params, hook: &mut Map<String, Value>) -> Result<(), WireError> {
    for (name, key) in MEMBERS {
        match params.text(name) {
            Some("") => drop(hook.remove(key)),
            Some(text) => drop(hook.insert(key.to_owned(), text.into())),
            None => {}
        }
    }
    if let Some(timeout) = params.number::<i32>("HeartbeatTimeout")? {
        if !(30..=7200).contains(&timeout) {
            return Err(super::refusal::out_of_range("HeartbeatTimeout", 30, 7200));
        }
        hook.insert("heartbeat_timeout".to_owned(), timeout.into());
    }
    Ok(())
}

/// Adds what AWS has by default.
fn finished(mut hook: Map<String, Value>) -> Result<Value, WireError> {
    hook.entry("default_result").or_insert_with(|| "ABANDON".into());
    hook.entry("heartbeat_timeout").or_insert_with(|| 3600.into());
    if hook.get("name").is_none() {
        return Err(invalid("The parameter LifecycleHookName is required"));
    }
    let transition = hook.get("transition").and_then(Value::as_str).unwrap_or_default();
    if !TRANSITIONS.contains(&transition) {
        let message = format!("Invalid Lifecycle Transition {transition}");
        return Err(invalid(message));
    }
    let result = hook.get("default_result").and_then(Value::as_str).unwrap_or_default();
    if !matches!(result, "ABANDON" | "CONTINUE") {
        return Err(invalid(format!("Invalid DefaultResult {result}: ABANDON or CONTINUE")));
    }
    Ok(Value::Object(hook))
}

/// Puts a hook among those of a group, which are sorted by name.
pub(super) fn insert(settings: &mut Map<String, Value>, hook: Value) {
    let hooks = settings.entry(HOOKS).or_insert_with(|| json!([]));
    if let Value::Array(hooks) = hooks {
        hooks.retain(|one| one["name"] != hook["name"]);
        hooks.push(hook);
        hooks.sort_by(|one, other| one["name"].as_str().cmp(&other["name"].as_str()));
    }
}

/// Makes a hook, or changes what is said of one.
pub(super) fn put(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    let wanted = call.params.need("LifecycleHookName")?;
    super::amend(call.site, &name, |group| {
        let mut settings = group.details.value().as_object().cloned().unwrap_or_default();
        let hooks = settings.get(HOOKS).and_then(Value::as_array).into_iter().flatten();
        let mut hooks = hooks.filter(|one| one["name"] == wanted);
        let mut hook = hooks.next().and_then(Value::as_object).cloned().unwrap_or_default();
        apply(call.params, &mut hook)?;
        insert(&mut settings, finished(hook)?);
        group.details = Opaque::new(Value::Object(settings));
        Ok(())
    })?;
    Ok(Xml::new())
}

/// Deletes a hook.
pub(super) fn delete(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    let wanted = call.params.need("LifecycleHookName")?;
    super::amend(call.site, &name, |group| {
        let mut settings = group.details.value().as_object().cloned().unwrap_or_default();
        let hooks = settings.get_mut(HOOKS).and_then(Value::as_array_mut);
        let removed = hooks.is_some_and(|hooks| {
            let before = hooks.len();
            hooks.retain(|one| one["name"] != wanted);
            hooks.len() < before
        });
        if !removed {
            return Err(invalid(format!("No Lifecycle Hook found with name {wanted}")));
        }
        if settings.get(HOOKS).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            settings.remove(HOOKS);
        }
        group.details = Opaque::new(Value::Object(settings));
        Ok(())
    })?;
    Ok(Xml::new())
}

/// Describes the hooks of a group.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let name = super::group_name(call.params)?;
    let wanted = call.params.list("LifecycleHookNames");
    let group = super::find(call.site, &name)?;
    let hooks = group.state.details.value()[HOOKS].as_array().cloned().unwrap_or_default();
    let is_wanted = |hook: &&Value| {
        wanted.is_empty() || wanted.iter().any(|one| hook["name"].as_str() == Some(one))
    };
    let hooks = hooks.iter().filter(is_wanted).map(|hook| {
        let timeout = hook["heartbeat_timeout"].as_i64();
        let members = MEMBERS
            .iter()
            .fold(Xml::new(), |xml, (name, key)| xml.maybe(name, hook[*key].as_str()));
        members
            .text("AutoScalingGroupName", &name)
            .maybe("HeartbeatTimeout", timeout)
            .maybe("GlobalTimeout", timeout.map(|one| (one * 100).min(172_800)))
    });
    Ok(Xml::new().list("LifecycleHooks", "member", hooks))
}

/// Lists the moments at which hooks can wait.
pub(super) fn types() -> Xml {
    Xml::new().texts("LifecycleHookTypes", "member", TRANSITIONS)
}
