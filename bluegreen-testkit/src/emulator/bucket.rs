//! Buckets, for what keeps objects.

use std::io;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST};

use super::query::{address, exchange, signature};

/// Makes a bucket of S3 on an emulator, in `us-east-1`.
///
/// # Errors
///
/// If `url` is not `http://` and a socket address, the connection fails, or the bucket cannot be
/// made.
pub async fn make_bucket(url: &str, name: &str) -> io::Result<()> {
    let address = address(url)?;
    let request = Request::put(format!("/{name}"))
        .header(HOST, address.to_string())
        .header(AUTHORIZATION, signature("s3"))
        .body(Full::from(Bytes::new()))
        .map_err(io::Error::other)?;
    let status = exchange(address, request).await.map_err(io::Error::other)?.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("the bucket `{name}` was answered with {status}")))
    }
}
