//! Waiting for a lock in turn.

use super::{maybe_async, rt};

use std::time::{Duration, Instant};

use crate::chance::up_to;
use crate::deadline::Deadline;
use crate::engine::turns::Turn;
use crate::error::{Error, ErrorKind, Result};

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
}

#[maybe_async]
impl Wait<'_> {
    /// Waits until it is time to ask: at the head of the queue, upon a release in this process, else after a while.
    ///
    /// # Errors
    /// `Timeout` once the time is over.
    pub(super) async fn come(&mut self) -> Result<()> {
        let pause = Instant::now() + SHORTEST_PAUSE + up_to(PAUSE_SPREAD);
        let until = if self.has_asked { pause.min(self.end) } else { self.end };
        let is_called = rt::called(&self.turn.seat, until).await?;
        if !is_called && until == self.end {
            let text = "somebody else held the lock until the wait was over";
            return Err(Error::new(ErrorKind::Timeout, text));
        }
        self.has_asked = true;
        Ok(())
    }
}

/// Between two looks of who waits first.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const PAUSE_SPREAD: Duration = Duration::from_millis(45);
