//! Counters: decimal integers that any number of callers change at once.

use super::call::Around;
use super::{Cache, maybe_async};

use crate::error::{Error, ErrorKind, Result};
use crate::ttl::Ttl;

#[maybe_async]
impl Cache {
    /// Adds to a counter and returns the sum; a missing one begins at zero. Atomic.
    ///
    /// `ttl` counts only when this call makes the counter; later calls keep its lifetime. `get::<i64>` and
    /// `set` agree with it under every format. One round trip; on Memcached two, and two more
    /// for each time another caller came first.
    ///
    /// # Errors
    /// `Decode` if the key holds no integer, `TooLarge` if the sum leaves the range of `i64`; nothing is
    /// changed then. `InvalidKey`, `InvalidTtl`; the backend's failures.
    pub async fn incr(&self, key: impl AsRef<str>, delta: i64, ttl: impl Into<Ttl>) -> Result<i64> {
        self.count("incr", key.as_ref(), Some(delta), ttl.into()).await
    }

    /// Subtracts from a counter; may go below zero. Otherwise as [`incr`](Cache::incr).
    ///
    /// # Errors
    /// As [`incr`](Cache::incr).
    pub async fn decr(&self, key: impl AsRef<str>, delta: i64, ttl: impl Into<Ttl>) -> Result<i64> {
        self.count("decr", key.as_ref(), delta.checked_neg(), ttl.into()).await
    }

    async fn count(&self, operation: &'static str, key: &str, delta: Option<i64>, ttl: Ttl) -> Result<i64> {
        let call = self.call(operation)?;
        let (key, lifetime) = (call.key(key)?, call.lifetime(ttl)?);
        let too_large = || Error::new(ErrorKind::TooLarge, "i64::MIN has no opposite to subtract");
        let delta = call.input(delta.ok_or_else(too_large))?;
        let _detach = Around::new(|| call.detach(&key));
        let sum = call.backend().add(&key, delta, lifetime, &call.inner.codec, call.deadline).await;
        call.end(sum)
    }
}
