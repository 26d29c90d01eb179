use bluegreen_core::operation::Operation;
use bluegreen_core::plan::UpgradeOptions;

use crate::args::Upgrade;

/// Gives an environment its second colour.
pub(super) fn operation(options: &Upgrade) -> Operation {
    let upgrade = UpgradeOptions::default();
    Operation::Upgrade(if options.ignore_unknown { upgrade.ignoring_unknown() } else { upgrade })
}
