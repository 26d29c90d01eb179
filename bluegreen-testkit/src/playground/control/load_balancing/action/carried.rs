//! Actions that are carried and never looked into, in the shape in which an adapter carries them.

use bluegreen_core::model::{Action, Actions, Opaque};
use serde_json::{Map, Value, json};

use super::super::super::{Params, WireError, Xml};
use super::super::refusal::invalid;

/// What an action of a type consists of.
struct Shape {
    kind: &'static str,
    config: &'static str,
    texts: &'static [&'static str],
    needed: &'static [&'static str],
    /// Whether it keeps sessions and passes parameters on.
    authenticates: bool,
    /// Whether it looks at claims.
    claims: bool,
}

const SHAPES: [Shape; 5] = [
    Shape {
        kind: "redirect",
        config: "RedirectConfig",
        texts: &["protocol", "port", "host", "path", "query", "status_code"],
        needed: &["status_code"],
        authenticates: false,
        claims: false,
    },
    Shape {
        kind: "fixed-response",
        config: "FixedResponseConfig",
        texts: &["status_code", "content_type", "message_body"],
        needed: &["status_code"],
        authenticates: false,
        claims: false,
    },
    Shape {
        kind: "authenticate-oidc",
        config: "AuthenticateOidcConfig",
        texts: &[
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "user_info_endpoint",
            "client_id",
            "session_cookie_name",
            "scope",
            "on_unauthenticated_request",
        ],
        needed: &[
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "user_info_endpoint",
            "client_id",
        ],
        authenticates: true,
        claims: false,
    },
    Shape {
        kind: "authenticate-cognito",
        config: "AuthenticateCognitoConfig",
        texts: &[
            "user_pool_arn",
            "user_pool_client_id",
            "user_pool_domain",
            "session_cookie_name",
            "scope",
            "on_unauthenticated_request",
        ],
        needed: &["user_pool_arn", "user_pool_client_id", "user_pool_domain"],
        authenticates: true,
        claims: false,
    },
    Shape {
        kind: "jwt-validation",
        config: "JwtValidationConfig",
        texts: &["jwks_endpoint", "issuer"],
        needed: &["jwks_endpoint", "issuer"],
        authenticates: false,
        claims: true,
    },
];

/// Reads an action of a type that is no forward.
pub(super) fn read(
    part: &Params,
    kind: &str,
    before: Option<&Actions>,
) -> Result<Opaque, WireError> {
    let Some(shape) = SHAPES.iter().find(|shape| shape.kind == kind) else {
        return Err(invalid(format!("'{kind}' is not a type that an action can have")));
    };
    let config = part.part(shape.config);
    let mut carried = Map::new();
    carried.insert("type".to_owned(), kind.into());
    for field in shape.texts {
        if let Some(text) = config.text(&on_wire(field)) {
            carried.insert((*field).to_owned(), text.into());
        }
    }
    if let Some(missing) = shape.needed.iter().find(|field| !carried.contains_key(**field)) {
        let (missing, config) = (on_wire(missing), shape.config);
        return Err(invalid(format!("You must specify {missing} in {config}")));
    }
    if shape.authenticates {
        if let Some(timeout) = config.number::<i64>("SessionTimeout")? {
            carried.insert("session_timeout".to_owned(), timeout.into());
        }
        let extra = extra_params(&config);
        if !extra.is_empty() {
            carried.insert("authentication_request_extra_params".to_owned(), extra.into());
        }
    }
    if shape.claims {
        carried.insert("additional_claims".to_owned(), claims(&config));
    }
    let carried = Value::Object(carried);
    check(&carried, &config, before)?;
    Ok(Opaque::new(carried))
}

/// Writes a carried action.
pub(super) fn write(carried: &Value, order: Option<u64>) -> Xml {
    let kind = carried["type"].as_str().unwrap_or_default();
    let xml = Xml::new().text("Type", kind).maybe("Order", order);
    if kind == "forward" {
        return xml.node("ForwardConfig", nowhere(carried));
    }
    let Some(shape) = SHAPES.iter().find(|shape| shape.kind == kind) else { return xml };
    let texts = shape.texts.iter();
    let config = texts
        .fold(Xml::new(), |config, field| config.maybe(&on_wire(field), carried[*field].as_str()));
    let config = config.maybe("SessionTimeout", carried["session_timeout"].as_i64());
    let extra = carried["authentication_request_extra_params"].as_object();
    let config = match extra {
        Some(extra) => {
            let pairs = extra.iter().map(|(key, value)| {
                Xml::new().text("key", key).text("value", value.as_str().unwrap_or_default())
            });
            config.list("AuthenticationRequestExtraParams", "entry", pairs)
        }
        None => config,
    };
    let config = match carried["additional_claims"].as_array() {
        Some(claims) => config.list("AdditionalClaims", "member", claims.iter().map(write_claim)),
        None => config,
    };
    xml.node(shape.config, config)
}

fn check(carried: &Value, config: &Params, before: Option<&Actions>) -> Result<(), WireError> {
    let text = |field: &str| carried[field].as_str().unwrap_or_default();
    match text("type") {
        "redirect" if !matches!(text("status_code"), "HTTP_301" | "HTTP_302") => {
            Err(invalid("The status code of a redirect must be HTTP_301 or HTTP_302"))
        }
        "redirect" if carried.as_object().is_some_and(|carried| carried.len() == 2) => {
            Err(WireError::new(
                "InvalidLoadBalancerAction",
                "The redirect configuration is not valid because it creates a loop.",
            ))
        }
        "fixed-response" if !is_status(text("status_code")) => {
            Err(invalid("The status code of a fixed response must be 2XX, 4XX or 5XX"))
        }
        "fixed-response" if text("message_body").len() > 1024 => {
            Err(invalid("The message body of a fixed response has at most 1024 characters"))
        }
        "authenticate-oidc" => secret(carried, config, before),
        _ => Ok(()),
    }
}

/// The secret is never kept, only whether there is one.
fn secret(carried: &Value, config: &Params, before: Option<&Actions>) -> Result<(), WireError> {
    let kept = config.flag("UseExistingClientSecret")?.unwrap_or(false);
    let known = before.into_iter().flat_map(Actions::as_slice).any(|action| match action {
        Action::Other(old) => {
            let same = |field: &str| old.value()[field] == carried[field];
            same("type") && same("issuer") && same("client_id")
        }
        Action::Forward(_) => false,
    });
    if config.text("ClientSecret").is_some() || (kept && known) {
        return Ok(());
    }
    // No public source shows this refusal.
    Err(WireError::new(
        "InvalidLoadBalancerAction",
        "You must specify a client secret, or that the existing one is used",
    ))
}

fn is_status(text: &str) -> bool {
    text.len() == 3
        && text.starts_with(['2', '4', '5'])
        && text.chars().all(|one| one.is_ascii_digit())
}

fn extra_params(config: &Params) -> Map<String, Value> {
    // A map is written as a list of entries.
    let entries = config.part("AuthenticationRequestExtraParams").structs("entry");
    let pairs = entries
        .iter()
        .filter_map(|entry| Some((entry.text("key")?.to_owned(), entry.text("value")?.into())));
    pairs.collect()
}

fn claims(config: &Params) -> Value {
    let claims = config.structs("AdditionalClaims");
    let claims = claims.iter().map(|claim| {
        let mut carried = json!({"values": claim.list("Values")});
        for field in ["name", "format"] {
            if let Some(text) = claim.text(&on_wire(field)) {
                carried[field] = text.into();
            }
        }
        carried
    });
    claims.collect()
}

fn write_claim(claim: &Value) -> Xml {
    let values = claim["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Xml::new()
        .maybe("Format", claim["format"].as_str())
        .maybe("Name", claim["name"].as_str())
        .texts("Values", "member", values)
}

fn nowhere(carried: &Value) -> Xml {
    let targets = carried["target_groups"].as_array().into_iter().flatten().map(|target| {
        Xml::new()
            .maybe("TargetGroupArn", target["arn"].as_str())
            .maybe("Weight", target["weight"].as_i64())
    });
    let stickiness = Xml::new()
        .text("Enabled", carried["sticky"].as_bool().unwrap_or(false))
        .maybe("DurationSeconds", carried["sticky_seconds"].as_i64());
    Xml::new()
        .list("TargetGroups", "member", targets)
        .node("TargetGroupStickinessConfig", stickiness)
}

/// Returns AWS's spelling of a field: `status_code` is `StatusCode`.
fn on_wire(field: &str) -> String {
    let words = field.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}
