use std::error::Error;
use std::fmt;

use bluegreen_core::transaction::{StoreError, StoreErrorKind};

use crate::error::{Failure, Shown, is_about_credentials, is_code_about_credentials};

/// What was asked of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Get,
    List,
    Put,
}

impl Call {
    fn permission(self) -> &'static str {
        match self {
            Self::Get => "`s3:GetObject`, and `s3:ListBucket` to see that something is not there",
            Self::List => "`s3:ListBucket`",
            Self::Put => "`s3:PutObject`",
        }
    }
}

/// Makes the error of a call that failed; it says what to do about it.
pub(super) fn failed(call: Call, bucket: &str, key: &str, error: impl Failure) -> StoreError {
    let advice = advice(call, &error);
    let cause = Cause { advice, shown: Shown(error) };
    StoreError::new(StoreErrorKind::Unusable, url(bucket, key)).with_source(cause)
}

/// Makes the error of an answer that lacks what S3 promises.
pub(super) fn incomplete(bucket: &str, key: &str, why: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable, url(bucket, key)).with_source(why)
}

fn url(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}

/// Why a call failed, and what to do about it, in one line.
struct Cause<F> {
    advice: Option<String>,
    shown: Shown<F>,
}

impl<F: Failure> fmt::Debug for Cause<F> {
    /// Says no more than it shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<F: Failure> fmt::Display for Cause<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.advice {
            Some(advice) => write!(f, "{advice} ({})", self.shown),
            None => fmt::Display::fmt(&self.shown, f),
        }
    }
}

impl<F: Failure> Error for Cause<F> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.shown.source()
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn advice(call: Call, error: &impl Failure) -> Option<String> {
    let code = error.code().unwrap_or_default();
    if is_about_credentials(error) || is_code_about_credentials(code) {
        return Some("sign in again, or check the profile".to_owned());
    }
    match (code, error.status()) {
        ("NoSuchBucket", _) => Some("there is no such bucket; make it, or give another".to_owned()),
        (
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException",
            _,
        )
        | (_, Some(301 | 307)) => Some(match error.header("x-amz-bucket-region") {
            Some(region) => format!("the bucket is in region `{region}`; give that region"),
            None => "the bucket is in another region; give its region".to_owned(),
        }),
        ("AccessDenied" | "AllAccessDisabled", _) | ("", Some(403)) => {
            Some(format!("ask for {}", call.permission()))
        }
        ("ConditionalRequestConflict", _) => Some("somebody else put it just then".to_owned()),
        _ => None,
    }
}
