//! The exit codes: a contract with scripts. Codes are added, never renumbered.

use bluegreen_core::operation::OperationErrorKind;

/// Done, or there was nothing to do.
pub(crate) const DONE: u8 = 0;
/// Failed, and everything is as it was before.
pub(crate) const ROLLED_BACK: u8 = 1;
/// Wrong usage or configuration; nothing was tried.
pub(crate) const USAGE: u8 = 2;
/// Refused before the first change; nothing was changed.
pub(crate) const REFUSED: u8 = 3;
/// Failed, and something is left: `bluegreen recover` goes on.
pub(crate) const LEFT: u8 = 4;
/// Interrupted, and everything is as it was before.
pub(crate) const INTERRUPTED: u8 = 130;

/// Returns the exit code for the state that a failed operation left the world in.
pub(crate) fn code(kind: OperationErrorKind) -> u8 {
    match kind {
        OperationErrorKind::NotStarted => REFUSED,
        OperationErrorKind::RolledBack => ROLLED_BACK,
        OperationErrorKind::Cancelled => INTERRUPTED,
        // A kind that is new to this version may have left anything.
        _ => LEFT,
    }
}

/// Returns the worse of two exit codes: what is left weighs most, then what could not be done.
pub(crate) fn worse(one: u8, other: u8) -> u8 {
    const BY_WEIGHT: [u8; 6] = [DONE, ROLLED_BACK, INTERRUPTED, REFUSED, USAGE, LEFT];
    let weight = |code| BY_WEIGHT.iter().position(|known| *known == code);
    if weight(one) >= weight(other) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_counts() {
        assert_eq!(worse(DONE, REFUSED), REFUSED);
        assert_eq!(worse(LEFT, REFUSED), LEFT);
        assert_eq!(worse(INTERRUPTED, ROLLED_BACK), INTERRUPTED);
        assert_eq!(worse(DONE, DONE), DONE);
    }
}
