use bluegreen_core::operation::Operation;
use bluegreen_core::plan::ScaledownOptions;

use crate::args::Scaledown;

/// Stops the colour that does not serve.
pub(super) fn operation(options: &Scaledown) -> Operation {
    let scaledown = ScaledownOptions::default().with_waits(options.waiting.waits());
    Operation::Scaledown(options.only.into_iter().fold(scaledown, ScaledownOptions::with_color))
}
