use bluegreen_core::operation::Operation;
use bluegreen_core::plan::{ScaledownOptions, Waits};

use crate::args::Scaledown;

/// Stops the colour that does not serve.
pub(super) fn operation(options: &Scaledown) -> Operation {
    let waits = Waits { timeout: options.timeout.timeout, poll: options.poll.poll };
    let scaledown = ScaledownOptions::default().with_waits(waits);
    Operation::Scaledown(options.only.into_iter().fold(scaledown, ScaledownOptions::with_color))
}
