use bluegreen_core::operation::Operation;
use bluegreen_core::plan::{DowngradeOptions, Waits};

use crate::args::Downgrade;

/// Goes back to one colour.
pub(super) fn operation(options: &Downgrade) -> Operation {
    let waits = Waits { timeout: options.timeout.timeout, poll: options.poll.poll };
    Operation::Downgrade(DowngradeOptions::default().with_waits(waits))
}
