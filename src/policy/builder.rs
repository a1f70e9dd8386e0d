//! Saying how a load is protected.

use std::time::Duration;

use super::{OnWaitTimeout, Policy, Rules};
use crate::error::{Error, ErrorKind, Result};
use crate::ttl::{Lifetime, Ttl};

/// Settings of a [`Policy`]. Those that are not given are the cache's own.
#[derive(Clone, Debug)]
#[must_use = "nothing is made before build()"]
pub struct PolicyBuilder {
    pub(crate) rules: Rules,
    ttl: Ttl,
    default_ttl: Lifetime,
    /// How long the cache keeps values past their time.
    kept: Duration,
}

impl PolicyBuilder {
    pub(crate) fn new(rules: Rules, default_ttl: Lifetime, kept: Duration) -> PolicyBuilder {
        PolicyBuilder { rules, ttl: Ttl::DEFAULT, default_ttl, kept }
    }

    /// How long a loaded value is fresh. Defaults to the cache's `default_ttl`.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> PolicyBuilder {
        self.ttl = ttl.into();
        self
    }

    /// How long past its time a value may still be served: while one caller reloads it, and where the load fails.
    /// At most what the cache keeps ([`CacheBuilder::stale_for`](crate::CacheBuilder::stale_for)), which is also the
    /// default.
    pub fn stale_for(mut self, stale_for: Duration) -> PolicyBuilder {
        self.rules.stale_for = Some(stale_for);
        self
    }

    /// The last part of the lifetime in which a read serves the value and has one caller reload it: a fraction
    /// above 0 and below 1. What is not loaded by the end of the lifetime is not stored, unless the cache keeps values for
    /// longer ([`CacheBuilder::stale_for`](crate::CacheBuilder::stale_for)). Defaults to none.
    pub fn refresh_ahead(mut self, fraction: f64) -> PolicyBuilder {
        self.rules.refresh_ahead = Some(fraction);
        self
    }

    /// Reloads a value by chance shortly before its time is up, the sooner the longer its load takes: XFetch with
    /// this β. 1 is optimal; more reloads earlier; 0 never reloads. The load time comes with the value where its
    /// format has a frame, else from the loads of this process. As with [`refresh_ahead`](PolicyBuilder::refresh_ahead), a
    /// load that outlasts the value is stored only where values are kept for longer. Defaults to none.
    ///
    /// Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
    pub fn early(mut self, beta: f64) -> PolicyBuilder {
        self.rules.early = Some(beta);
        self
    }

    /// Adds up to this much to the lifetime of each loaded value, evenly spread, so that values loaded together do
    /// not end together. Never beyond [`Lifetime::MAX`]. Defaults to none.
    pub fn jitter(mut self, jitter: Duration) -> PolicyBuilder {
        self.rules.jitter = jitter;
        self
    }

    /// How long a loaded `None` is remembered. Defaults to as long as any other value.
    pub fn negative_ttl(mut self, ttl: impl Into<Ttl>) -> PolicyBuilder {
        self.rules.negative_ttl = Some(ttl.into());
        self
    }

    /// Loads anew where the value is older than this. Its age is `ttl` less what is left of it, so values that
    /// never end, or were stored for longer than `ttl`, have none. Defaults to any age.
    pub fn max_age(mut self, max_age: Duration) -> PolicyBuilder {
        self.rules.max_age = Some(max_age);
        self
    }

    /// Loads anew whatever is there. The load is this caller's own; those who come meanwhile may share it.
    pub fn force(mut self) -> PolicyBuilder {
        self.rules.force = true;
        self
    }

    /// How long a load in one process keeps the other processes from loading, should that process die. While the
    /// load lasts it is renewed, each third of this time. At least 10 ms; on Memcached up to two seconds longer.
    /// Defaults to 30 s.
    pub fn lock_ttl(mut self, lock_ttl: Duration) -> PolicyBuilder {
        self.rules.lock_ttl = lock_ttl;
        self
    }

    /// How long a caller waits for somebody else's load. Defaults to 10 s.
    pub fn max_wait(mut self, max_wait: Duration) -> PolicyBuilder {
        self.rules.max_wait = max_wait;
        self
    }

    /// The longest pause between two looks for what another process is loading; they begin at 5 to 10 ms. Defaults
    /// to 100 ms.
    pub fn retry_interval(mut self, retry_interval: Duration) -> PolicyBuilder {
        self.rules.retry_interval = retry_interval;
        self
    }

    /// What a caller does that has waited in vain. Defaults to loading for itself.
    pub fn on_wait_timeout(mut self, then: OnWaitTimeout) -> PolicyBuilder {
        self.rules.on_wait_timeout = then;
        self
    }

    /// How long a failed reload of a value that can still be served keeps it from being tried again; zero tries at
    /// each read. Defaults to 30 s.
    pub fn backoff(mut self, backoff: Duration) -> PolicyBuilder {
        self.rules.backoff = backoff;
        self
    }

    /// How long a caller with a stale value at hand waits for a load before it takes that one; the load goes on.
    /// Has no effect on a caller that runs the loader itself. Defaults to not waiting at all.
    pub fn soft_limit(mut self, limit: Duration) -> PolicyBuilder {
        self.rules.soft_limit = Some(limit);
        self
    }

    /// How long a load may take; then it counts as failed, with `Timeout`. A task's loader is dropped. A thread's
    /// cannot be stopped: those who wait for it are told, and what it gives in the end goes to its own caller and
    /// is not stored. Defaults to no limit.
    pub fn hard_limit(mut self, limit: Duration) -> PolicyBuilder {
        self.rules.hard_limit = Some(limit);
        self
    }

    /// Makes the policy.
    ///
    /// # Errors
    /// `Config` for settings that make no sense: a `lock_ttl` below 10 ms, a `max_wait`, `retry_interval` or
    /// `max_age` of zero, a fraction outside (0, 1), a β below 0, a `stale_for` beyond what the cache keeps, a
    /// `soft_limit` that is not below the `hard_limit`, a `max_age` for values that never end. `InvalidTtl` for a
    /// lifetime of zero.
    pub fn build(self) -> Result<Policy> {
        self.rules.check(self.kept)?;
        let ttl = self.ttl.resolve(self.default_ttl)?;
        if self.rules.max_age.is_some() && ttl == Lifetime::Never {
            let text = "max_age cannot be told of values that never end; give a ttl too";
            return Err(Error::new(ErrorKind::Config, text));
        }
        Ok(Policy { rules: self.rules, ttl })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> PolicyBuilder {
        PolicyBuilder::new(Rules::default(), Lifetime::Never, Duration::from_secs(60))
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_with_advice() {
        let second = Duration::from_secs(1);
        let refused: [(&str, PolicyBuilder); 12] = [
            ("lock_ttl", builder().lock_ttl(Duration::from_millis(9))),
            ("max_wait", builder().max_wait(Duration::ZERO)),
            ("retry_interval", builder().retry_interval(Duration::ZERO)),
            ("refresh_ahead", builder().refresh_ahead(0.0)),
            ("refresh_ahead", builder().refresh_ahead(1.0)),
            ("refresh_ahead", builder().refresh_ahead(f64::NAN)),
            ("early", builder().early(-0.1)),
            ("early", builder().early(f64::INFINITY)),
            ("stale_for", builder().stale_for(Duration::from_secs(61))),
            ("max_age", builder().ttl(second).max_age(Duration::ZERO)),
            ("max_age", builder().max_age(second)),
            ("soft_limit", builder().soft_limit(second).hard_limit(second)),
        ];
        for (setting, builder) in refused {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(setting), "{error}");
        }
        assert_eq!(builder().ttl(Duration::ZERO).build().unwrap_err().kind(), ErrorKind::InvalidTtl);
        assert_eq!(builder().negative_ttl(Duration::ZERO).build().unwrap_err().kind(), ErrorKind::InvalidTtl);
    }

    #[test]
    fn what_lies_within_the_bounds_is_taken() {
        let policy = builder()
            .ttl(Duration::from_secs(10))
            .lock_ttl(Duration::from_millis(10))
            .refresh_ahead(0.5)
            .early(0.0)
            .stale_for(Duration::from_secs(60))
            .max_age(Duration::from_secs(1))
            .build()
            .unwrap();
        assert_eq!(policy.ttl, Lifetime::For(Duration::from_secs(10)));
    }
}
