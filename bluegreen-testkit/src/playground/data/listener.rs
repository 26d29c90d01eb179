//! A listener that is a socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::endpoint::BUFFER;
use super::flow::{self, Flows};
use super::line::Line;
use super::meter::Tally;
use super::proxy;
use super::route::Routes;
use super::tls::Tls;

/// How many connections one listener has at most.
const MOST: usize = 8192;

/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long connections may still finish what they do when their listener is gone.
const FAREWELL: Duration = Duration::from_mins(1);

/// What the connections of a listener share with whoever changes it.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) port: u16,
    pub(super) protocol: String,
    pub(super) secure: Option<Tls>,
    /// Whether bytes are forwarded, and nobody looks into them.
    pub(super) raw: bool,
    /// Read by every request, without a lock.
    pub(super) routes: ArcSwap<Routes>,
    /// Counts requests that several target groups share.
    pub(super) count: AtomicU64,
    /// Counts what no target group has part in.
    pub(super) tally: Arc<Tally>,
    pub(super) flows: Flows,
    patience: AtomicU64,
}

impl Listener {
    pub(super) fn new(
        port: u16,
        protocol: &str,
        raw: bool,
        secure: Option<Tls>,
        tally: Arc<Tally>,
    ) -> Self {
        let (routes, count) = (ArcSwap::default(), AtomicU64::new(0));
        let (flows, patience) = (Flows::default(), AtomicU64::new(60_000));
        let protocol = protocol.to_owned();
        Self { port, protocol, secure, raw, routes, count, tally, flows, patience }
    }

    /// Returns for how long nothing may come from a target or a client.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(self.patience.load(Ordering::Relaxed))
    }

    pub(super) fn set_patience(&self, patience: Duration) {
        let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.patience.store(millis, Ordering::Relaxed);
    }
}

/// Serves until `closing` says otherwise, and then until all that was begun is done.
pub(super) async fn serve(
    socket: TcpListener,
    listener: Arc<Listener>,
    mut closing: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let permits = Arc::new(Semaphore::new(MOST));
    loop {
        tokio::select! {
            _ = closing.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&socket, &permits) => match accepted {
                Some((stream, from, permit)) => {
                    let (listener, closing) = (Arc::clone(&listener), closing.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        connection(&listener, stream, from, closing).await;
                    });
                }
                // Too many files, as a rule: others will be closed.
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(socket);
    let farewell = async { while connections.join_next().await.is_some() {} };
    // Those that take longer are cut.
    drop(tokio::time::timeout(FAREWELL, farewell).await);
}

async fn accept(
    socket: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    let (stream, from) = socket.accept().await.ok()?;
    stream.set_nodelay(true).ok()?;
    Some((stream, from, permit))
}

async fn connection(
    listener: &Arc<Listener>,
    stream: TcpStream,
    from: SocketAddr,
    closing: watch::Receiver<bool>,
) {
    if listener.raw && listener.secure.is_none() {
        return flow::carry(listener, stream, from).await;
    }
    let stream = match &listener.secure {
        None => Line::Plain(stream),
        Some(tls) => {
            let shake = tokio::time::timeout(HANDSHAKE, tls.acceptor.accept(stream)).await;
            let Ok(Ok(secure)) = shake else { return };
            Line::Secure(Box::new(secure))
        }
    };
    if listener.raw {
        return flow::carry(listener, stream, from).await;
    }
    http(listener, stream, from, closing).await;
}

async fn http(
    listener: &Arc<Listener>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: SocketAddr,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(|request| proxy::answer(listener, from, request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(listener.patience()).max_buf_size(BUFFER);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // Whoever breaks off has its reasons.
        _ = connection.as_mut() => return,
        _ = closing.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(connection.await);
}
