//! What an account may have.

use super::super::{Call, WireError, Xml};
use super::page;
use super::refusal::invalid;

/// The quotas that accounts begin with.
const LIMITS: [(&str, u32); 15] = [
    ("application-load-balancers", 50),
    ("condition-values-per-alb-rule", 5),
    ("condition-wildcards-per-alb-rule", 5),
    ("gateway-load-balancers", 100),
    ("listeners-per-application-load-balancer", 50),
    ("listeners-per-network-load-balancer", 50),
    ("network-load-balancers", 50),
    ("rules-per-application-load-balancer", 100),
    ("target-groups", 3000),
    ("target-groups-per-action-on-application-load-balancer", 5),
    ("target-groups-per-action-on-network-load-balancer", 5),
    ("target-groups-per-application-load-balancer", 100),
    ("targets-per-application-load-balancer", 1000),
    ("targets-per-network-load-balancer", 3000),
    ("certificates-per-application-load-balancer", 25),
];

/// The names of policies that a listener can have.
pub(super) const POLICIES: [&str; 10] = [
    "ELBSecurityPolicy-2016-08",
    "ELBSecurityPolicy-FS-1-2-2019-08",
    "ELBSecurityPolicy-FS-1-2-Res-2019-08",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
];

pub(super) fn describe_limits(call: &Call<'_>) -> Result<Xml, WireError> {
    let limits = LIMITS
        .iter()
        .map(|(name, most)| (String::from(*name), Xml::new().text("Name", name).text("Max", most)));
    let page = page::cut(call.params, limits.collect())?;
    Ok(Xml::new().list("Limits", "member", page.items).maybe("NextMarker", page.next))
}

pub(super) fn describe_policies(call: &Call<'_>) -> Result<Xml, WireError> {
    let asked = call.params.list("Names");
    if let Some(unknown) = asked.iter().find(|name| !POLICIES.contains(&name.as_str())) {
        let message = format!("SSL policy '{unknown}' not found");
        return Err(WireError::new("SSLPolicyNotFound", message));
    }
    if let Some(kind) = call.params.text("LoadBalancerType")
        && !matches!(kind, "application" | "network")
    {
        return Err(invalid(format!("'{kind}' load balancers have no SSL policies")));
    }
    let wanted =
        POLICIES.iter().filter(|name| asked.is_empty() || asked.iter().any(|one| one == *name));
    let described = wanted.map(|name| {
        let protocols: &[&str] = match *name {
            "ELBSecurityPolicy-TLS13-1-3-2021-06" => &["TLSv1.3"],
            name if name.contains("TLS13") => &["TLSv1.2", "TLSv1.3"],
            name if name.contains("-1-2-") => &["TLSv1.2"],
            _ => &["TLSv1", "TLSv1.1", "TLSv1.2"],
        };
        let xml = Xml::new().text("Name", name).texts("SslProtocols", "member", protocols).texts(
            "SupportedLoadBalancerTypes",
            "member",
            ["application", "network"],
        );
        (String::from(*name), xml)
    });
    let page = page::cut(call.params, described.collect())?;
    Ok(Xml::new().list("SslPolicies", "member", page.items).maybe("NextMarker", page.next))
}
