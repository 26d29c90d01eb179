//! An error in the shape in which each family of AWS services answers one.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;

use super::call::{Call, header};

/// Stands in for the id that AWS gives to every request.
pub(super) const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Query,
    Ec2,
    Json,
    Cbor,
    Rest,
}

impl Protocol {
    /// The protocol that a request is in.
    pub(super) fn of(head: &Parts, call: &Call) -> Self {
        if call.service == "ec2" {
            Self::Ec2
        } else if header(head, "smithy-protocol") == Some("rpc-v2-cbor") {
            Self::Cbor
        } else if header(head, "x-amz-target").is_some() {
            Self::Json
        } else if call.params.contains_key("Action") {
            Self::Query
        } else {
            Self::Rest
        }
    }

    /// An error answer.
    pub(super) fn refuse(self, status: u16, code: &str, message: &str) -> Response<Full<Bytes>> {
        let (kind, body) = match self {
            Self::Query => ("text/xml", query_xml(status, code, message).into_bytes()),
            Self::Ec2 => ("text/xml;charset=UTF-8", ec2_xml(code, message).into_bytes()),
            Self::Rest => ("application/xml", rest_xml(code, message).into_bytes()),
            Self::Json => {
                let body = serde_json::json!({ "__type": code, "message": message });
                ("application/x-amz-json-1.0", body.to_string().into_bytes())
            }
            Self::Cbor => ("application/cbor", cbor(code, message)),
        };
        let mut response = Response::builder().status(status).header(CONTENT_TYPE, kind);
        if self == Self::Cbor {
            response = response.header("smithy-protocol", "rpc-v2-cbor");
        }
        response
            .body(Full::from(body))
            .expect("the status of a fault is an HTTP status, and the headers are constants")
    }

    /// The answer to one request too many.
    pub(super) fn throttle(self) -> Response<Full<Bytes>> {
        match self {
            Self::Query => self.refuse(400, "Throttling", "Rate exceeded"),
            Self::Ec2 => self.refuse(503, "RequestLimitExceeded", "Request limit exceeded."),
            Self::Json | Self::Cbor => self.refuse(400, "ThrottlingException", "Rate exceeded"),
            Self::Rest => self.refuse(503, "SlowDown", "Please reduce your request rate."),
        }
    }
}

fn query_xml(status: u16, code: &str, message: &str) -> String {
    let (code, message) = (escape(code), escape(message));
    let party = if status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse><Error><Type>{party}</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )
}

fn ec2_xml(code: &str, message: &str) -> String {
    let (code, message) = (escape(code), escape(message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
    )
}

fn rest_xml(code: &str, message: &str) -> String {
    let (code, message) = (escape(code), escape(message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>{REQUEST_ID}</RequestId></Error>"
    )
}

/// `{"__type": code, "message": message}` in CBOR.
fn cbor(code: &str, message: &str) -> Vec<u8> {
    let mut body = vec![0xa2];
    for text in ["__type", code, "message", message] {
        // A text string whose length stands in the next two bytes.
        let length = u16::try_from(text.len()).expect("an error text is shorter than 64 KiB");
        body.push(0x79);
        body.extend(length.to_be_bytes());
        body.extend(text.as_bytes());
    }
    body
}

/// Escapes text for XML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_message_stays_text() {
        assert_eq!(escape("a < b && c > d"), "a &lt; b &amp;&amp; c &gt; d");
        assert!(query_xml(400, "Bad", "<x>").contains("<Message>&lt;x&gt;</Message>"));
    }

    #[test]
    fn who_is_to_blame_follows_the_status() {
        assert!(query_xml(400, "Bad", "").contains("<Type>Sender</Type>"));
        assert!(query_xml(503, "Bad", "").contains("<Type>Receiver</Type>"));
    }

    #[test]
    fn cbor_is_a_map_of_two_texts() {
        assert_eq!(
            cbor("A", "bc"),
            b"\xa2\x79\x00\x06__type\x79\x00\x01A\x79\x00\x07message\x79\x00\x02bc"
        );
    }
}
