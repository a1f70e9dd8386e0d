//! The settings behind a policy, and which of them make no sense.

use std::time::Duration;

use super::OnWaitTimeout;
use crate::error::{Error, ErrorKind, Result};
use crate::ttl::{Lifetime, Ttl};

/// Everything a policy says beside the lifetime.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Whether those who miss the same key share a load at all.
    pub(crate) enabled: bool,
    /// How much of the time that values are kept past their end counts; `None` is all of it.
    pub(crate) stale_for: Option<Duration>,
    pub(crate) refresh_ahead: Option<f64>,
    pub(crate) early: Option<f64>,
    pub(crate) jitter: Duration,
    /// Checked: neither zero nor too long.
    pub(crate) negative_ttl: Option<Ttl>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) force: bool,
    pub(crate) lock_ttl: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) retry_interval: Duration,
    pub(crate) on_wait_timeout: OnWaitTimeout,
    pub(crate) backoff: Duration,
    pub(crate) soft_limit: Option<Duration>,
    pub(crate) hard_limit: Option<Duration>,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            enabled: true,
            stale_for: None,
            refresh_ahead: None,
            early: None,
            jitter: Duration::ZERO,
            negative_ttl: None,
            max_age: None,
            force: false,
            lock_ttl: Duration::from_secs(30),
            max_wait: Duration::from_secs(10),
            retry_interval: Duration::from_millis(100),
            on_wait_timeout: OnWaitTimeout::Compute,
            backoff: Duration::from_secs(30),
            soft_limit: None,
            hard_limit: None,
        }
    }
}

impl Rules {
    /// Whether the age of a value that is there matters, so that a read has to ask for it.
    pub(crate) fn need_age(&self) -> bool {
        self.refresh_ahead.is_some() || self.early.is_some() || self.max_age.is_some() || self.force
    }

    /// Whether a value that is there will do whatever its age, and one that was loaded is stored as it is.
    #[inline]
    pub(crate) fn are_plain(&self) -> bool {
        self.enabled
            && !self.need_age()
            && self.jitter.is_zero()
            && self.negative_ttl.is_none()
            && self.hard_limit.is_none()
    }

    /// Whether a load that took so long may be stored. It is timed where there is a limit.
    pub(crate) fn in_time(&self, took: Option<Duration>) -> bool {
        self.hard_limit.is_none_or(|limit| took.is_none_or(|took| took < limit))
    }

    /// What a wait in vain comes to, where it is a failure.
    pub(crate) fn waited_in_vain(&self) -> Option<Error> {
        if self.hard_limit.is_some_and(|limit| limit < self.max_wait) {
            return Some(Error::hard_limit());
        }
        (self.on_wait_timeout == OnWaitTimeout::Error).then(Error::waited_in_vain)
    }

    /// How long a load took, if its value is to tell.
    pub(crate) fn told(&self, took: Option<Duration>) -> Option<Duration> {
        self.early.and(took)
    }

    /// # Errors
    /// `Config` with what is wrong and what to give instead; `InvalidTtl` for a lifetime that is none.
    pub(crate) fn check(&self, kept: Duration) -> Result<()> {
        let faults = [
            (
                self.lock_ttl < SHORTEST_LEASE,
                "lock_ttl is below 10 ms, so a load would lose its right to store before it ends; give for \
                 instance 30 s",
            ),
            (
                self.max_wait.is_zero(),
                "max_wait is zero, so nobody would share a load; switch it off with protection(false)",
            ),
            (
                self.retry_interval.is_zero(),
                "retry_interval is zero, so waiting would never pause; give for instance 100 ms",
            ),
            (
                self.refresh_ahead.is_some_and(|fraction| !(fraction > 0.0 && fraction < 1.0)),
                "refresh_ahead is a fraction of the lifetime, above 0 and below 1; give for instance 0.1",
            ),
            (
                self.early.is_some_and(|beta| !(beta >= 0.0 && beta.is_finite())),
                "early takes a factor of 0 or more; 1 is the optimum of the paper, more refreshes earlier",
            ),
            (
                self.stale_for.is_some_and(|stale_for| stale_for > kept),
                "stale_for is longer than the cache keeps values past their time; raise stale_for of \
                 Cache::builder()",
            ),
            (self.max_age.is_some_and(|age| age.is_zero()), "max_age is zero; use force() to load anew"),
            (
                self.hard_limit.is_some_and(|limit| limit.is_zero()),
                "hard_limit is zero, so no load could ever succeed; leave it out for none",
            ),
            (
                matches!((self.soft_limit, self.hard_limit), (Some(soft), Some(hard)) if soft >= hard),
                "soft_limit is not below hard_limit, so it would never come into play",
            ),
        ];
        if let Some((_, text)) = faults.into_iter().find(|(wrong, _)| *wrong) {
            return Err(Error::new(ErrorKind::Config, text));
        }
        self.negative_ttl.map_or(Ok(()), |ttl| ttl.resolve(Lifetime::Never).map(drop))
    }
}

/// A server answers within a few milliseconds at best; a lease has to outlive that.
const SHORTEST_LEASE: Duration = Duration::from_millis(10);
