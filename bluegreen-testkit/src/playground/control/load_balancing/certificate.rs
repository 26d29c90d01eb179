//! Certificates of listeners beside the default one.

use bluegreen_core::model::ListenerKey;
use serde_json::{Value, json};

use super::super::{Call, WireError, Xml};
use super::arn::{kind, listener_name};
use super::listener::{Security, check_certificate, wanted};
use super::page;
use super::refusal::{configuration, invalid, not_permitted};
use crate::fake::World;
use crate::playground::site::Site;

/// The most certificates beside the default one.
const MOST: usize = 25;

pub(super) fn add(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, key, arn) = (call.site, wanted(call, &call.site.cloud().world())?, named(call)?);
    if Security::of(site, &key).certificate.is_none() {
        return Err(configuration("Certificates can be added only to HTTPS and TLS listeners"));
    }
    let mut all = of(site, &key);
    if !all.contains(&arn) {
        all.push(arn.clone());
    }
    if all.len() > MOST {
        let message = format!("A listener can have at most {MOST} certificates");
        return Err(WireError::new("TooManyCertificates", message));
    }
    note(site, &key, &all);
    Ok(Xml::new().list("Certificates", "member", [describe_one(&arn, false)]))
}

pub(super) fn remove(call: &Call<'_>) -> Result<Xml, WireError> {
    let (site, key, arn) = (call.site, wanted(call, &call.site.cloud().world())?, named(call)?);
    let mut all = of(site, &key);
    if Security::of(site, &key).certificate.as_ref() == Some(&arn) && !all.contains(&arn) {
        let message = format!("Default certificate '{arn}' cannot be removed");
        return Err(not_permitted(message));
    }
    all.retain(|one| *one != arn);
    note(site, &key, &all);
    Ok(Xml::new())
}

pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let world = call.site.cloud().glimpse(World::clone);
    let key = wanted(call, &world)?;
    let default = Security::of(call.site, &key).certificate;
    let default = default.iter().map(|arn| (format!("0/{arn}"), describe_one(arn, true)));
    let others = of(call.site, &key);
    let others = others.iter().map(|arn| (format!("1/{arn}"), describe_one(arn, false)));
    let page = page::cut(call.params, default.chain(others).collect())?;
    Ok(Xml::new().list("Certificates", "member", page.items).maybe("NextMarker", page.next))
}

/// Reads the one certificate that a call names.
fn named(call: &Call<'_>) -> Result<String, WireError> {
    match call.params.structs("Certificates").as_slice() {
        [one] => check_certificate(one.need("CertificateArn")?),
        [] => Err(invalid("A certificate must be specified")),
        _ => Err(invalid("Up to '1' certificate can be specified")),
    }
}

fn of(site: &Site, key: &ListenerKey) -> Vec<String> {
    let facts = site.facts();
    let noted = facts.noted(kind::LISTENER, &listener_name(key), "certificates");
    let noted = noted.and_then(Value::as_array).into_iter().flatten();
    noted.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn note(site: &Site, key: &ListenerKey, certificates: &[String]) {
    let name = listener_name(key);
    site.facts().note(kind::LISTENER, &name, "certificates", json!(certificates));
}

fn describe_one(arn: &str, is_default: bool) -> Xml {
    Xml::new().text("CertificateArn", arn).text("IsDefault", is_default)
}
