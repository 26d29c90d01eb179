//! How the fake says no.

use std::fmt::Display;

use bluegreen_core::cloud::{CloudError, CloudErrorKind};

/// Makes the error of a resource that is not there.
pub(super) fn not_found(method: &str, resource: impl Display) -> CloudError {
    CloudError::new(CloudErrorKind::NotFound, method, resource)
}

/// Makes the error of a call that would be refused again.
pub(super) fn rejected(method: &str, resource: impl Display, why: &str) -> CloudError {
    CloudError::new(CloudErrorKind::Rejected, method, resource).with_source(why)
}

/// Makes the error of a call that may succeed later.
pub(super) fn busy(method: &str, resource: impl Display, why: &str) -> CloudError {
    CloudError::new(CloudErrorKind::Busy, method, resource).with_source(why)
}

/// Makes the error of a call that the caller may not make.
pub(super) fn denied(method: &str, resource: impl Display, why: &str) -> CloudError {
    CloudError::new(CloudErrorKind::Denied, method, resource).with_source(why)
}

/// Joins the names that one call is about.
pub(super) fn joined<T: Display>(names: &[T]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
