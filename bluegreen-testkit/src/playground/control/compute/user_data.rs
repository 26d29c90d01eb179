//! What machines run at their first start: the world holds digests, the facts what is behind them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bluegreen_core::model::UserData;

use super::super::WireError;
use crate::playground::site::Site;

/// Keeps user data that came in base64; returns its digest.
pub(crate) fn keep(site: &Site, text: Option<&str>) -> Result<Option<String>, WireError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let compact: String = text.split_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(compact).map_err(|_| {
        WireError::new("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.")
    })?;
    let encoded = BASE64_STANDARD.encode(&bytes);
    let digest = UserData::new(bytes).sha256().to_owned();
    site.facts().user_data.insert(digest.clone(), encoded);
    Ok(Some(digest))
}

/// Returns user data in base64, if it came over the wire.
pub(crate) fn content(site: &Site, digest: &str) -> Option<String> {
    site.facts().user_data.get(digest).cloned()
}
