use super::{Call, WireError, Xml};

/// Answers one call.
pub(super) fn answer(call: &Call<'_>) -> Result<Xml, WireError> {
    Err(WireError::unknown_action(call.action))
}
