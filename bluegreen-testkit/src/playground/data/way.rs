//! The way to a machine, in whatever weather.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::fate::{Fate, LOOK, Sky};

/// A connection to a machine.
#[derive(Debug)]
pub(super) struct Way {
    stream: TcpStream,
    fate: Arc<Fate>,
    /// What comes next answers something, so that it may come late.
    turned: bool,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Way {
    /// Connects. In a partition this lasts until it is over: callers limit how long they wait.
    pub(super) async fn connect(address: SocketAddr, fate: &Arc<Fate>) -> io::Result<Self> {
        while fate.sky().is_cut() {
            tokio::time::sleep(LOOK).await;
        }
        let (delay, refuses) = {
            let sky = fate.sky();
            (sky.delay, sky.refuses)
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if refuses {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let fate = Arc::clone(fate);
        Ok(Self { stream, fate, turned: true, reading: None, writing: None })
    }

    fn read_in_bad_weather(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Some(wait) = &mut self.reading {
                ready!(wait.as_mut().poll(cx));
                self.reading = None;
            }
            let sky = Sky::clone(&self.fate.sky());
            if sky.holds() {
                self.reading = Some(Box::pin(tokio::time::sleep(LOOK)));
                continue;
            }
            if sky.resets {
                ready!(self.stream.poll_read_ready(cx))?;
                drop(self.stream.set_zero_linger());
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if self.turned && !sky.delay.is_zero() {
                ready!(self.stream.poll_read_ready(cx))?;
                self.turned = false;
                self.reading = Some(Box::pin(tokio::time::sleep(sky.delay)));
                continue;
            }
            return match sky.drip {
                Some(rate) => self.read_a_drop(rate, cx, buffer),
                None => Pin::new(&mut self.stream).poll_read(cx, buffer),
            };
        }
    }

    fn read_a_drop(
        &mut self,
        rate: u64,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut drops = [0; 512];
        // Ten drops a second look like a slow line and not like bursts.
        let most = usize::try_from(rate / 10).unwrap_or(usize::MAX).clamp(1, drops.len());
        let most = most.min(buffer.remaining());
        let mut small = ReadBuf::new(&mut drops[..most]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut small))?;
        let read = small.filled();
        buffer.put_slice(read);
        let millis = 1000 * read.len() as u64 / rate;
        let wait = std::time::Duration::from_millis(millis);
        self.reading = Some(Box::pin(tokio::time::sleep(wait)));
        Poll::Ready(Ok(()))
    }

    /// Waits until something may be sent.
    fn poll_calm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(wait) = &mut self.writing {
                ready!(wait.as_mut().poll(cx));
                self.writing = None;
            }
            if !self.fate.sky().holds() {
                return Poll::Ready(());
            }
            self.writing = Some(Box::pin(tokio::time::sleep(LOOK)));
        }
    }
}

impl AsyncRead for Way {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reading.is_none() && self.fate.sky().is_clear() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        self.read_in_bad_weather(cx, buffer)
    }
}

impl AsyncWrite for Way {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_calm(cx));
        self.turned = true;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_calm(cx));
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_calm(cx));
        self.turned = true;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
