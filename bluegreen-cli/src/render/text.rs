use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use bluegreen_core::model::{Color, Timestamp};
use terminal_size::{Height, Width};

use crate::duration;

/// How many columns are used where nobody says how many there are.
const COLUMNS: usize = 80;
/// Longer lines are hard to read.
const MOST_COLUMNS: usize = 100;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const ODD: Style = AnsiColor::Yellow.on_default();

/// Returns how many columns to use.
pub(super) fn width(size: Option<(Width, Height)>) -> usize {
    size.map_or(COLUMNS, |(Width(columns), _)| usize::from(columns).clamp(40, MOST_COLUMNS))
}

/// Gives a text a style; whoever writes it takes the style away where there are no colours.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Gives a colour's name its colour.
pub(super) fn color(color: Color) -> String {
    let style = match color {
        Color::Blue => AnsiColor::Blue.on_default(),
        Color::Green => AnsiColor::Green.on_default(),
    };
    styled(style.bold(), color.as_str())
}

/// Writes `text` after `head`, breaking it between words and indenting what follows as far as
/// `head` goes; what stands between backticks is one word.
pub(super) fn hang(head: &str, text: &str, width: usize) -> String {
    let indent = visible(head);
    let mut lines = head.to_owned();
    let mut column = indent;
    for (at, word) in words(text).into_iter().enumerate() {
        let length = visible(&word);
        if at > 0 && column + 1 + length > width && column > indent {
            write!(lines, "\n{:indent$}{word}", "").expect("writing to a string cannot fail");
            column = indent + length;
        } else {
            let gap = if at > 0 { " " } else { "" };
            write!(lines, "{gap}{word}").expect("writing to a string cannot fail");
            column += gap.len() + length;
        }
    }
    lines.push('\n');
    lines
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(last) if last.matches('`').count() % 2 == 1 => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// Counts the characters that are seen: escape sequences are not.
pub(super) fn visible(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(|piece| piece.chars().count()).sum()
}

/// Writes a moment to the minute, in UTC: `2026-01-31 12:00`.
pub(super) fn minute(stamp: Timestamp) -> String {
    stamp.to_string().replacen('T', " ", 1).chars().take(16).collect()
}

/// Writes a moment to the second, in UTC: `2026-01-31 12:00:00`.
pub(super) fn second(stamp: Timestamp) -> String {
    stamp.to_string().replacen('T', " ", 1).chars().take(19).collect()
}

/// Writes how far a moment is from now: `4m ago`, `in 26s`.
pub(super) fn ago(stamp: Timestamp, now: Timestamp) -> String {
    if stamp > now {
        format!("in {}", duration::show(stamp.since(now)))
    } else {
        format!("{} ago", duration::show(now.since(stamp)))
    }
}

/// Writes a number of things: `1 change`, `2 changes`.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_hangs_below_its_first_word() {
        assert_eq!(hang("12  ", "one two three", 10), "12  one\n    two\n    three\n");
        assert_eq!(hang("", "one two", 80), "one two\n");
        assert_eq!(hang("1 ", "unbreakably-long", 8), "1 unbreakably-long\n");
        assert_eq!(hang("", "type `one two`, once", 10), "type\n`one two`,\nonce\n");
    }

    #[test]
    fn a_moment_is_told_from_now() {
        let [then, now] = [60_000, 304_000].map(Timestamp::from_millis);
        assert_eq!((ago(then, now), ago(now, then)), ("4m04s ago".into(), "in 4m04s".into()));
        assert_eq!(ago(now, now), "0s ago");
    }

    #[test]
    fn styles_take_no_room() {
        assert_eq!(visible(&styled(BOLD, "blue → green")), 12);
    }
}
