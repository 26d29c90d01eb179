//! Which failed calls are sent again.
//!
//! Reads and harmless writes leave it to the SDK's standard mode. A call that
//! does something else the second time must not be repeated unless the first
//! one certainly did nothing: an `AlreadyExists` that answers our own repeat
//! would pass for a refusal. A classifier that runs last is the simplest way:
//! throttles stay retried with the SDK's back-off, everything else is not.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_types::retry::{ErrorKind, RetryConfig};

/// Forbids to repeat what may have landed.
#[derive(Debug)]
pub(crate) struct OnlyThrottles;

impl ClassifyRetry for OnlyThrottles {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, _: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        match previous {
            RetryAction::NoActionIndicated
            | RetryAction::RetryIndicated(RetryReason::RetryableError {
                kind: ErrorKind::ThrottlingError,
                ..
            }) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "only throttles"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Makes one Auto Scaling call that is not repeated at all.
pub(crate) fn never() -> aws_sdk_autoscaling::config::Builder {
    aws_sdk_autoscaling::config::Builder::new().retry_config(RetryConfig::disabled())
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::interceptors::context::Input;

    use super::*;

    #[test]
    fn only_a_throttle_is_repeated() {
        let context = InterceptorContext::new(Input::doesnt_matter());
        let judge = |previous| OnlyThrottles.classify_retry_v2(&context, &previous);
        assert_eq!(judge(RetryAction::throttling_error()), RetryAction::NoActionIndicated);
        assert_eq!(judge(RetryAction::transient_error()), RetryAction::RetryForbidden);
        assert_eq!(judge(RetryAction::server_error()), RetryAction::RetryForbidden);
        assert_eq!(judge(RetryAction::NoActionIndicated), RetryAction::NoActionIndicated);
    }
}
