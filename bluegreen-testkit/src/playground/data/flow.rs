//! Connections through a network load balancer: bytes, both ways, to one target for life.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bluegreen_core::model::TargetGroupName;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf,
};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::endpoint::ToTarget;
use super::line::Line;
use super::listener::Listener;
use super::route::Act;

/// How long a load balancer tries to connect to a target.
const CONNECT: Duration = Duration::from_secs(10);

/// How much of one direction is on its way.
const CHUNK: usize = 16 << 10;

/// The flows of one listener.
#[derive(Debug, Default)]
pub(super) struct Flows(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    open: BTreeMap<u64, Flow>,
}

#[derive(Debug)]
struct Flow {
    target_group: TargetGroupName,
    to: SocketAddr,
    cut: Arc<Notify>,
}

/// A connection of a client that can be broken off as if a load balancer did it.
pub(super) trait Resets {
    /// Lets the connection end with a reset.
    fn reset(&self);
}

impl Resets for TcpStream {
    fn reset(&self) {
        // It ends without one if it has ended already.
        drop(self.set_zero_linger());
    }
}

impl Resets for Line<TcpStream, tokio_rustls::server::TlsStream<TcpStream>> {
    fn reset(&self) {
        match self {
            Self::Plain(plain) => plain.reset(),
            Self::Secure(secure) => secure.get_ref().0.reset(),
        }
    }
}

impl Flows {
    /// Breaks off the flows for which that is so.
    pub(super) fn cut(&self, which: impl Fn(&TargetGroupName, SocketAddr) -> bool) {
        for flow in self.inner().open.values() {
            if which(&flow.target_group, flow.to) {
                flow.cut.notify_one();
            }
        }
    }

    fn enter(&self, target_group: &TargetGroupName, to: SocketAddr) -> (u64, Arc<Notify>) {
        let cut = Arc::new(Notify::new());
        let flow = Flow { target_group: target_group.clone(), to, cut: Arc::clone(&cut) };
        let mut inner = self.inner();
        inner.last += 1;
        let id = inner.last;
        inner.open.insert(id, flow);
        (id, cut)
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry in the list of flows, for as long as the flow lasts.
struct Entry<'a>(&'a Flows, u64);

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.0.inner().open.remove(&self.1);
    }
}

/// Carries a connection to a target; breaks it off if there is none.
pub(super) async fn carry<S>(listener: &Listener, stream: S, from: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Resets + Unpin + Send,
{
    let act = listener.routes.load().act_for(from.ip()).clone();
    let member = match &act {
        Act::Forward(split) => split.choose(None, &listener.count).and_then(|group| {
            let member = Arc::clone(group.choose(None)?);
            Some((group.name.clone(), member))
        }),
        _ => None,
    };
    let Some((target_group, member)) = member else { return stream.reset() };
    let endpoint = &member.endpoint;
    let under_way = member.tally.begin();
    let (id, cut) = listener.flows.enter(&target_group, endpoint.address);
    let _entry = Entry(&listener.flows, id);
    let Ok(Ok(target)) = tokio::time::timeout(CONNECT, endpoint.connect()).await else {
        under_way.break_off();
        return stream.reset();
    };
    let (mut stream, mut target) = (tokio::io::split(stream), tokio::io::split(target));
    let done = tokio::select! {
        done = both_ways(&mut stream, &mut target, listener.patience()) => done.is_ok(),
        () = cut.notified() => false,
    };
    if !done {
        under_way.break_off();
        stream.0.unsplit(stream.1).reset();
    }
}

async fn both_ways<S: AsyncRead + AsyncWrite + Unpin + Send>(
    client: &mut (ReadHalf<S>, WriteHalf<S>),
    target: &mut (ReadHalf<ToTarget>, WriteHalf<ToTarget>),
    patience: Duration,
) -> io::Result<()> {
    let heard = Mutex::new(Instant::now());
    let copying = async {
        tokio::try_join!(
            one_way(&mut client.0, &mut target.1, &heard),
            one_way(&mut target.0, &mut client.1, &heard),
        )
    };
    tokio::select! {
        done = copying => done.map(drop),
        () = silence(&heard, patience) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn one_way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    heard: &Mutex<Instant>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = from.read(&mut buffer).await?;
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
    }
}

/// Returns once nothing was heard for that long.
async fn silence(heard: &Mutex<Instant>, patience: Duration) {
    loop {
        let last = *heard.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= patience {
            return;
        }
        tokio::time::sleep_until(last + patience).await;
    }
}
