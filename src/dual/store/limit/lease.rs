//! Checks that are served by permits of this process, as far as there are any.

use super::{RateLimiter, maybe_async};

use std::time::Duration;

use crate::decision::Decision;
use crate::engine::quota::{Draw, Leases};
use crate::error::Result;
use crate::key::Key;

#[maybe_async]
impl RateLimiter {
    pub(super) async fn take_leased(
        &self,
        leases: &Leases,
        operation: &'static str,
        key: &Key<'_>,
        n: u64,
    ) -> Result<Decision> {
        let size = match leases.draw(key.name(), n) {
            Draw::Here(decision) => return Ok(decision),
            Draw::Ask => return self.ask(operation, key, n).await,
            Draw::Fetch(size) => size,
        };
        let mut fetch = Fetch { leases, subject: key.name(), came_to: None, dry: Duration::ZERO };
        let leased = self.ask(operation, key, size).await?;
        if leased.outage.is_some() {
            return Ok(leased);
        }
        if leased.allowed {
            return Ok(fetch.put(n, leased));
        }
        // The last of the quota is had one by one.
        fetch.dry = leased.retry_after;
        drop(fetch);
        self.ask(operation, key, n).await
    }
}

/// Somebody is at the server for a lease. However that ends, another may go then.
struct Fetch<'a> {
    leases: &'a Leases,
    subject: &'a str,
    came_to: Option<Decision>,
    /// For how long no lease can be had.
    dry: Duration,
}

impl Fetch<'_> {
    fn put(mut self, n: u64, leased: Decision) -> Decision {
        *self.came_to.insert(self.leases.put(self.subject, n, leased))
    }
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        if self.came_to.is_none() {
            self.leases.give_up(self.subject, self.dry);
        }
    }
}
