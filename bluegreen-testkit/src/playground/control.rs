//! The control plane: AWS's query protocol on a site.
//!
//! A request is a form with an `Action`; which service it is for stands in its signature, which is
//! read and never checked. Every service is a folder of its own.

mod error;
mod names;
mod paging;
mod params;
mod permission;
mod request;
mod time;
mod tree;
mod xml;

pub(super) mod autoscaling;
mod compute;
mod load_balancing;
mod monitoring;
mod security_token;

pub(super) use error::WireError;
pub(super) use params::Params;
pub(super) use request::{Scope, scope};
pub(super) use xml::Xml;

use super::site::Site;

/// A service, as signatures name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    LoadBalancing,
    AutoScaling,
    Compute,
    SecurityToken,
    Monitoring,
    Permission,
}

/// One request, read.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) site: &'a Site,
    pub(super) action: &'a str,
    pub(super) params: &'a Params,
}

impl Service {
    /// Returns the service that a signature names.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "elasticloadbalancing" => Self::LoadBalancing,
            "autoscaling" => Self::AutoScaling,
            "ec2" => Self::Compute,
            "sts" => Self::SecurityToken,
            "monitoring" => Self::Monitoring,
            "iam" => Self::Permission,
            _ => return None,
        })
    }

    /// Returns the name that signatures have.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LoadBalancing => "elasticloadbalancing",
            Self::AutoScaling => "autoscaling",
            Self::Compute => "ec2",
            Self::SecurityToken => "sts",
            Self::Monitoring => "monitoring",
            Self::Permission => "iam",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::LoadBalancing => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
            Self::AutoScaling => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
            Self::Compute => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Self::SecurityToken => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Monitoring => "http://monitoring.amazonaws.com/doc/2010-08-01/",
            Self::Permission => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }
}

/// Returns whether an action changes something, which its name tells.
pub(super) fn is_mutating(action: &str) -> bool {
    !["Describe", "Get", "List", "Simulate"].iter().any(|prefix| action.starts_with(prefix))
}

/// Does what a request asks for; returns the whole answer.
pub(super) fn answer(
    service: Service,
    call: &Call<'_>,
    request_id: &str,
) -> Result<String, WireError> {
    let result = match service {
        Service::LoadBalancing => load_balancing::answer(call),
        Service::AutoScaling => autoscaling::answer(call),
        Service::Compute => compute::answer(call),
        Service::SecurityToken => security_token::answer(call),
        Service::Monitoring => monitoring::answer(call),
        Service::Permission => permission::answer(call),
    }?;
    Ok(envelope(service, call.action, result, request_id))
}

/// Wraps a result as its service does.
fn envelope(service: Service, action: &str, result: Xml, request_id: &str) -> String {
    let name = format!("{action}Response");
    let body = match service {
        Service::Compute => Xml::new().text("requestId", request_id).with(result),
        _ => Xml::new()
            .node(&format!("{action}Result"), result)
            .node("ResponseMetadata", Xml::new().text("RequestId", request_id)),
    };
    body.document(&name, service.namespace())
}
