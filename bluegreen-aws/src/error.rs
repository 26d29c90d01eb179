//! Sorts the SDK's errors by what a caller can do about them.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bluegreen_core::cloud::{CloudError, CloudErrorKind};

/// What a failed call may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Nothing: it only reads.
    None,
    /// What it asks for, unless AWS says otherwise.
    Possible,
}

/// An error of the SDK.
pub(crate) trait Failure: Error + Send + Sync + 'static {
    /// Returns the code that AWS answered with, if it did.
    fn code(&self) -> Option<&str>;
    /// Returns the text that AWS answered with, if it did.
    fn text(&self) -> Option<&str>;
    /// Returns the HTTP status, if there was an answer.
    fn status(&self) -> Option<u16>;
    /// Returns whether the request was never sent.
    fn is_unsent(&self) -> bool;
    /// Returns a header of the answer, if there was one.
    #[cfg(feature = "s3")]
    fn header(&self, name: &str) -> Option<&str>;
}

impl<E> Failure for SdkError<E, HttpResponse>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn code(&self) -> Option<&str> {
        self.as_service_error().and_then(ProvideErrorMetadata::code)
    }

    fn text(&self) -> Option<&str> {
        self.as_service_error().and_then(ProvideErrorMetadata::message)
    }

    fn status(&self) -> Option<u16> {
        self.raw_response().map(|response| response.status().as_u16())
    }

    fn is_unsent(&self) -> bool {
        matches!(self, SdkError::ConstructionFailure(_))
    }

    #[cfg(feature = "s3")]
    fn header(&self, name: &str) -> Option<&str> {
        self.raw_response()?.headers().get(name)
    }
}

/// Makes the error of a call that only reads.
pub(crate) fn read_error(
    operation: &'static str,
    resource: impl fmt::Display,
    error: impl Failure,
) -> CloudError {
    CloudError::new(kind(Effect::None, &error), operation, resource).with_source(shown(error))
}

/// Makes the error of a call that changes something.
pub(crate) fn write_error(
    operation: &'static str,
    resource: impl fmt::Display,
    error: impl Failure,
) -> CloudError {
    CloudError::new(kind(Effect::Possible, &error), operation, resource).with_source(shown(error))
}

/// Makes the error of an answer that lacks what the API promises.
pub(crate) fn incomplete(
    operation: &'static str,
    resource: impl fmt::Display,
    missing: &str,
) -> CloudError {
    CloudError::new(CloudErrorKind::OutcomeUnknown, operation, resource)
        .with_source(format!("the answer has no `{missing}`"))
}

/// Makes the error of something that is refused before it is sent.
pub(crate) fn refused(
    operation: &'static str,
    resource: impl fmt::Display,
    why: impl Into<Box<dyn Error + Send + Sync>>,
) -> CloudError {
    CloudError::new(CloudErrorKind::Rejected, operation, resource).with_source(why)
}

/// Makes the error of a resource that is not there.
pub(crate) fn not_found(operation: &'static str, resource: impl fmt::Display) -> CloudError {
    CloudError::new(CloudErrorKind::NotFound, operation, resource)
}

/// Corrects the error of a call that was not the first of a change: something has happened by now.
///
/// What is busy or has no credentials stays so: a repeat of the whole is harmless.
pub(crate) fn partly(error: CloudError) -> CloudError {
    match error.kind() {
        CloudErrorKind::Busy | CloudErrorKind::Credentials => error,
        _ => {
            let (operation, resource) = (error.operation().to_owned(), error.resource().to_owned());
            CloudError::new(CloudErrorKind::OutcomeUnknown, operation, resource).with_source(error)
        }
    }
}

/// Takes an absent resource for a success, as a deletion does.
pub(crate) fn or_absent(result: Result<(), CloudError>) -> Result<(), CloudError> {
    match result {
        Err(error) if error.kind() == CloudErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What AWS said, in one line; the SDK's own text is `service error`.
pub(crate) struct Shown<F>(pub(crate) F);

impl<F: Failure> fmt::Debug for Shown<F> {
    /// Says no more than it shows: the SDK's own text has the whole answer in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<F: Failure> fmt::Display for Shown<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.text(), self.0.status()) {
            (Some(code), Some(text), _) => write!(f, "{code}: {text}"),
            (Some(code), None, _) => f.write_str(code),
            (None, _, Some(status)) => write!(f, "HTTP status {status} without an error code"),
            (None, _, None) => write!(f, "{}", self.0),
        }
    }
}

impl<F: Failure> Error for Shown<F> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // With a code all is said.
        if self.0.code().is_some() { None } else { self.0.source() }
    }
}

fn shown<F: Failure>(failure: F) -> Shown<F> {
    Shown(failure)
}

/// The codes are those that come over the wire, which often lack the suffix of the SDK's types.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html>
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html>
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
fn kind(effect: Effect, error: &impl Failure) -> CloudErrorKind {
    if is_about_credentials(error) {
        return CloudErrorKind::Credentials;
    }
    if error.is_unsent() {
        return CloudErrorKind::Rejected;
    }
    let text = error.text().unwrap_or_default();
    error
        .code()
        .and_then(|code| kind_of_code(code, text))
        .unwrap_or_else(|| kind_of_status(effect, error.status()))
}

fn kind_of_code(code: &str, text: &str) -> Option<CloudErrorKind> {
    Some(match code {
        code if is_code_about_credentials(code) => CloudErrorKind::Credentials,

        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation"
        | "NotAuthorized" | "OptInRequired" => CloudErrorKind::Denied,

        "Throttling" | "ThrottlingException" | "ThrottledException" | "RequestThrottled"
        | "RequestThrottledException" | "TooManyRequestsException" | "RequestLimitExceeded"
        | "BandwidthLimitExceeded" | "SlowDown" | "EC2ThrottledException"
        // Busy with an earlier call.
        | "PriorRequestNotComplete" | "ResourceContention" | "ScalingActivityInProgress"
        | "ResourceInUse" | "InstanceRefreshInProgress" | "HealthUnavailable"
        | "ConcurrentModificationException" => CloudErrorKind::Busy,

        "LoadBalancerNotFound" | "ListenerNotFound" | "RuleNotFound" | "TargetGroupNotFound"
        | "ResourceNotFound" | "ResourceNotFoundException" => CloudErrorKind::NotFound,
        // `InvalidAMIID.NotFound`, `InvalidLaunchTemplateName.NotFoundException` and the like.
        code if code.ends_with(".NotFound") || code.ends_with(".NotFoundException") => {
            CloudErrorKind::NotFound
        }
        "InvalidLaunchTemplateId.VersionNotFound" => CloudErrorKind::NotFound,

        // Auto Scaling has no code for this, only a text.
        "ValidationError" if is_unknown_name(text) => CloudErrorKind::NotFound,
        "AlreadyExists" | "ValidationError" if text.contains("pending delete") => {
            CloudErrorKind::Busy
        }

        "RequestTimeout" | "RequestTimeoutException" => CloudErrorKind::OutcomeUnknown,
        _ => return None,
    })
}

/// Returns whether a code says that the credentials are no good, rather than what they may do.
pub(crate) fn is_code_about_credentials(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "InvalidToken"
            | "AuthFailure"
            | "MissingAuthenticationToken"
    )
}

fn is_unknown_name(text: &str) -> bool {
    let text = text.to_lowercase();
    let names_one = ["autoscalinggroup", "launch configuration", "group "];
    text.contains("not found") && names_one.iter().any(|what| text.starts_with(what))
}

fn kind_of_status(effect: Effect, status: Option<u16>) -> CloudErrorKind {
    match (status, effect) {
        (Some(429), _) | (Some(500..), Effect::None) => CloudErrorKind::Busy,
        (Some(408), _) => CloudErrorKind::OutcomeUnknown,
        (Some(400..500), _) => CloudErrorKind::Rejected,
        // A timeout, a broken connection, a torn answer, a failure on the server's side, or a
        // kind of failure that this version of the SDK does not know: the call may have landed.
        _ => CloudErrorKind::OutcomeUnknown,
    }
}

pub(crate) fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<CredentialsError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
