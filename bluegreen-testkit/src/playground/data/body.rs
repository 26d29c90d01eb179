//! Bodies of answers on their way to clients.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::endpoint::Lease;
use super::meter::UnderWay;

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Body {
    /// One that the load balancer made itself.
    Whole(Option<Bytes>),
    /// One that a target sends.
    Carried(Box<Carried>),
}

/// A body that a target sends, with the connection on which it comes.
#[derive(Debug)]
pub(super) struct Carried {
    incoming: Incoming,
    lease: Option<Lease>,
    under_way: UnderWay,
    /// For how long the target may be silent.
    patience: Duration,
    silence: Option<Pin<Box<Sleep>>>,
}

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenOff {
    /// The connection broke.
    #[error("the target broke off")]
    Lost(#[from] hyper::Error),
    /// The target was silent for too long.
    #[error("the target fell silent")]
    Silent,
}

impl Carried {
    pub(super) fn new(
        incoming: Incoming,
        lease: Lease,
        under_way: UnderWay,
        patience: Duration,
    ) -> Self {
        let mut carried = Self { incoming, lease: Some(lease), under_way, patience, silence: None };
        if carried.incoming.is_end_stream() {
            carried.end();
        }
        carried
    }

    fn end(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let mut frame = Pin::new(&mut self.incoming).poll_frame(cx);
        if let (Poll::Pending, Some(lease)) = (&frame, &mut self.lease) {
            lease.drive(cx);
            frame = Pin::new(&mut self.incoming).poll_frame(cx);
        }
        match frame {
            Poll::Ready(Some(Ok(frame))) => {
                self.silence = None;
                if self.incoming.is_end_stream() {
                    self.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.under_way.break_off();
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                self.end();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let patience = self.patience;
                let sleep = || Box::pin(tokio::time::sleep(patience));
                let silence = self.silence.get_or_insert_with(sleep);
                if silence.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.under_way.break_off();
                Poll::Ready(Some(Err(BrokenOff::Silent)))
            }
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            Self::Whole(body) => {
                let body = body.take().filter(|body| !body.is_empty());
                Poll::Ready(body.map(|body| Ok(Frame::data(body))))
            }
            Self::Carried(carried) => carried.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Carried(carried) => carried.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Self::Carried(carried) => carried.incoming.size_hint(),
        }
    }
}
