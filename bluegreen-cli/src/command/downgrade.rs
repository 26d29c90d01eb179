use bluegreen_core::operation::Operation;
use bluegreen_core::plan::DowngradeOptions;

use crate::args::Downgrade;

/// Goes back to one colour.
pub(super) fn operation(options: &Downgrade) -> Operation {
    Operation::Downgrade(DowngradeOptions::default().with_waits(options.waiting.waits()))
}
