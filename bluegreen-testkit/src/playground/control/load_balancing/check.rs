//! How targets are checked, in the shape in which an adapter carries it.

use serde_json::{Map, Value};

use super::super::{Params, WireError, Xml};
use super::refusal::invalid;

type Details = Map<String, Value>;

const TEXTS: [(&str, &str); 3] = [
    ("health_check_protocol", "HealthCheckProtocol"),
    ("health_check_port", "HealthCheckPort"),
    ("health_check_path", "HealthCheckPath"),
];
/// Numbers, each with the smallest and the greatest that AWS takes.
const NUMBERS: [(&str, &str, u32, u32); 4] = [
    ("health_check_interval_seconds", "HealthCheckIntervalSeconds", 5, 300),
    ("health_check_timeout_seconds", "HealthCheckTimeoutSeconds", 2, 120),
    ("healthy_threshold_count", "HealthyThresholdCount", 2, 10),
    ("unhealthy_threshold_count", "UnhealthyThresholdCount", 2, 10),
];
const MATCHERS: [(&str, &str); 2] = [("http_codes", "HttpCode"), ("grpc_codes", "GrpcCode")];

/// Takes on what a request says of checks.
pub(super) fn read(params: &Params, details: &mut Details) -> Result<(), WireError> {
    for (field, name) in TEXTS {
        if let Some(text) = params.text(name) {
            details.insert(field.to_owned(), text.into());
        }
    }
    for (field, name, least, most) in NUMBERS {
        let Some(number) = params.number::<u32>(name)? else { continue };
        if number < least || number > most {
            return Err(invalid(format!("{name} '{number}' must be between {least} and {most}")));
        }
        details.insert(field.to_owned(), number.into());
    }
    let matcher = params.part("Matcher");
    for (field, name) in MATCHERS {
        if let Some(codes) = matcher.text(name) {
            details.insert(field.to_owned(), codes.into());
        }
    }
    if let Some(enabled) = params.flag("HealthCheckEnabled")? {
        if !enabled && details.get("target_type").is_none_or(|kind| kind != "lambda") {
            return Err(invalid("Health check enabled must be true for this target type"));
        }
        details.insert("health_check_enabled".to_owned(), enabled.into());
    }
    Ok(())
}

/// Adds what AWS takes if nobody says anything else.
pub(super) fn complete(protocol: &str, details: &mut Details) {
    let is_http = matches!(protocol, "HTTP" | "HTTPS");
    set(details, "health_check_enabled", true);
    set(details, "health_check_protocol", if is_http { "HTTP" } else { "TCP" });
    set(details, "health_check_port", "traffic-port");
    set(details, "health_check_interval_seconds", 30);
    let by_request = checks_by_request(details);
    let timeout = match (is_http, details["health_check_protocol"].as_str()) {
        (true, _) => 5,
        (false, Some("HTTP")) => 6,
        (false, _) => 10,
    };
    set(details, "health_check_timeout_seconds", timeout);
    set(details, "healthy_threshold_count", 5);
    set(details, "unhealthy_threshold_count", 2);
    if !by_request {
        // A connection that is made says nothing of paths and codes.
        for field in ["health_check_path", "http_codes", "grpc_codes"] {
            details.remove(field);
        }
        return;
    }
    if details.get("protocol_version").is_some_and(|version| version == "GRPC") {
        set(details, "health_check_path", "/AWS.ALB/healthcheck");
        set(details, "grpc_codes", "12");
    } else {
        set(details, "health_check_path", "/");
        set(details, "http_codes", if is_http { "200" } else { "200-399" });
    }
}

/// Refuses checks that do not fit together, or not to the protocol of the target group.
pub(super) fn check(protocol: &str, details: &Details) -> Result<(), WireError> {
    let is_http = matches!(protocol, "HTTP" | "HTTPS");
    let text = |field: &str| details.get(field).and_then(Value::as_str);
    let number = |field: &str| details.get(field).and_then(Value::as_u64).unwrap_or(0);
    let by = text("health_check_protocol").unwrap_or_default();
    if !matches!(by, "HTTP" | "HTTPS") && (is_http || by != "TCP") {
        return Err(invalid(format!(
            "Health check protocol '{by}' is not supported by target groups with protocol '{protocol}'"
        )));
    }
    let port = text("health_check_port").unwrap_or_default();
    if port != "traffic-port" && !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(invalid(format!(
            "Health check port '{port}' must be between 1 and 65535, or 'traffic-port'"
        )));
    }
    if text("health_check_path").is_some_and(|path| !path.starts_with('/') || path.len() > 1024) {
        return Err(invalid(
            "Health check path must begin with '/' and have at most 1024 characters",
        ));
    }
    let (timeout, interval) =
        (number("health_check_timeout_seconds"), number("health_check_interval_seconds"));
    if timeout > interval || (timeout == interval && by != "TCP") {
        return Err(invalid(format!(
            "Health check timeout '{timeout}' must be smaller than the interval '{interval}'"
        )));
    }
    let codes = if is_http { 200..=499 } else { 200..=599 };
    if text("http_codes").is_some_and(|text| !are_codes(text, &codes)) {
        return Err(invalid("Health check matcher HTTP code must be within the range of codes"));
    }
    if text("grpc_codes").is_some_and(|text| !are_codes(text, &(0..=99))) {
        return Err(invalid("Health check matcher gRPC code must be between 0 and 99"));
    }
    Ok(())
}

/// Writes how targets are checked.
pub(super) fn write(details: &Details) -> Xml {
    let leaf = |field: &str| {
        details
            .get(field)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let texts =
        TEXTS.into_iter().fold(Xml::new(), |xml, (field, name)| xml.maybe(name, leaf(field)));
    let numbers =
        NUMBERS.into_iter().fold(texts, |xml, (field, name, ..)| xml.maybe(name, leaf(field)));
    let xml = numbers.maybe("HealthCheckEnabled", leaf("health_check_enabled"));
    let codes = MATCHERS.into_iter().filter(|(field, _)| details.contains_key(*field));
    let codes: Vec<_> = codes.collect();
    if codes.is_empty() {
        return xml;
    }
    let matcher =
        codes.into_iter().fold(Xml::new(), |xml, (field, name)| xml.maybe(name, leaf(field)));
    xml.node("Matcher", matcher)
}

fn checks_by_request(details: &Details) -> bool {
    matches!(details.get("health_check_protocol").and_then(Value::as_str), Some("HTTP" | "HTTPS"))
}

fn set(details: &mut Details, field: &str, value: impl Into<Value>) {
    details.entry(field).or_insert_with(|| value.into());
}

/// Returns whether a text is a list of codes and ranges of codes.
fn are_codes(text: &str, allowed: &std::ops::RangeInclusive<u32>) -> bool {
    let is_code = |text: &str| text.parse::<u32>().is_ok_and(|code| allowed.contains(&code));
    text.split(',').all(|part| match part.split_once('-') {
        Some((from, to)) => is_code(from) && is_code(to),
        None => is_code(part),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(protocol: &str, form: &str) -> Result<Details, WireError> {
        let mut details = Details::new();
        read(&Params::read(form.as_bytes()), &mut details)?;
        complete(protocol, &mut details);
        check(protocol, &details)?;
        Ok(details)
    }

    #[test]
    fn what_is_not_said_is_as_usual_for_the_protocol() {
        let http = made("HTTP", "HealthCheckPath=/health").unwrap();
        assert_eq!(http["health_check_path"], "/health");
        assert_eq!(http["http_codes"], "200");
        assert_eq!(http["health_check_timeout_seconds"], 5);
        let tcp = made("TCP", "").unwrap();
        assert_eq!(tcp["health_check_protocol"], "TCP");
        assert!(!tcp.contains_key("health_check_path") && !tcp.contains_key("http_codes"));
        assert_eq!(made("TCP", "HealthCheckProtocol=HTTP").unwrap()["http_codes"], "200-399");
    }

    #[test]
    fn a_check_ends_before_the_next_one_begins() {
        let error =
            made("HTTP", "HealthCheckIntervalSeconds=5&HealthCheckTimeoutSeconds=5").unwrap_err();
        assert_eq!(error.message, "Health check timeout '5' must be smaller than the interval '5'");
        assert!(made("TCP", "HealthCheckIntervalSeconds=10&HealthCheckTimeoutSeconds=10").is_ok());
        assert!(made("HTTP", "HealthCheckProtocol=TCP").is_err());
        assert!(made("HTTP", "Matcher.HttpCode=200-299,301").is_ok());
        assert!(made("HTTP", "Matcher.HttpCode=500").is_err());
    }
}
