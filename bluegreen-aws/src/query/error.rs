use std::fmt;

use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;

use super::reply::Set;

/// An error that a service answered with.
#[derive(Debug)]
pub(crate) struct QueryError(ErrorMetadata);

impl QueryError {
    /// Reads the body of an answer that is no success.
    ///
    /// One that is not in AWS's words, such as the page of a proxy, has no code.
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut metadata = ErrorMetadata::builder();
        let response = std::str::from_utf8(body)
            .ok()
            .and_then(|text| quick_xml::de::from_str::<Response>(text).ok());
        if let Some(response) = response {
            if let Some(request_id) = response.request_id {
                metadata = metadata.custom("aws_request_id", request_id);
            }
            if let Some(error) = response.error.or(response.errors.items.into_iter().next()) {
                metadata = metadata.code(error.code).message(error.message);
            }
        }
        Self(metadata.build())
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.message()) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(code), None) => f.write_str(code),
            (None, _) => f.write_str("an answer without an error code"),
        }
    }
}

impl std::error::Error for QueryError {}

impl ProvideErrorMetadata for QueryError {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// The body of an error answer.
///
/// EC2 puts a list around the error, and writes `RequestID`:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
#[derive(Deserialize)]
struct Response {
    #[serde(rename = "Error")]
    error: Option<Error>,
    #[serde(rename = "Errors", default)]
    errors: Set<Error>,
    #[serde(rename = "RequestId", alias = "RequestID")]
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(rename = "Code")]
    code: String,
    #[serde(rename = "Message", default)]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_answer_gives_its_code() {
        let error = QueryError::parse(
            br#"<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>InvalidAMIID.NotFound</Code>
<Message>The image id '[ami-1]' does not exist</Message></Error></Errors>
<RequestID>59dbff89</RequestID></Response>"#,
        );
        assert_eq!(error.code(), Some("InvalidAMIID.NotFound"));
        assert_eq!(
            error.to_string(),
            "InvalidAMIID.NotFound: The image id '[ami-1]' does not exist"
        );
        assert_eq!(error.meta().extra("aws_request_id"), Some("59dbff89"));
    }

    #[test]
    fn not_every_service_puts_a_list_around_the_error() {
        let error = QueryError::parse(
            b"<ErrorResponse><Error><Type>Sender</Type><Code>ResourceNotFound</Code>\
              <Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>",
        );
        assert_eq!(error.code(), Some("ResourceNotFound"));
    }

    #[test]
    fn an_answer_that_is_not_in_the_words_of_aws_has_no_code() {
        assert_eq!(QueryError::parse(b"<html>500</html>").code(), None);
        assert_eq!(QueryError::parse(b"").code(), None);
        assert_eq!(QueryError::parse(b"\xff").code(), None);
    }
}
