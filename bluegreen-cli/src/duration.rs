//! Durations as people write them: `15m`, `90s`, `1h30m`, `500ms`.

use std::time::Duration;

/// The units, longest first, with their length in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration; units go from long to short, and each is used once at most.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    read(text).ok_or_else(|| format!("`{text}` is not a duration like `15m`, `90s` or `1h30m`"))
}

/// Reads a duration that is longer than nothing.
pub(crate) fn parse_some(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("it must be longer than nothing".to_owned()),
        duration => Ok(duration),
    }
}

fn read(text: &str) -> Option<Duration> {
    let (mut rest, mut millis, mut units) = (text, 0_u64, UNITS.iter());
    if text.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|letter: char| letter.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = tail;
    }
    Some(Duration::from_millis(millis))
}

/// Writes a duration in at most two units: `0s`, `34s`, `1m04s`, `15m`, `1h30m`.
pub(crate) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, rest) {
        (0, 0, _) => format!("{rest}s"),
        (0, _, 0) => format!("{minutes}m"),
        (0, ..) => format!("{minutes}m{rest:02}s"),
        (_, 0, _) => format!("{hours}h"),
        _ => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_or_refused() {
        let seconds = |text| parse(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("15m"), Ok(900.0));
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("500ms"), Ok(0.5));
        assert_eq!(seconds("1s500ms"), Ok(1.5));
        assert_eq!(seconds("0s"), Ok(0.0));
        for wrong in ["", "15", "m", "5s5m", "5s5s", "-5s", "1.5m", "5 s", "1d", "99999999999999h"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse_some("0ms").is_err());
    }

    #[test]
    fn a_duration_is_written_in_few_characters() {
        let shown = |seconds| show(Duration::from_secs(seconds));
        assert_eq!([0, 34, 60, 64].map(shown), ["0s", "34s", "1m", "1m04s"]);
        assert_eq!([900, 3600, 5400].map(shown), ["15m", "1h", "1h30m"]);
    }
}
