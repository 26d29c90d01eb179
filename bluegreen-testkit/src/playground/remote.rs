//! Asks a playground that runs in another process.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// After how long nobody waits for an answer any more.
const PATIENCE: Duration = Duration::from_secs(30);

/// A playground in another process.
#[derive(Clone, Debug)]
pub struct Remote {
    url: String,
}

/// Says why a playground could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The address is none.
    #[error("`{0}` is not an address such as http://127.0.0.1:4570")]
    Address(String),
    /// Nobody answers there.
    #[error("no playground answers at {url}: {cause}")]
    Silent {
        /// The address.
        url: String,
        /// Why.
        cause: String,
    },
    /// It refused, and said why.
    #[error("{0}")]
    Refused(String),
}

impl Remote {
    /// Will ask the playground at an address such as `http://127.0.0.1:4570`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }

    /// Asks how something is.
    pub async fn get(&self, path: &str) -> Result<Value, RemoteError> {
        self.json(Method::GET, path, None).await
    }

    /// Asks to make something.
    pub async fn post(&self, path: &str, what: &Value) -> Result<Value, RemoteError> {
        self.json(Method::POST, path, Some(what)).await
    }

    /// Asks to end something.
    pub async fn delete(&self, path: &str) -> Result<Value, RemoteError> {
        self.json(Method::DELETE, path, None).await
    }

    /// Asks for a page.
    pub async fn page(&self, path: &str) -> Result<String, RemoteError> {
        self.text(Method::GET, path, None).await
    }

    async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, RemoteError> {
        let text = self.text(method, path, body).await?;
        serde_json::from_str(&text).map_err(|error| self.silent(&error))
    }

    async fn text(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<String, RemoteError> {
        let asked = self.exchange(method, path, body);
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let (is_good, text) = answer.map_err(|_| self.silent(&"no answer in time"))??;
        if is_good { Ok(text) } else { Err(RemoteError::Refused(text.trim().to_owned())) }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(bool, String), RemoteError> {
        let address = || RemoteError::Address(self.url.clone());
        let uri: Uri = self.url.parse().map_err(|_| address())?;
        let authority = uri.authority().ok_or_else(address)?.clone();
        let port = authority.port_u16().unwrap_or(80);
        let stream = TcpStream::connect((authority.host(), port));
        let stream = stream.await.map_err(|error| self.silent(&error))?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut send, driver) = handshake.map_err(|error| self.silent(&error))?;
        // How the connection ends shows in the answer.
        tokio::spawn(async move { drop(driver.await) });
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, authority.as_str())
            .body(Full::new(body))
            .map_err(|_| address())?;
        let reply = send.send_request(request).await.map_err(|error| self.silent(&error))?;
        let is_good = reply.status().is_success();
        let body = reply.into_body().collect().await.map_err(|error| self.silent(&error))?;
        Ok((is_good, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    }

    fn silent(&self, cause: &dyn std::fmt::Display) -> RemoteError {
        RemoteError::Silent { url: self.url.clone(), cause: cause.to_string() }
    }
}
