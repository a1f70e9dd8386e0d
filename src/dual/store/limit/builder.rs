//! Building a rate limiter.

use super::{Inner, RateLimiter, StoreBase};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::decision::Outage;
use crate::engine::quota::{Leases, Terms};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Journal, Observer};
use crate::quota::Quota;

/// Settings of a [`RateLimiter`].
#[must_use = "nothing is made before build()"]
pub struct RateLimiterBuilder {
    base: StoreBase,
    name: String,
    quota: Quota,
    outage: Outage,
    lease: Option<u64>,
    clock: Option<Clock>,
    observer: Option<Arc<dyn Observer>>,
}

impl RateLimiterBuilder {
    pub(super) fn new(base: StoreBase, name: &str, quota: Quota, outage: Outage) -> RateLimiterBuilder {
        let name = name.to_owned();
        RateLimiterBuilder { base, name, quota, outage, lease: None, clock: None, observer: None }
    }

    /// Takes so many permits of a subject at once, and gives them out in this process without asking the server again: fewer round
    /// trips for subjects that do much. Who gets the last of the quota may have to ask twice.
    ///
    /// **A period can then admit so many more for each process,** since what was leased in one may be given out in the
    /// next: the quota and processes × `permits`. A permit that is leased here is not there for others, and is given up after a
    /// period. Defaults to none: each check asks the server.
    pub fn lease(mut self, permits: u64) -> RateLimiterBuilder {
        self.lease = Some(permits);
        self
    }

    /// Decides by this clock in place of the server's: for tests. All who share a name need the same one. Defaults to none.
    pub fn clock(mut self, clock: Clock) -> RateLimiterBuilder {
        self.clock = Some(clock);
        self
    }

    /// Who is told of failures: as [`Absorbed`](crate::EventKind::Absorbed) where a decision was made without the server, else
    /// as [`Failed`](crate::EventKind::Failed). Defaults to nobody.
    pub fn observer(mut self, observer: impl Observer) -> RateLimiterBuilder {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Makes the limiter; asks no server.
    ///
    /// # Errors
    /// `Config` for a quota or lease out of bounds or a timeout of zero, `InvalidKey` for an empty name. The text says what is
    /// allowed.
    pub fn build(self) -> Result<RateLimiter> {
        let base = self.base.clone();
        self.checked().map_err(|error| base.place("new", error))
    }

    fn checked(self) -> Result<RateLimiter> {
        let RateLimiterBuilder { base, name, quota, outage, lease, clock, observer } = self;
        let terms = Terms::new(&quota)?;
        let keys = base.keys("limit")?;
        // An empty name is refused as an empty key is.
        keys.key(&name)?;
        let keys = keys.within(&name).within(terms.algorithm.name());
        let leases = match lease {
            None => None,
            Some(size) => Some(leases(size, &terms, clock.clone().unwrap_or_default())?),
        };
        let journal = Journal::new(base.backend.name(), observer, true);
        let inner = Inner { base, keys, terms, outage, clock, leases, journal };
        Ok(RateLimiter { inner: Arc::new(inner) })
    }
}

fn leases(size: u64, terms: &Terms, clock: Clock) -> Result<Leases> {
    if !(1..=terms.burst).contains(&size) {
        let most = terms.burst;
        let text =
            format!("a lease of {size} permits; it can be 1 to {most}, which the quota can give at once");
        return Err(Error::new(ErrorKind::Config, text));
    }
    Ok(Leases::new(size, Duration::from_micros(terms.period), clock))
}

impl fmt::Debug for RateLimiterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiterBuilder")
            .field("base", &self.base)
            .field("name", &self.name)
            .field("quota", &self.quota)
            .field("outage", &self.outage)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
