//! Waiting for a permit.

use super::{RateLimiter, maybe_async, rt};

use std::time::Duration;

use crate::deadline::Deadline;
use crate::decision::Decision;
use crate::error::Result;

#[maybe_async]
impl RateLimiter {
    /// Takes a permit as soon as there is one, and waits for it no longer than `wait`. A decision that is not allowed comes at
    /// once where no permit can come in time. Each try is a [`check`](RateLimiter::check), which may take the timeout of the
    /// limiter beyond the wait; nothing is held or reserved in between, so of several who wait for one permit any may get it.
    ///
    /// # Errors
    /// As [`check`](RateLimiter::check); of tasks also `Closed` if the runtime ends, and `Unsupported` for a wait outside tokio.
    ///
    /// # Cancel safety
    /// A future that is dropped while it waits has taken nothing; in the middle of a try, as `check`.
    pub async fn acquire(&self, subject: impl AsRef<str>, wait: Duration) -> Result<Decision> {
        let end = Deadline::after(wait);
        loop {
            let decision = self.take("acquire", subject.as_ref(), 1).await?;
            let pause = decision.retry_after;
            if decision.allowed || end.remaining().map_or(true, |left| left < pause) {
                return Ok(decision);
            }
            rt::pause(pause).await.map_err(|error| self.inner.base.place("acquire", error))?;
        }
    }
}
