use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderMap};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::{LoadRoute, tls};

/// Who answered, as far as the answer tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) version: String,
    pub(super) color: String,
    pub(super) instance: String,
}

/// A client that keeps its connection to one route.
#[derive(Debug)]
pub(super) struct Client {
    route: LoadRoute,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Connection {
    send: SendRequest<Empty<Bytes>>,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Client {
    pub(super) fn new(route: &LoadRoute) -> Self {
        Self { route: route.clone(), connection: None }
    }

    /// Asks once. A connection that the server has closed meanwhile is none of its faults: it is
    /// made anew.
    pub(super) async fn get(&mut self) -> Result<Answer, String> {
        let ready = match &mut self.connection {
            Some(connection) => connection.send.ready().await.is_ok(),
            None => false,
        };
        if !ready {
            self.connection = Some(self.connect().await?);
        }
        let Some(connection) = &mut self.connection else { return Err("no connection".to_owned()) };
        let request = Request::get(&self.route.path)
            .header(HOST, self.route.address.to_string())
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let reply = connection.send.send_request(request).await.map_err(|error| said(&error))?;
        let (parts, body) = reply.into_parts();
        body.collect().await.map_err(|error| said(&error))?;
        Ok(read(parts.status, &parts.headers))
    }

    /// Lets go of a connection that is good for nothing any more.
    pub(super) fn hang_up(&mut self) {
        self.connection = None;
    }

    async fn connect(&self) -> Result<Connection, String> {
        let stream = TcpStream::connect(self.route.address);
        let stream = stream.await.map_err(|error| said(&error))?;
        drop(stream.set_nodelay(true));
        if self.route.tls {
            let stream = tls::connect(stream).await.map_err(|error| said(&error))?;
            Self::shake_hands(TokioIo::new(stream)).await
        } else {
            Self::shake_hands(TokioIo::new(stream)).await
        }
    }

    async fn shake_hands<T>(io: T) -> Result<Connection, String>
    where
        T: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    {
        let (send, driver) = http1::handshake(io).await.map_err(|error| said(&error))?;
        // How a connection ends shows in the request that was under way.
        let driver = tokio::spawn(async move { drop(driver.await) }).abort_handle();
        Ok(Connection { send, driver })
    }
}

fn read(status: StatusCode, headers: &HeaderMap) -> Answer {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    Answer {
        status: status.as_u16(),
        version: text("x-version"),
        color: text("x-color"),
        instance: text("x-instance"),
    }
}

/// Says what went wrong, down to the cause, and without the port of this side.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
