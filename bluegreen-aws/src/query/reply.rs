use std::fmt;
use std::marker::PhantomData;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};

/// The body of a successful answer, before it is read.
pub(super) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
}

/// Says why an answer could not be read.
///
/// Holds nothing of the answer: a launch template's user data may be in it.
#[derive(Debug, thiserror::Error)]
#[error("the reply is not what the API promises: {0}")]
pub(super) struct InvalidReply(String);

impl Reply {
    pub(super) fn new(status: StatusCode, body: &[u8]) -> Self {
        Self { status, body: body.to_owned() }
    }

    /// Reads the answer.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, InvalidReply> {
        let text = std::str::from_utf8(&self.body)
            .map_err(|error| InvalidReply(format!("byte {} is no text", error.valid_up_to())))?;
        quick_xml::de::from_str(text).map_err(|error| InvalidReply(error.to_string()))
    }

    /// Makes what the SDK's errors carry, without the body.
    pub(super) fn into_response(self) -> HttpResponse {
        HttpResponse::new(self.status, SdkBody::empty())
    }
}

impl fmt::Debug for Reply {
    /// Leaves the body out: it may hold user data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish()
    }
}

/// A list in a reply: one element around its members, whatever these are called.
#[derive(Debug)]
pub(crate) struct Set<T> {
    pub(crate) items: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Set<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SetVisitor(PhantomData))
    }
}

struct SetVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SetVisitor<T> {
    type Value = Set<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while map.next_key::<de::IgnoredAny>()?.is_some() {
            items.push(map.next_value()?);
        }
        Ok(Set { items })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Set::default())
    }
}

/// Returns what an element holds; an empty one holds nothing.
pub(crate) fn filled<T: AsRef<str>>(text: Option<T>) -> Option<T> {
    text.filter(|text| !text.as_ref().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        #[serde(default)]
        names: Set<String>,
    }

    fn names(xml: &str) -> Vec<String> {
        Reply::new(StatusCode::try_from(200).unwrap(), xml.as_bytes())
            .parse::<Holder>()
            .unwrap()
            .names
            .items
    }

    #[test]
    fn a_list_may_be_absent_empty_or_spread_over_lines() {
        assert!(names("<R><other>1</other></R>").is_empty());
        assert!(names("<R><names/></R>").is_empty());
        assert!(names("<R>\n<names>\n</names>\n</R>").is_empty());
        assert_eq!(names("<R><names>\n<item>a</item> <item>b</item>\n</names></R>"), ["a", "b"]);
    }

    #[test]
    fn the_debug_output_of_a_reply_has_no_body() {
        let reply = Reply::new(StatusCode::try_from(200).unwrap(), b"hunter2");
        assert!(!format!("{reply:?}").contains("hunter2"));
    }
}
