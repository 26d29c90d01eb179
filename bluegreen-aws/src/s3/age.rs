use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

/// Both times are told in whole seconds: the difference may be too large by less than that.
const COARSENESS: Duration = Duration::from_secs(1);

/// Notes when an answer was given, by the clock of whoever gave it.
#[derive(Clone, Debug, Default)]
pub(super) struct DateHeader(Arc<Mutex<Option<DateTime>>>);

impl DateHeader {
    /// Returns how long before the answer something was modified, or less.
    ///
    /// Nothing that has no age ever expires.
    pub(super) fn age_of(&self, modified: Option<&DateTime>) -> Duration {
        let date = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(date), Some(modified)) = (date, modified) else { return Duration::ZERO };
        let seconds = date.secs().saturating_sub(modified.secs());
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).saturating_sub(COARSENESS)
    }
}

#[dyn_dispatch_hint]
impl Intercept for DateHeader {
    fn name(&self) -> &'static str {
        "DateHeader"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}
