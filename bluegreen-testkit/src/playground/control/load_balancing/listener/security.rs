//! Certificates and whatever else belongs to TLS: noted and shown.

use bluegreen_core::model::{ListenerKey, Opaque};
use serde_json::{Value, json};

use super::super::super::{Params, WireError, Xml};
use super::super::account::POLICIES;
use super::super::arn::{kind, listener_name};
use super::super::refusal::invalid;
use super::super::tree::Tree;
use crate::playground::site::Site;

/// What AWS takes if no policy is named.
const USUAL_POLICY: &str = "ELBSecurityPolicy-2016-08";
const ALPN: [&str; 5] = ["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"];

/// What a listener knows of TLS.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Security {
    pub(crate) certificate: Option<String>,
    policy: Option<String>,
    alpn: Vec<String>,
    mutual: Option<Value>,
}

impl Security {
    /// Returns what is noted of a listener.
    pub(crate) fn of(site: &Site, key: &ListenerKey) -> Self {
        let facts = site.facts();
        let name = listener_name(key);
        let noted = |field: &str| facts.noted(kind::LISTENER, &name, field).cloned();
        let text = |field: &str| noted(field)?.as_str().map(str::to_owned);
        let alpn = noted("alpn");
        let alpn = alpn.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        Self {
            certificate: text("certificate"),
            policy: text("policy"),
            alpn: alpn.map(str::to_owned).collect(),
            mutual: noted("mutual").filter(Value::is_object),
        }
    }

    /// Returns what the world is to hold of it: as an adapter reads it, and nothing in the clear.
    pub(super) fn of_world(&self) -> Opaque {
        let Some(certificate) = &self.certificate else { return Opaque::default() };
        let mut tls = json!({"certificate": certificate});
        if let Some(policy) = &self.policy {
            tls["policy"] = json!(policy);
        }
        if !self.alpn.is_empty() {
            tls["alpn"] = json!(self.alpn);
        }
        Opaque::new(tls)
    }

    /// Notes it.
    pub(super) fn note(&self, site: &Site, key: &ListenerKey) {
        let mut facts = site.facts();
        let name = listener_name(key);
        facts.note(kind::LISTENER, &name, "certificate", json!(self.certificate));
        facts.note(kind::LISTENER, &name, "policy", json!(self.policy));
        facts.note(kind::LISTENER, &name, "alpn", json!(self.alpn));
        facts.note(kind::LISTENER, &name, "mutual", json!(self.mutual));
    }

    /// Takes on what a request says, for a listener of that protocol.
    pub(super) fn with(mut self, params: &Params, protocol: &str) -> Result<Self, WireError> {
        let is_secure = matches!(protocol, "HTTPS" | "TLS");
        let certificates = params.structs("Certificates");
        if !is_secure {
            if !certificates.is_empty() || params.has("SslPolicy") {
                return Err(invalid(format!(
                    "Certificates and SSL policies cannot be specified for {protocol} listeners"
                )));
            }
            // Whoever leaves TLS leaves all of it.
            return Ok(Self::default());
        }
        match certificates.as_slice() {
            [] => {}
            [one] => self.certificate = Some(check_certificate(one.need("CertificateArn")?)?),
            _ => return Err(invalid("Up to '1' certificate can be specified")),
        }
        if self.certificate.is_none() {
            let message = format!("A certificate must be specified for {protocol} listeners");
            return Err(invalid(message));
        }
        match params.text("SslPolicy") {
            Some(policy) if !POLICIES.contains(&policy) => {
                let message = format!("SSL policy '{policy}' not found");
                return Err(WireError::new("SSLPolicyNotFound", message));
            }
            Some(policy) => self.policy = Some(policy.to_owned()),
            None if self.policy.is_none() => self.policy = Some(USUAL_POLICY.to_owned()),
            None => {}
        }
        if params.has("AlpnPolicy") {
            self.alpn = params.list("AlpnPolicy");
            if self.alpn.iter().any(|one| !ALPN.contains(&one.as_str())) {
                return Err(WireError::new("ALPNPolicyNotFound", "ALPN policy not found"));
            }
        }
        if params.has("MutualAuthentication") {
            self.mutual = Some(Tree::read(&params.part("MutualAuthentication")).0);
        }
        Ok(self)
    }

    /// Writes it as it is described.
    pub(super) fn write(&self) -> Xml {
        let certificate = self.certificate.iter().map(|arn| Xml::new().text("CertificateArn", arn));
        let certificates = Xml::new().list("Certificates", "member", certificate);
        let xml = if self.certificate.is_some() { certificates } else { Xml::new() };
        let xml = xml.maybe("SslPolicy", self.policy.as_ref());
        let xml =
            if self.alpn.is_empty() { xml } else { xml.texts("AlpnPolicy", "member", &self.alpn) };
        match &self.mutual {
            Some(mutual) => xml.node("MutualAuthentication", Tree(mutual.clone()).write()),
            None => xml,
        }
    }
}

/// Refuses what cannot be the ARN of a certificate; no other one is known here.
pub(crate) fn check_certificate(arn: &str) -> Result<String, WireError> {
    let service = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1));
    if matches!(service, Some("acm" | "iam")) {
        return Ok(arn.to_owned());
    }
    let message = format!("Certificate '{arn}' not found");
    Err(WireError::new("CertificateNotFound", message))
}
