//! Which requests a rule takes.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderName};
use hyper::http::request::Parts;
use serde_json::Value;

use super::spelling::{member, text, texts};
use super::wildcard;

/// One condition of a rule: any of its values will do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Path(Vec<String>),
    Host(Vec<String>),
    Header(HeaderName, Vec<String>),
    Method(Vec<String>),
    /// Keys, which need not be said, and values.
    Query(Vec<(Option<String>, String)>),
    Source(Vec<Network>),
    /// None of ours, so that nothing fulfils it.
    Unknown,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    base: IpAddr,
    bits: u32,
}

impl Condition {
    /// Reads the conditions of a rule; says what of them nobody understands.
    pub(super) fn read_all(conditions: &Value) -> (Vec<Self>, Vec<String>) {
        let mut unknown = vec![];
        let list = conditions.as_array().cloned().unwrap_or_default();
        let read = |one: &Value| {
            let condition = Self::read(one);
            if condition.is_none() {
                unknown.push(format!("the condition {one} is not understood: nothing fulfils it"));
            }
            condition.unwrap_or(Self::Unknown)
        };
        (list.iter().map(read).collect(), unknown)
    }

    fn read(condition: &Value) -> Option<Self> {
        let field = text(condition, "field")?;
        let config = member(condition, &format!("{field}-config"));
        let from_config = texts(config.and_then(|config| member(config, "values")));
        let values =
            if from_config.is_empty() { texts(member(condition, "values")) } else { from_config };
        let lower = |values: Vec<String>| -> Vec<String> {
            values.iter().map(|value| value.to_lowercase()).collect()
        };
        let read = match field.as_str() {
            "query-string" => {
                let list = config.and_then(|config| member(config, "values"))?.as_array()?;
                let pair = |one: &Value| Some((text(one, "key"), text(one, "value")?));
                let pairs: Option<Vec<_>> = list.iter().map(pair).collect();
                let lower = |(key, value): (Option<String>, String)| {
                    (key.map(|key| key.to_lowercase()), value.to_lowercase())
                };
                return pairs.map(|pairs| Self::Query(pairs.into_iter().map(lower).collect()));
            }
            "path-pattern" => Self::Path(values.clone()),
            "host-header" => Self::Host(lower(values.clone())),
            "http-request-method" => Self::Method(values.clone()),
            "http-header" => {
                let name = text(config?, "http_header_name")?.to_ascii_lowercase();
                Self::Header(name.parse().ok()?, lower(values.clone()))
            }
            "source-ip" => {
                let networks = values.iter().map(|value| Network::read(value));
                Self::Source(networks.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        (!values.is_empty()).then_some(read)
    }

    /// Returns whether a request fulfils the condition.
    pub(super) fn holds(&self, request: &Parts, from: IpAddr) -> bool {
        match self {
            Self::Path(patterns) => any(patterns, request.uri.path()),
            Self::Host(patterns) => {
                let host = host(request).unwrap_or_default().to_lowercase();
                any(patterns, &host)
            }
            Self::Header(name, patterns) => {
                let found = request.headers.get_all(name).iter();
                let mut found = found.filter_map(|value| value.to_str().ok());
                found.any(|value| any(patterns, &value.to_lowercase()))
            }
            Self::Method(methods) => methods.iter().any(|one| one == request.method.as_str()),
            Self::Query(pairs) => {
                let query = request.uri.query().unwrap_or_default();
                let found = form_urlencoded::parse(query.as_bytes());
                found.into_iter().any(|(key, value)| {
                    let (key, value) = (key.to_lowercase(), value.to_lowercase());
                    pairs.iter().any(|(wanted, pattern)| {
                        let named = wanted.as_deref();
                        named.is_none_or(|wanted| wildcard::matches(wanted, &key))
                            && wildcard::matches(pattern, &value)
                    })
                })
            }
            Self::Source(networks) => networks.iter().any(|network| network.includes(from)),
            Self::Unknown => false,
        }
    }

    /// Returns whether a connection fulfils the condition, of which only the source is known.
    pub(super) fn holds_for(&self, from: IpAddr) -> bool {
        matches!(self, Self::Source(networks) if networks.iter().any(|one| one.includes(from)))
    }
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| wildcard::matches(pattern, text))
}

/// Returns the host that a request is for, without its port.
pub(super) fn host(request: &Parts) -> Option<&str> {
    let from_header = request.headers.get(HOST).and_then(|value| value.to_str().ok());
    let host = request.uri.authority().map(hyper::http::uri::Authority::as_str).or(from_header)?;
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(name),
        _ => Some(host),
    }
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (base, bits) =
            text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().ok()?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
        (bits <= most).then_some(Self { base, bits })
    }

    fn includes(self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                (base.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                (base.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(target: &str, host: &str) -> Parts {
        let request = hyper::Request::get(target).header("host", host).header("x-kind", "Beta");
        request.body(()).unwrap().into_parts().0
    }

    fn holds(condition: &Value, target: &str) -> bool {
        let (read, unknown) = Condition::read_all(&json!([condition]));
        assert_eq!(unknown, Vec::<String>::new());
        read[0].holds(&request(target, "Shop.example.com:8080"), [127, 0, 0, 9].into())
    }

    #[test]
    fn conditions_are_read_in_either_spelling() {
        let ours = json!({"field": "path-pattern", "path_pattern_config": {"values": ["/a/*"]}});
        let theirs = json!({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*"]}});
        let short = json!({"field": "path-pattern", "values": ["/a/*"]});
        for one in [ours, theirs, short] {
            assert!(holds(&one, "/a/b?c"));
            assert!(!holds(&one, "/b"));
        }
    }

    #[test]
    fn every_kind_of_condition_takes_its_requests() {
        assert!(holds(&json!({"field": "host-header", "values": ["*.EXAMPLE.com"]}), "/"));
        assert!(holds(&json!({"field": "http-request-method", "values": ["GET"]}), "/"));
        let header = |value| {
            json!({"Field": "http-header",
                "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": [value]}})
        };
        assert!(holds(&header("be*"), "/"));
        assert!(!holds(&header("alpha"), "/"));
        let query = json!({"field": "query-string",
            "query_string_config": {"values": [{"key": "v", "value": "2*"}, {"value": "x"}]}});
        assert!(holds(&query, "/?v=21"));
        assert!(holds(&query, "/?other=X"));
        assert!(!holds(&query, "/?v=1"));
        let source = |cidr| json!({"field": "source-ip", "source_ip_config": {"values": [cidr]}});
        assert!(holds(&source("127.0.0.0/8"), "/"));
        assert!(holds(&source("0.0.0.0/0"), "/"));
        assert!(!holds(&source("10.0.0.0/8"), "/"));
    }

    #[test]
    fn nothing_fulfils_what_nobody_understands() {
        let list = json!([{"field": "path-pattern", "regex_values": ["^/a"]}]);
        let (read, unknown) = Condition::read_all(&list);
        assert_eq!((read, unknown.len()), (vec![Condition::Unknown], 1));
    }
}
