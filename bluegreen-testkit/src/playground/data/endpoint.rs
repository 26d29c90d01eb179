//! Where a target serves, and the connections that are kept to it.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use super::fate::Fate;
use super::line::Line;
use super::tls::Tls;
use super::way::Way;

/// How long a load balancer tries to connect to a target.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>
const CONNECT: Duration = Duration::from_secs(10);

/// How many idle connections are kept to one target.
const KEPT: usize = 512;

/// For how long an idle connection is kept; less than servers usually keep theirs.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// How long a kept connection may take to finish what it did before.
const READY: Duration = Duration::from_secs(1);

/// The most that one connection buffers.
pub(super) const BUFFER: usize = 64 << 10;

/// A connection to a target.
pub(super) type ToTarget = Line<Way, TlsStream<Way>>;

/// Where a target serves.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) fate: Arc<Fate>,
    /// Whether the server is somebody's own command, which suffers no ailments by itself.
    pub(super) foreign: bool,
    tls: Option<Tls>,
    idle: Mutex<Vec<Idle>>,
    outstanding: AtomicUsize,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection; dropping it closes it.
///
/// Whoever uses it drives it, since a task of its own would cost two wake-ups for each request. While
/// nobody uses it nobody drives it: whether it was closed meanwhile is looked up when it is taken.
struct Connection {
    sender: SendRequest<Incoming>,
    driver: Option<Pin<Box<Driver>>>,
}

type Driver = http1::Connection<TokioIo<ToTarget>, Incoming>;

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Moves bytes as far as they move now.
    fn drive(&mut self, cx: &mut Context<'_>) {
        let ended = self.driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready());
        if ended {
            // How it ended is heard by whoever waits for an answer.
            self.driver = None;
        }
    }

    /// Looks whether it was closed while nobody used it.
    fn is_closed(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_none() || self.sender.is_closed()
    }
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Option<Connection>,
    endpoint: Arc<Endpoint>,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// The connection could not be made, or broke.
    #[error("the target could not be reached")]
    Broken,
    /// It took too long.
    #[error("the target was too slow")]
    Late,
}

impl Endpoint {
    pub(super) fn new(
        address: SocketAddr,
        fate: Arc<Fate>,
        foreign: bool,
        tls: Option<Tls>,
    ) -> Self {
        let (idle, outstanding) = (Mutex::default(), AtomicUsize::new(0));
        Self { address, fate, foreign, tls, idle, outstanding }
    }

    /// Returns how many requests it is answering.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Connects.
    pub(super) async fn connect(&self) -> io::Result<ToTarget> {
        connect(self.address, &self.fate, self.tls.as_ref()).await
    }

    /// Sends a request and waits for the beginning of its answer.
    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        patience: Duration,
    ) -> Result<(Response<Incoming>, Lease), NoAnswer> {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let mut lease = Lease { connection: None, endpoint: Arc::clone(self) };
        loop {
            let (mut connection, fresh) = match self.take_idle() {
                Some(connection) => (connection, false),
                None => (self.open().await?, true),
            };
            let ready = poll_fn(|cx| {
                connection.drive(cx);
                connection.sender.poll_ready(cx)
            });
            let ready = tokio::time::timeout(READY, ready).await;
            if !matches!(ready, Ok(Ok(()))) {
                if fresh {
                    return Err(NoAnswer::Broken);
                }
                continue;
            }
            let connection = lease.connection.insert(connection);
            let mut sent = pin!(connection.sender.try_send_request(request));
            let sent = poll_fn(|cx| {
                connection.drive(cx);
                sent.as_mut().poll(cx)
            });
            let Ok(sent) = tokio::time::timeout(patience, sent).await else {
                return Err(NoAnswer::Late);
            };
            match sent {
                Ok(response) => return Ok((response, lease)),
                // A kept connection that was closed meanwhile took nothing: another one will.
                Err(mut error) if !fresh => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(NoAnswer::Broken),
                },
                Err(_) => return Err(NoAnswer::Broken),
            }
        }
    }

    /// Closes what is no longer of use.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        self.idle().retain_mut(|idle| {
            !idle.connection.is_closed() && now.duration_since(idle.since) < KEPT_FOR
        });
    }

    fn take_idle(&self) -> Option<Connection> {
        {
            let sky = self.fate.sky();
            if sky.refuses || sky.is_cut() {
                // Bad weather is for everybody: nobody gets through on what was kept.
                self.idle().clear();
                return None;
            }
        }
        let mut idle = self.idle();
        while let Some(mut one) = idle.pop() {
            if !one.connection.is_closed() {
                return Some(one.connection);
            }
        }
        None
    }

    async fn open(&self) -> Result<Connection, NoAnswer> {
        let stream = tokio::time::timeout(CONNECT, self.connect()).await;
        let stream = stream.map_err(|_| NoAnswer::Late)?.map_err(|_| NoAnswer::Broken)?;
        let mut builder = http1::Builder::new();
        let handshake = builder.max_buf_size(BUFFER).handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(|_| NoAnswer::Broken)?;
        Ok(Connection { sender, driver: Some(Box::pin(connection)) })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Moves bytes as far as they move now.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection {
            connection.drive(cx);
        }
    }

    /// Keeps the connection for others, once an answer is complete.
    pub(super) fn give_back(mut self) {
        if let Some(connection) = self.connection.take()
            && connection.driver.is_some()
        {
            let mut idle = self.endpoint.idle();
            if idle.len() < KEPT {
                idle.push(Idle { connection, since: Instant::now() });
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.endpoint.outstanding.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Connects to a server on a machine.
pub(super) async fn connect(
    address: SocketAddr,
    fate: &Arc<Fate>,
    tls: Option<&Tls>,
) -> io::Result<ToTarget> {
    let way = Way::connect(address, fate).await?;
    let Some(tls) = tls else { return Ok(Line::Plain(way)) };
    let name = ServerName::IpAddress(address.ip().into());
    Ok(Line::Secure(Box::new(tls.connector.connect(name, way).await?)))
}
