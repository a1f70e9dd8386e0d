//! A stream to a Redis server that is watched for replies which are too large, or which nobody asked for.
//!
//! The multiplexed connection would take in an endless reply to its end, and hand one too many to whoever asks next.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::wire::redis::Scan;

/// What a connection died of, if it was our own doing.
pub(super) type Verdict = Arc<OnceLock<Error>>;

pub(super) struct Watched<S> {
    stream: S,
    /// Commands that have left, whole or in part, without a reply.
    unanswered: u64,
    asked: Scan,
    answered: Scan,
    verdict: Verdict,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S) -> (Watched<S>, Verdict) {
        let verdict = Verdict::default();
        let (asked, answered) = (Scan::of_commands(), Scan::of_replies());
        (Watched { stream, unanswered: 0, asked, answered, verdict: Arc::clone(&verdict) }, verdict)
    }

    /// A command counts when its first byte leaves: its reply may come as soon as its last one has.
    fn note_asked(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.unanswered += u64::from(self.asked.is_at_rest());
            // What the library spells is RESP.
            let Ok((followed, _)) = self.asked.follow(bytes) else { return };
            bytes = &bytes[followed..];
        }
    }

    fn note_answered(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (followed, has_ended) = self.answered.follow(bytes)?;
            bytes = &bytes[followed..];
            if has_ended {
                self.unanswered = self.unanswered.checked_sub(1).ok_or_else(unasked)?;
            }
        }
        Ok(())
    }
}

fn unasked() -> Error {
    Error::new(ErrorKind::Protocol, "the server sent a reply to nothing that was asked")
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
        Poll::Ready(this.note_answered(&buffer.filled()[before..]).map_err(|error| {
            let _ = this.verdict.set(error);
            io::ErrorKind::InvalidData.into()
        }))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes))?;
        this.note_asked(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
