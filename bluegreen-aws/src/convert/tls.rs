//! What belongs to TLS: of a listener that serves, so that an idle one can listen in the same way.

use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::model::Opaque;
use serde::{Deserialize, Serialize};

use super::{ConvertError, opaque};

/// Mutual authentication and further certificates are left out: an idle listener has no clients.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    certificate: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alpn: Vec<String>,
}

/// The members of a request that makes a listener.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) certificates: Option<Vec<sdk::Certificate>>,
    pub(crate) policy: Option<String>,
    pub(crate) alpn: Option<Vec<String>>,
}

/// Reads it; a listener in the clear has nothing.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html>
pub(crate) fn read(listener: &sdk::Listener) -> Result<Opaque, ConvertError> {
    // A description holds the default certificate only.
    let certificate = listener.certificates().iter().find_map(sdk::Certificate::certificate_arn);
    let Some(certificate) = certificate else { return Ok(Opaque::default()) };
    opaque::pack(&Tls {
        certificate: certificate.to_owned(),
        policy: listener.ssl_policy().map(str::to_owned),
        alpn: listener.alpn_policy().to_vec(),
    })
}

/// Writes it.
pub(crate) fn write(tls: &Opaque) -> Result<Members, ConvertError> {
    if tls.is_empty() {
        return Ok(Members::default());
    }
    let Tls { certificate, policy, alpn } = opaque::unpack(tls)?;
    let certificate = sdk::Certificate::builder().certificate_arn(certificate).build();
    let alpn = (!alpn.is_empty()).then_some(alpn);
    Ok(Members { certificates: Some(vec![certificate]), policy, alpn })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_listener_borrows_the_certificate_of_the_live_one() {
        let certificate = sdk::Certificate::builder().certificate_arn("arn:aws:acm:x").build();
        let live = sdk::Listener::builder()
            .certificates(certificate.clone())
            .ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06")
            .alpn_policy("HTTP2Preferred")
            .build();
        let written = write(&read(&live).unwrap()).unwrap();
        assert_eq!(written.certificates, Some(vec![certificate]));
        assert_eq!(written.policy.as_deref(), Some("ELBSecurityPolicy-TLS13-1-2-2021-06"));
        assert_eq!(written.alpn, Some(vec!["HTTP2Preferred".to_owned()]));
        let clear = read(&sdk::Listener::builder().build()).unwrap();
        assert!(clear.is_empty() && write(&clear).unwrap().certificates.is_none());
    }
}
