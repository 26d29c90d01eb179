//! Names of runs and environments as parts of paths and keys.

use std::fmt::Write as _;

/// Turns a name into one that every file system and every bucket takes, keeping different names
/// apart.
pub(super) fn encode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(byte)),
            other => {
                write!(text, "%{other:02x}").expect("writing to a string cannot fail");
            }
        }
    }
    text
}

/// Turns it back; `None` if it is not what [`encode`] makes of any name.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (encode(&name) == text).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_and_is_harmless() {
        for name in ["01run", "IE-L/NGINX", "..", "", "%", "käse", "a b\nc", "a.b"] {
            let text = encode(name);
            assert_eq!(decode(&text).as_deref(), Some(name));
            assert!(!text.contains(['/', '.', ' ', '\n']), "{text}");
        }
    }

    #[test]
    fn what_no_name_gives_is_none() {
        for text in ["a.b", "%", "%2", "%zz", "%61", "%2F", "%ff"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
