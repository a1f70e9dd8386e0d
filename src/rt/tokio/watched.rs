//! A stream to a Redis server that is watched for replies which are too large, which nobody asked for, or which cannot be
//! ones to what was asked.
//!
//! The multiplexed connection would take in an endless reply to its end, and hand one too many to whoever asks next.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::Error;
use crate::wire::redis::Order;

/// What a connection died of, if it was our own doing.
pub(super) type Verdict = Arc<OnceLock<Error>>;

pub(super) struct Watched<S> {
    stream: S,
    order: Order,
    verdict: Verdict,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, limit: usize) -> (Watched<S>, Verdict) {
        let verdict = Verdict::default();
        (Watched { stream, order: Order::new(limit), verdict: Arc::clone(&verdict) }, verdict)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        Poll::Ready(this.order.answer(&buffer.filled()[before..]).map_err(|error| {
            let _ = this.verdict.set(error);
            io::ErrorKind::InvalidData.into()
        }))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes))?;
        this.order.ask(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
