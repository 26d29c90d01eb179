//! How lines are kept: each behind its checksum.

use std::fmt::Write as _;

/// Writes lines, each behind its checksum.
pub(super) fn write(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        let checksum = crc32fast::hash(line.as_bytes());
        writeln!(text, "{checksum:08x} {line}").expect("writing to a string cannot fail");
    }
    text
}

/// Reads the whole lines, and how many bytes they take; what comes after these is torn.
///
/// Only the end can be torn: `None` if a line before it is bad.
pub(super) fn read(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    let (mut lines, mut whole) = (Vec::new(), 0);
    let mut chunks = bytes.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(chunk) = chunks.next() {
        match checked(chunk) {
            Some(line) => {
                lines.push(line.to_owned());
                whole += chunk.len();
            }
            None if chunks.peek().is_none() => break,
            None => return None,
        }
    }
    Some((lines, whole))
}

/// Returns what a line says if it is whole.
fn checked(chunk: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(chunk).ok()?.strip_suffix('\n')?;
    let (checksum, text) = line.split_once(' ')?;
    // As it is written: a number that is merely equal has been changed.
    (checksum == format!("{:08x}", crc32fast::hash(text.as_bytes()))).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_eight_small_digits() {
        for whole in ["7a6c86f1 one\n", "00000000 \n"] {
            assert_eq!(checked(whole.as_bytes()), whole[9..].strip_suffix('\n'));
        }
        for changed in ["7A6c86f1 one\n", "+7a6c86f1 one\n", "07a6c86f1 one\n", "000 \n", " \n"] {
            assert_eq!(checked(changed.as_bytes()), None, "{changed:?}");
        }
    }
}
