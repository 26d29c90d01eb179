//! A call made by hand, for what no SDK is at hand for.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What was answered to [`query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryReply {
    /// The HTTP status.
    pub status: u16,
    /// The XML.
    pub body: String,
}

/// Makes one call of the query protocol (EC2, Auto Scaling, ELB, IAM, STS) to an
/// emulator or a proxy, without retries: `query(&url, "ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])`.
///
/// The signature is made up, which the emulator accepts unless permissions are enforced.
///
/// # Errors
///
/// If `url` is not `http://` and a socket address, or the connection fails or is cut.
pub async fn query(
    url: &str,
    service: &str,
    action: &str,
    params: &[(&str, &str)],
) -> io::Result<QueryReply> {
    let address = address(url)?;
    let request = Request::post("/")
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(AUTHORIZATION, signature(service))
        .body(Full::from(form(service, action, params)))
        .map_err(io::Error::other)?;
    let response = exchange(address, request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(QueryReply { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// The address in `http://` and a socket address.
pub(super) fn address(url: &str) -> io::Result<SocketAddr> {
    let address =
        url.strip_prefix("http://").and_then(|rest| rest.trim_end_matches('/').parse().ok());
    address
        .ok_or_else(|| io::Error::other(format!("`{url}` is not `http://` and a socket address")))
}

/// Tells moto how many calls it may answer without looking at their signatures: `0`, or `inf`.
pub(super) async fn trust(address: SocketAddr, calls: &'static str) -> io::Result<()> {
    let request = Request::post("/moto-api/reset-auth")
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "text/plain")
        .body(Full::from(calls))
        .map_err(io::Error::other)?;
    let status = exchange(address, request).await.map_err(io::Error::other)?.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("moto answered {status}")))
    }
}

/// Sends one request on a connection of its own.
pub(super) async fn exchange(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        http1::Builder::new().preserve_header_case(true).handshake(TokioIo::new(stream)).await?;
    // It ends with the exchange; what goes wrong in it is reported by `send_request` and the body.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// A form in the version of the service's API that is current.
fn form(service: &str, action: &str, params: &[(&str, &str)]) -> String {
    let version = match service {
        "autoscaling" => "2011-01-01",
        "ec2" => "2016-11-15",
        "elasticloadbalancing" => "2015-12-01",
        "iam" => "2010-05-08",
        "monitoring" => "2010-08-01",
        _ => "2011-06-15",
    };
    let fixed = [("Action", action), ("Version", version)];
    let pairs = fixed.iter().chain(params);
    let pairs: Vec<_> =
        pairs.map(|(key, value)| format!("{}={}", escape(key), escape(value))).collect();
    pairs.join("&")
}

/// Percent-encodes everything but what is safe everywhere.
fn escape(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

/// What routes the call to the service; nobody checks the rest.
pub(super) fn signature(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=00"
    )
}
