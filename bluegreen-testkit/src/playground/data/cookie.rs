//! The cookies by which clients stay where they were sent first.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use hyper::header::{COOKIE, HeaderMap, HeaderValue};

/// The cookie that names a target.
pub(super) const TARGET: &str = "AWSALB";

/// The cookie that names a target group.
pub(super) const GROUP: &str = "AWSALBTG";

/// Returns the value of a cookie that a request carries.
pub(super) fn carried<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|list| list.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// Returns the value by which something is named in cookies, which tells clients nothing.
pub(super) fn token(parts: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Writes the header that sets a cookie.
pub(super) fn set(name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{name}={value}; Max-Age={seconds}; Path=/")).ok()
}
