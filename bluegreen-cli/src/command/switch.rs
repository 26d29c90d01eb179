use bluegreen_core::operation::Operation;
use bluegreen_core::plan::{SwitchOptions, Waits};

use crate::args::Switch;

/// Sends all traffic to the other colour.
pub(super) fn operation(options: &Switch) -> Operation {
    let waits = Waits { poll: options.poll.poll, ..Waits::default() };
    let switch = SwitchOptions::default().with_waits(waits);
    Operation::Switch(options.to.into_iter().fold(switch, SwitchOptions::with_to))
}
