//! Waiting for a lock in turn.

use super::{Inner, Place, maybe_async, rt};

use std::time::{Duration, Instant};

use crate::chance::up_to;
use crate::deadline::Deadline;
use crate::engine::turns::Turn;
use crate::error::{Error, ErrorKind, Result};
use crate::now::now;

/// A stay in the queue of this process, with its end.
pub(super) struct Wait<'a> {
    turn: Turn<'a>,
    end: Instant,
    /// Whether the server was asked for the first time.
    has_asked: bool,
}

impl<'a> Wait<'a> {
    pub(super) fn new(turn: Turn<'a>, wait: Duration) -> Wait<'a> {
        Wait { turn, end: Deadline::after(wait).instant(), has_asked: false }
    }

    /// How long the server is to know of the wait that follows a try; `None` if none follows.
    pub(super) fn bell(&self) -> Option<Duration> {
        (now() < self.end).then_some(2 * SLICE)
    }
}

#[maybe_async]
impl Wait<'_> {
    /// Waits until it is time to ask: at the head of the queue, upon a release in this process or, where the server tells
    /// of them, in another, else after a while.
    ///
    /// # Errors
    /// `Timeout` once the time is over.
    pub(super) async fn come(&mut self, bell: Option<(&Inner, &Place)>) -> Result<()> {
        if let Some((inner, place)) = bell.filter(|_| self.has_asked)
            && self.hear(inner, place).await
        {
            return if now() < self.end { Ok(()) } else { Err(in_vain()) };
        }
        let pause = now() + SHORTEST_PAUSE + up_to(PAUSE_SPREAD);
        let until = if self.has_asked { pause.min(self.end) } else { self.end };
        let is_called = rt::called(&self.turn.seat, until).await?;
        if !is_called && until == self.end {
            return Err(in_vain());
        }
        self.has_asked = true;
        Ok(())
    }

    /// Waits for the server to tell, or not to; `false` if it never tells. A failure is for the next try to meet.
    async fn hear(&self, inner: &Inner, place: &Place) -> bool {
        let left = self.end.saturating_duration_since(now());
        let Ok(claim) = place.claim("", SLICE) else { return false };
        if left.is_zero() {
            return true;
        }
        let patience = left.min(SLICE);
        let deadline = inner.base.deadline_after(patience);
        let woken = inner.backend().woken(&claim, patience, deadline).await;
        matches!(woken, Ok(Some(_)))
    }
}

fn in_vain() -> Error {
    Error::new(ErrorKind::Timeout, "somebody else held the lock until the wait was over")
}

/// For how long a release is told to who waits; then they look by themselves.
const SLICE: Duration = Duration::from_millis(500);

/// Between two looks of who waits first.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const PAUSE_SPREAD: Duration = Duration::from_millis(45);
