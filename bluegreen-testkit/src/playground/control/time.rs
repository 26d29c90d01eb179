//! When things happened, by the wall clock.

use std::time::Duration;

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::{Clock as _, SystemClock};

use super::super::site::Site;

/// Returns the time.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// Returns the moment that the clock of a site's machines means.
pub(crate) fn of(site: &Site, elapsed: Duration) -> Timestamp {
    let ago = site.cloud().elapsed().saturating_sub(elapsed);
    let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now().as_millis().saturating_sub(ago))
}

/// Writes a moment as AWS and its clients do: no fraction if it has none.
pub(crate) fn text(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.strip_suffix('Z').and_then(|text| text.split_once('.')) {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => format!("{whole}Z"),
            fraction => format!("{whole}.{fraction}Z"),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_no_more_digits_than_it_needs() {
        assert_eq!(text(Timestamp::from_millis(1_800_000_000_000)), "2027-01-15T08:00:00Z");
        assert_eq!(text(Timestamp::from_millis(1_800_000_000_500)), "2027-01-15T08:00:00.5Z");
    }
}
