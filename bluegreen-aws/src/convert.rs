//! Translates between the SDK's types and the model.
//!
//! What the core does not reason about is carried as JSON of small structs of
//! our own, since the SDK's types cannot be serialised. Reading refuses what
//! it does not know, by name, rather than drop it.

pub(crate) mod action;
pub(crate) mod alarm;
pub(crate) mod group;
mod metric_names;
mod opaque;
pub(crate) mod policy;
pub(crate) mod rule;
pub(crate) mod schedule;
pub(crate) mod target_group;
mod template;
pub(crate) mod tls;

use std::fmt;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

pub(crate) use template::template_data;

/// Says why something cannot be translated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    /// AWS has something that this version does not know.
    #[error("{what} `{value}` is not known to this version")]
    Unknown { what: &'static str, value: String },
    /// An answer lacks what the API promises.
    #[error("the answer has no `{0}`")]
    Missing(&'static str),
    /// A carried value is not one that this adapter made.
    #[error("the carried settings cannot be read")]
    Opaque(#[source] serde_json::Error),
    /// Something is no number, no port, no size.
    #[error("{what} `{value}` is out of range")]
    Range { what: &'static str, value: String },
}

impl ConvertError {
    fn range(what: &'static str, value: impl fmt::Display) -> Self {
        Self::Range { what, value: value.to_string() }
    }
}

/// Reads a size; an absent one is the error of an answer that lacks it.
fn size(what: &'static str, value: Option<i32>) -> Result<u32, ConvertError> {
    let value = value.ok_or(ConvertError::Missing(what))?;
    u32::try_from(value).map_err(|_| ConvertError::range(what, value))
}

/// Reads a port.
pub(crate) fn port(value: Option<i32>) -> Result<u16, ConvertError> {
    let value = value.ok_or(ConvertError::Missing("Port"))?;
    u16::try_from(value).map_err(|_| ConvertError::range("port", value))
}

/// Writes a number that AWS keeps in 31 bits.
pub(crate) fn number(what: &'static str, value: u32) -> Result<i32, ConvertError> {
    i32::try_from(value).map_err(|_| ConvertError::range(what, value))
}

/// Writes a moment as text.
fn moment(time: &DateTime) -> Result<String, ConvertError> {
    time.fmt(Format::DateTime).map_err(|_| ConvertError::range("time", time.secs()))
}

/// Reads a moment from text.
fn from_moment(text: &str) -> Result<DateTime, ConvertError> {
    DateTime::from_str(text, Format::DateTime).map_err(|_| ConvertError::range("time", text))
}
