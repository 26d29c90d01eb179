//! One call as the proxy saw it.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;

/// What an action that changes nothing is called.
const READING: [&str; 4] = ["Describe", "Get", "List", "Simulate"];

/// One call that went through a [`Proxy`](super::Proxy); a retry is a call of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The service that the request is signed for, such as `elasticloadbalancing`; empty if it is
    /// not signed.
    pub service: String,
    /// The action, such as `ModifyListener`; for S3, method and path.
    pub action: String,
    /// Whether the call may change something: its action does not start with `Describe`, `Get` or
    /// `List`, and its service is not STS, which only hands out credentials.
    pub mutating: bool,
    /// The decoded form of the query protocol, flat as it was sent
    /// (`DefaultActions.member.1.Type`); empty for other protocols.
    pub params: BTreeMap<String, String>,
    /// When it arrived, since the proxy started.
    pub started: Duration,
    /// When it was answered or cut, since the proxy started; `None` while it is under way.
    pub finished: Option<Duration>,
    /// The status that the caller was answered with; `None` if the connection was cut.
    pub status: Option<u16>,
    /// The status that the emulator answered with; `None` if the call never got there.
    pub emulator_status: Option<u16>,
}

impl Call {
    /// Reads a request.
    pub(super) fn read(head: &Parts, body: &[u8], started: Duration) -> Self {
        let service = signed_for(head).unwrap_or_default().to_owned();
        let params = if header(head, CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        {
            form(body)
        } else {
            BTreeMap::new()
        };
        let named = params.get("Action").map(String::as_str).or_else(|| action(head));
        let mutating = service != "sts"
            && named.map_or(!head.method.is_safe(), |action| {
                !READING.iter().any(|verb| action.starts_with(verb))
            });
        let action =
            named.map_or_else(|| format!("{} {}", head.method, head.uri.path()), ToOwned::to_owned);
        Self {
            service,
            action,
            mutating,
            params,
            started,
            finished: None,
            status: None,
            emulator_status: None,
        }
    }

    /// Whether this is the same request as `other`, as a retry is.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        (&self.service, &self.action, &self.params)
            == (&other.service, &other.action, &other.params)
    }

    /// The values of a list parameter: of `GroupNames`, those of `GroupNames.member.1` and so on.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let prefix = format!("{name}.member.");
        let members = self.params.iter().filter(|(key, _)| key.starts_with(&prefix));
        members.map(|(_, value)| value.as_str()).collect()
    }
}

/// The text of a header.
pub(super) fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

/// The service in the credential scope of an AWS signature, version 4.
fn signed_for(head: &Parts) -> Option<&str> {
    let (_, credential) = header(head, AUTHORIZATION.as_str())?.split_once("Credential=")?;
    let scope = credential.split(',').next()?;
    // KEY/DATE/REGION/SERVICE/aws4_request
    scope.trim().rsplit('/').nth(1)
}

/// The action of the protocols that do not name it in a form: JSON in a header, CBOR in the path.
fn action(head: &Parts) -> Option<&str> {
    let target = header(head, "x-amz-target").and_then(|target| target.rsplit('.').next());
    target.or_else(|| Some(head.uri.path().split_once("/operation/")?.1))
}

/// Decodes `application/x-www-form-urlencoded`.
fn form(body: &[u8]) -> BTreeMap<String, String> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || unescape(halves.next().unwrap_or_default());
            (half(), half())
        })
        .collect()
}

/// Decodes `%2F` and `+`; leaves alone what is not a valid escape.
fn unescape(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if let Some(byte) = hex(*high, *low) => {
                bytes.push(byte);
                rest = after;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that two hexadecimal digits mean.
fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn read(request: hyper::http::request::Builder, body: &str) -> Call {
        let (head, ()) = request.body(()).unwrap().into_parts();
        Call::read(&head, body.as_bytes(), Duration::ZERO)
    }

    fn signed(service: &str) -> hyper::http::request::Builder {
        let scope = format!("AKIAEXAMPLE/20260101/eu-west-1/{service}/aws4_request");
        Request::post("/").header(
            "Authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"),
        )
    }

    fn form_post(service: &str, body: &str) -> Call {
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        read(signed(service).header("Content-Type", kind), body)
    }

    #[test]
    fn a_form_is_decoded() {
        let call = form_post(
            "elasticloadbalancing",
            "Action=CreateRule&Value=a%2Fb+c%3D%26&Wrong=100%&Wrong2=%zz&Umlaut=%C3%BC&Empty=&Bare",
        );
        assert_eq!(call.service, "elasticloadbalancing");
        assert_eq!(call.action, "CreateRule");
        assert_eq!(call.params["Value"], "a/b c=&");
        assert_eq!(call.params["Wrong"], "100%");
        assert_eq!(call.params["Wrong2"], "%zz");
        assert_eq!(call.params["Umlaut"], "ü");
        assert_eq!((call.params["Empty"].as_str(), call.params["Bare"].as_str()), ("", ""));
    }

    #[test]
    fn reading_is_not_mutating() {
        let mutating = |service, action| form_post(service, &format!("Action={action}")).mutating;
        assert!(mutating("autoscaling", "SetDesiredCapacity"));
        assert!(mutating("ec2", "RunInstances"));
        assert!(!mutating("ec2", "DescribeInstances"));
        assert!(!mutating("ec2", "GetLaunchTemplateData"));
        assert!(!mutating("monitoring", "ListMetrics"));
        assert!(!mutating("sts", "AssumeRole"));
    }

    #[test]
    fn other_protocols_name_their_action_elsewhere() {
        let json = signed("dynamodb").header("X-Amz-Target", "DynamoDB_20120810.PutItem");
        assert_eq!(read(json, "{}").action, "PutItem");

        let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
        let cbor = read(Request::post(path), "");
        assert_eq!((cbor.action.as_str(), cbor.mutating), ("DescribeAlarms", false));

        let object = read(Request::put("/bucket/key"), "");
        assert_eq!((object.action.as_str(), object.mutating), ("PUT /bucket/key", true));
        assert!(!read(Request::get("/bucket/key"), "").mutating);
    }

    #[test]
    fn a_list_parameter_is_gathered() {
        let call =
            form_post("autoscaling", "Names.member.1=a&Names.member.2=b&NamesToo.member.1=c");
        assert_eq!(call.list("Names"), ["a", "b"]);
    }
}
