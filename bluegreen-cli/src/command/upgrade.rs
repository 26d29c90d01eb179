use bluegreen_core::operation::Operation;
use bluegreen_core::plan::UpgradeOptions;

/// Gives an environment its second colour.
pub(super) fn operation() -> Operation {
    Operation::Upgrade(UpgradeOptions::default())
}
