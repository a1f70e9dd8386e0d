//! Rate limits: so many permits for each subject in so much time, counted where all who share them can see it.

use super::{StoreBase, maybe_async, rt};

mod acquire;
mod builder;
mod call;
mod lease;

use std::fmt;
use std::sync::Arc;

pub use self::builder::RateLimiterBuilder;
use crate::clock::Clock;
use crate::decision::{Decision, Outage};
use crate::engine::quota::{Leases, Terms};
use crate::error::Result;
use crate::event::Journal;
use crate::key::Prefix;
use crate::quota::Quota;
use crate::stats::Stats;

/// Counts what each subject (a user, an address, a key of an API) does against a [`Quota`].
///
/// A cheap clone: clones share everything. On Redis and Memcached all processes that use one name in one namespace count together,
/// in memory all limiters on clones of one [`Memory`](crate::Memory). A subject is any text but the empty one. Limiters
/// of one name have to agree on the quota: each decides by its own on what all have counted. Those of different algorithms
/// count apart.
///
/// ```
/// use lexigram_cache::{Memory, Quota, RateLimiter};
///
/// let logins = RateLimiter::new(&Memory::default(), "logins", Quota::per_minute(5))?;
/// let decision = logins.check("203.0.113.7")?;
/// assert!(decision.allowed);
/// assert_eq!(decision.remaining, 4);
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
///
/// # What it costs
/// A `check` is one step on the server: one round trip on Redis, by a script; on Memcached a read and, if permits are given, a
/// conditional write, again if another client was faster. In memory it is a short lock. A refusal writes nothing.
/// Nothing is kept of a subject that has all its permits.
///
/// # What it does not promise
/// * **On a server that evicts, a limit can be forgotten.** Memcached evicts when it is full, and so does Redis under a
///   `maxmemory-policy` other than `noeviction`. An evicted subject begins anew, as after a restart without data. In memory
///   nothing is evicted.
/// * **Redis replicates after it has answered.** Permits that a master gave in its last moments are not counted on the replica that takes over.
/// * **The time is the server's on Redis and the backend's own in memory; on Memcached, and on backends of others, it is each client's time of day.**
///   A client whose clock is ahead sees permits come back so much earlier, and others, who go by what it wrote, so much later. A clock that is set
///   forward gives back what would have come in that time; one that is set back gives nothing twice, and on Redis and in memory nobody
///   waits longer than if all permits were taken just then.
/// * **It is no queue.** Who waits in `acquire` is not served in order.
#[derive(Clone)]
pub struct RateLimiter {
    inner: Arc<Inner>,
}

struct Inner {
    base: StoreBase,
    keys: Prefix,
    terms: Terms,
    outage: Outage,
    /// In place of the server's.
    clock: Option<Clock>,
    leases: Option<Leases>,
    journal: Journal,
}

impl RateLimiter {
    /// A limiter that fails where its server does: with [`Outage::Error`], so that `?` or a `match` decides. Who wants the
    /// limiter to decide names how, by [`builder`](RateLimiter::builder).
    ///
    /// # Errors
    /// `Config` for a quota out of bounds or a timeout of zero, `InvalidKey` for an empty name.
    pub fn new(base: impl Into<StoreBase>, name: &str, quota: Quota) -> Result<RateLimiter> {
        RateLimiter::builder(base, name, quota, Outage::Error).build()
    }

    /// Begins a limiter on a backend, a cache or a [`StoreBase`]. What happens in an outage of its server has no
    /// default.
    ///
    /// ```
    /// use lexigram_cache::{Memory, Outage, Quota, RateLimiter};
    ///
    /// let quota = Quota::per_second(100).burst(20);
    /// let api = RateLimiter::builder(&Memory::default(), "api", quota, Outage::Open).lease(5).build()?;
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub fn builder(
        base: impl Into<StoreBase>,
        name: &str,
        quota: Quota,
        outage: Outage,
    ) -> RateLimiterBuilder {
        RateLimiterBuilder::new(base.into(), name, quota, outage)
    }

    /// The failures so far, of this limiter and its clones: [`errors`](Stats::errors), of which [`absorbed`](Stats::absorbed)
    /// became decisions without the server.
    pub fn stats(&self) -> Stats {
        self.inner.journal.counters.snapshot()
    }
}

#[maybe_async]
impl RateLimiter {
    /// Takes a permit, if there is one.
    ///
    /// # Errors
    /// `InvalidKey` for an empty subject; the backend's failures, as far as the [`Outage`] leaves them errors.
    ///
    /// # Cancel safety
    /// If the future is dropped, the permit may have been taken.
    pub async fn check(&self, subject: impl AsRef<str>) -> Result<Decision> {
        self.take("check", subject.as_ref(), 1).await
    }

    /// Takes so many permits, all or none.
    ///
    /// # Errors
    /// As [`check`](RateLimiter::check); `Config` for none, and for more than the quota can ever give at once.
    ///
    /// # Cancel safety
    /// If the future is dropped, the permits may have been taken.
    pub async fn check_n(&self, subject: impl AsRef<str>, n: u64) -> Result<Decision> {
        self.take("check_n", subject.as_ref(), n).await
    }

    /// What a [`check`](RateLimiter::check) would say. Takes nothing; `remaining` is all that is there.
    ///
    /// # Errors
    /// As [`check`](RateLimiter::check).
    pub async fn peek(&self, subject: impl AsRef<str>) -> Result<Decision> {
        self.look(subject.as_ref()).await
    }

    /// Gives a subject all its permits back; says whether it had taken any that are not back by themselves. Leases of
    /// other processes stay with them. One round trip.
    ///
    /// # Errors
    /// `InvalidKey` for an empty subject; the backend's failures, whatever the [`Outage`] is.
    ///
    /// # Cancel safety
    /// If the future is dropped, it may have been done.
    pub async fn reset(&self, subject: impl AsRef<str>) -> Result<bool> {
        self.forget(subject.as_ref()).await
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("base", &self.inner.base)
            .field("keys", &self.inner.keys.as_str())
            .field("terms", &self.inner.terms)
            .field("outage", &self.inner.outage)
            .finish_non_exhaustive()
    }
}
