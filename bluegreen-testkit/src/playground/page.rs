//! What people and scripts ask a playground: the page, and its state as JSON.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::http::request::Parts;

use super::Shared;
use super::server::{Reply, plain};

/// Answers a request that is none of AWS's protocol.
pub(super) async fn answer(_shared: &Shared, parts: &Parts, _body: &Bytes) -> Reply {
    plain(StatusCode::NOT_FOUND, &format!("there is nothing at {}\n", parts.uri.path()))
}
