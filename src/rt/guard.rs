//! What the breaker of a server makes of each exchange with it, in both worlds.

use std::sync::Arc;
use std::time::Duration;

use super::fault::Fault;
use crate::deadline::Deadline;
use crate::engine::breaker::{Admission, Breaker};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::breakers::breaker;
use crate::now::now;

/// Stands before one server.
pub(crate) struct Guard {
    breaker: Arc<Breaker>,
    /// After how many failures in a row the server is left alone.
    threshold: Option<u32>,
}

/// One exchange that was let through. A task that is dropped under way tells nothing about the server.
pub(crate) struct Trial<'a> {
    breaker: &'a Breaker,
    admission: Admission,
    patience: Duration,
}

impl Guard {
    pub(crate) fn new(address: &str, threshold: Option<u32>) -> Guard {
        Guard { breaker: breaker(address), threshold }
    }

    /// # Errors
    /// `Unavailable` at once, while the server is left alone; `Timeout` if no time is left.
    pub(crate) fn admit(&self, deadline: Deadline) -> Result<Trial<'_>> {
        let patience = deadline.remaining()?;
        let admission = self.breaker.admit(self.threshold, patience)?;
        Ok(Trial { breaker: &self.breaker, admission, patience })
    }
}

impl Trial<'_> {
    /// Whether it is to find out if the server is back; then connections from before are no good.
    pub(crate) fn is_probe(&self) -> bool {
        self.admission == Admission::Probe
    }

    /// Takes note of how the exchange went, and says what that means to its caller.
    pub(crate) fn end<T>(self, answer: Result<T, Fault>, repeatable: bool) -> Result<T> {
        match &answer {
            Err(Fault { ours: true, .. }) => {}
            Err(Fault { error, .. }) if is_away(error) => {
                self.breaker.failed(error, self.patience, now());
            }
            _ => self.breaker.answered(),
        }
        answer.map_err(|fault| fault.into_error(repeatable))
    }
}

/// Whether the server said nothing, or turned us away at the door: Redis with `ERR`, Memcached with `ERROR`. Who says that
/// it is loading is there.
fn is_away(error: &Error) -> bool {
    let is_silent = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
    is_silent && error.code().is_none_or(|code| matches!(code, "ERR" | "ERROR"))
}
