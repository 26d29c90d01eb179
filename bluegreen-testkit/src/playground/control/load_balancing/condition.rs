//! Which requests a rule takes: carried as JSON in AWS's spelling.

use std::collections::BTreeSet;

use bluegreen_core::model::{LoadBalancerKind, Opaque};
use serde_json::{Map, Value, json};

use super::super::{Params, WireError, Xml};
use super::refusal::{configuration, invalid};
use super::tree::Tree;

/// The fields that a condition can have, each with its own part of the request.
const FIELDS: [(&str, &str); 6] = [
    ("host-header", "HostHeaderConfig"),
    ("path-pattern", "PathPatternConfig"),
    ("http-header", "HttpHeaderConfig"),
    ("http-request-method", "HttpRequestMethodConfig"),
    ("query-string", "QueryStringConfig"),
    ("source-ip", "SourceIpConfig"),
];
/// Of these a rule may have several.
const REPEATABLE: [&str; 2] = ["http-header", "query-string"];
const MOST_VALUES: usize = 5;
const LONGEST_VALUE: usize = 128;

/// Reads the conditions of a rule.
pub(super) fn read(params: &Params) -> Result<Opaque, WireError> {
    let mut conditions = Tree::read_list(params, "Conditions");
    if conditions.is_empty() {
        return Err(invalid("You must specify at least one condition"));
    }
    let mut seen = BTreeSet::new();
    let mut values = 0;
    for condition in &mut conditions {
        let field = condition["Field"].as_str().unwrap_or_default().to_owned();
        let Some((_, config)) = FIELDS.iter().find(|(known, _)| *known == field) else {
            let message = format!("Condition field '{field}' is not a supported condition field");
            return Err(invalid(message));
        };
        complete(condition, &field, config);
        values += check(&condition[*config], &field)?;
        if !REPEATABLE.contains(&field.as_str()) && !seen.insert(field.clone()) {
            return Err(invalid(format!("A rule can have only one '{field}' condition")));
        }
    }
    if values > MOST_VALUES {
        let message = format!("A rule can have at most '{MOST_VALUES}' condition values");
        return Err(invalid(message));
    }
    Ok(Opaque::new(conditions.into()))
}

/// Refuses conditions that the kind of load balancer does not look at.
pub(super) fn fit(
    conditions: &Opaque,
    kind: LoadBalancerKind,
    ip_address_type: &str,
) -> Result<(), WireError> {
    if kind == LoadBalancerKind::Application {
        return Ok(());
    }
    let list = conditions.value().as_array();
    let by_family = |condition: &Value| {
        condition["Field"] == "source-ip"
            && condition["SourceIpConfig"]["IpAddressType"].is_string()
    };
    if kind != LoadBalancerKind::Network || !list.into_iter().flatten().all(by_family) {
        return Err(configuration(
            "The rules of this type of load balancer support only the condition field 'source-ip' with an IP address type",
        ));
    }
    if ip_address_type != "dualstack" {
        return Err(configuration(
            "Rules are supported only by Network Load Balancers with the IP address type 'dualstack'",
        ));
    }
    Ok(())
}

/// Writes the conditions of a rule.
pub(super) fn write(conditions: &Opaque) -> Vec<Xml> {
    let list = conditions.value().as_array();
    list.into_iter().flatten().map(|one| Tree(in_aws_spelling(one)).write()).collect()
}

/// AWS shows the values of two fields in two places, wherever they were given.
fn complete(condition: &mut Value, field: &str, config: &str) {
    if !matches!(field, "host-header" | "path-pattern") {
        return;
    }
    let inner = condition[config]["Values"].clone();
    match (condition["Values"].take(), inner) {
        (Value::Null, Value::Null) => {}
        (Value::Null, inner) => condition["Values"] = inner,
        (outer, Value::Null) => {
            condition[config] = json!({"Values": outer});
            condition["Values"] = outer;
        }
        (outer, _) => condition["Values"] = outer,
    }
    if let Some(members) = condition.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
}

fn check(config: &Value, field: &str) -> Result<usize, WireError> {
    let counted = |key: &str| config[key].as_array().map_or(0, Vec::len);
    let values = counted("Values") + counted("RegexValues");
    let by_family = field == "source-ip" && config["IpAddressType"].is_string();
    if values == 0 && !by_family {
        return Err(invalid(format!("A condition value must be specified for '{field}'")));
    }
    let texts = [&config["Values"], &config["RegexValues"]];
    let mut texts = texts.into_iter().filter_map(Value::as_array).flatten();
    if texts.any(|one| one.as_str().is_some_and(|text| text.len() > LONGEST_VALUE)) {
        return Err(invalid(format!(
            "A condition value of '{field}' has at most {LONGEST_VALUE} characters"
        )));
    }
    if field == "http-header" && !config["HttpHeaderName"].is_string() {
        return Err(invalid("A header name must be specified for 'http-header'"));
    }
    Ok(values)
}

/// Worlds that were put together by hand may spell fields as Rust does.
fn in_aws_spelling(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| {
                let words = key.split('_').map(|word| {
                    let (first, rest) = word.split_at(word.len().min(1));
                    first.to_ascii_uppercase() + rest
                });
                (words.collect(), in_aws_spelling(value))
            });
            Value::Object(members.collect::<Map<String, Value>>())
        }
        Value::Array(items) => items.iter().map(in_aws_spelling).collect(),
        leaf => leaf.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_in_both_places() {
        let read = |form: &str| read(&Params::read(form.as_bytes())).unwrap();
        let short =
            read("Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1=/a");
        let long = read(
            "Conditions.member.1.Field=path-pattern&Conditions.member.1.PathPatternConfig.Values.member.1=/a",
        );
        assert_eq!(short, long);
        assert_eq!(
            short.value(),
            &json!([{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}, "Values": ["/a"]}])
        );
    }

    #[test]
    fn network_load_balancers_look_at_the_family_of_addresses_only() {
        let header = json!([{"Field": "http-header"}]);
        let family = json!([{"Field": "source-ip", "SourceIpConfig": {"IpAddressType": "ipv6"}}]);
        let refused = |conditions: &Value, ip: &str| {
            fit(&Opaque::new(conditions.clone()), LoadBalancerKind::Network, ip).is_err()
        };
        assert!(refused(&header, "dualstack") && refused(&family, "ipv4"));
        assert!(!refused(&family, "dualstack"));
    }
}
