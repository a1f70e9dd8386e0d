//! One call on a limiter: ask the backend, or decide without it, and tell of what failed.

use super::{RateLimiter, maybe_async};

use crate::decision::Decision;
use crate::engine::quota::Permits;
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::key::Key;

#[maybe_async]
impl RateLimiter {
    pub(super) async fn take(&self, operation: &'static str, subject: &str, n: u64) -> Result<Decision> {
        let inner = &self.inner;
        inner.terms.check(n).map_err(|error| inner.base.place(operation, error))?;
        let key = self.key(operation, subject)?;
        match &inner.leases {
            Some(leases) => self.take_leased(leases, operation, &key, n).await,
            None => self.ask(operation, &key, n).await,
        }
    }

    pub(super) async fn look(&self, subject: &str) -> Result<Decision> {
        let key = self.key("peek", subject)?;
        let seen = self.ask("peek", &key, 0).await?;
        let here = self.inner.leases.as_ref().map_or(0, |leases| leases.left(subject));
        Ok(seen.with_leased(here))
    }

    pub(super) async fn forget(&self, subject: &str) -> Result<bool> {
        let inner = &self.inner;
        let key = self.key("reset", subject)?;
        let forgotten = inner.base.backend.forget_permits(&key, inner.base.deadline()).await;
        if let Some(leases) = &inner.leases {
            leases.forget(subject);
        }
        forgotten.map_err(|error| self.fail("reset", error))
    }

    /// Asks for permits, or for none: a look.
    pub(super) async fn ask(&self, operation: &'static str, key: &Key<'_>, n: u64) -> Result<Decision> {
        let inner = &self.inner;
        let now = inner.clock.as_ref().map(crate::clock::Clock::micros);
        let permits = Permits { terms: inner.terms, n, now };
        let answer = inner.base.backend.take_permits(key, &permits, inner.base.deadline()).await;
        answer.or_else(|error| self.decide_without(operation, error))
    }
}

impl RateLimiter {
    fn key<'a>(&'a self, operation: &'static str, subject: &'a str) -> Result<Key<'a>> {
        self.inner.keys.key(subject).map_err(|error| self.inner.base.place(operation, error))
    }

    fn decide_without(&self, operation: &'static str, error: Error) -> Result<Decision> {
        let is_outage = error.can_be_absorbed() || error.is_ambiguous();
        let decision = Decision::without_server(self.inner.outage, error.kind()).filter(|_| is_outage);
        let Some(decision) = decision else { return Err(self.fail(operation, error)) };
        let error = self.inner.base.place(operation, error);
        self.inner.journal.record(operation, EventKind::Absorbed(&error));
        Ok(decision)
    }

    /// Counts and tells a failure, unless it is the caller's own.
    fn fail(&self, operation: &'static str, error: Error) -> Error {
        let error = self.inner.base.place(operation, error);
        if !matches!(error.kind(), ErrorKind::InvalidKey | ErrorKind::Unsupported | ErrorKind::TooLarge) {
            self.inner.journal.record(operation, EventKind::Failed(&error));
        }
        error
    }
}
