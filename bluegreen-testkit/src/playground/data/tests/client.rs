//! A client that takes note of everything.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use crate::playground::data::line::Line;
use crate::playground::data::tls::Tls;

/// How long a client waits.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a client got.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the image of the machine that answered.
    pub(super) fn version(&self) -> &str {
        self.header("x-version")
    }

    pub(super) fn instance(&self) -> &str {
        self.header("x-instance")
    }

    /// Returns the cookies that were set, as a client sends them back.
    pub(super) fn cookies(&self) -> String {
        let set = self.headers.get_all("set-cookie").iter();
        let pairs = set.map(|one| one.to_str().unwrap().split(';').next().unwrap().to_owned());
        pairs.collect::<Vec<_>>().join("; ")
    }
}

/// A connection that is kept.
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub(super) async fn connect(to: SocketAddr, secure: bool) -> Result<Self, String> {
        let stream = TcpStream::connect(to).await.map_err(|error| error.to_string())?;
        let line = if secure {
            let connector = Tls::new().unwrap().connector;
            let name = ServerName::try_from("localhost").unwrap();
            let secure = connector.connect(name, stream).await;
            Line::Secure(Box::new(secure.map_err(|error| error.to_string())?))
        } else {
            Line::Plain(stream)
        };
        let shake = http1::handshake(TokioIo::new(line)).await;
        let (sender, connection) = shake.map_err(|error| error.to_string())?;
        drop(tokio::spawn(connection));
        Ok(Self { sender })
    }

    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let exchange = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(answer) => answer.map_err(|error: hyper::Error| error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.send(request(path, &[])).await
    }
}

/// Makes a request for a path with headers.
pub(super) fn request(path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(Method::GET).uri(path);
    if headers.iter().all(|(name, _)| *name != "host") {
        request = request.header(HOST, "example.com");
    }
    let request = headers.iter().fold(request, |one, (name, value)| one.header(*name, *value));
    request.body(Full::default()).unwrap()
}

/// Asks once, on a connection of its own.
pub(super) async fn ask(to: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    Client::connect(to, false).await?.send(request).await
}
