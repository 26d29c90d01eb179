//! The published limits of calls: token buckets of an account in a region.

use super::control::Service;
use super::site::Site;

/// The buckets of every account and region.
#[derive(Debug, Default)]
pub(super) struct Buckets {}

impl Buckets {
    /// Returns whether a call is one too many; otherwise it is paid for.
    pub(super) fn refuses(&self, _site: &Site, _service: Service, _action: &str) -> bool {
        false
    }
}
