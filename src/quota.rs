//! What a rate limiter is asked to keep: so many permits in so much time.

use std::time::Duration;

/// How many permits a subject has, and in what time they come back.
///
/// What is written here is checked where a [`RateLimiter`](crate::RateLimiter) is built of it.
///
/// | | admits at once | in any time of one period | permits come back | state |
/// |---|---|---|---|---|
/// | GCRA, unless another is named | the burst | at most the limit and the burst | one by one, evenly | a number |
/// | [`fixed_window`](Quota::fixed_window) | the limit | at most twice the limit, less one | all together, a period after the first was taken | a time and a count |
/// | [`sliding_window`](Quota::sliding_window) | the limit | **at most the limit** | as they were taken, a period later, and up to a sixteenth of one more | up to 18 times and counts |
///
/// ```
/// use lexigram_cache::Quota;
/// use std::time::Duration;
///
/// let api = Quota::per_minute(100); // 100 at once, then one each 600 ms
/// let even = Quota::per_second(50).burst(1); // one each 20 ms
/// let logins = Quota::new(5, Duration::from_secs(900)).fixed_window(); // 5, then none until 15 minutes are over
/// let upstream = Quota::per_hour(1_000).sliding_window(); // never more than 1,000 in any hour
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Quota {
    limit: u64,
    period: Duration,
    burst: Option<u64>,
    algorithm: Algorithm,
}

/// How a quota is kept.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Algorithm {
    Gcra,
    FixedWindow,
    SlidingWindow,
}

impl Quota {
    /// So many permits in each second.
    pub const fn per_second(limit: u64) -> Quota {
        Quota::new(limit, Duration::from_secs(1))
    }

    /// So many permits in each minute.
    pub const fn per_minute(limit: u64) -> Quota {
        Quota::new(limit, Duration::from_secs(60))
    }

    /// So many permits in each hour.
    pub const fn per_hour(limit: u64) -> Quota {
        Quota::new(limit, Duration::from_secs(60 * 60))
    }

    /// So many permits, 1 to 1,000,000,000, in each period of a millisecond to 366 days. Fractions of a microsecond are
    /// rounded up.
    pub const fn new(limit: u64, period: Duration) -> Quota {
        Quota { limit, period, burst: None, algorithm: Algorithm::Gcra }
    }

    /// How many permits a subject that has taken none for long can take at once, of GCRA only. A smaller burst spaces calls
    /// more evenly. Defaults to the limit.
    #[must_use]
    pub const fn burst(self, burst: u64) -> Quota {
        Quota { burst: Some(burst), ..self }
    }

    /// Counts in a window that begins with the first permit and lasts one period; then all are there again.
    #[must_use]
    pub const fn fixed_window(self) -> Quota {
        Quota { algorithm: Algorithm::FixedWindow, ..self }
    }

    /// Counts what was taken in the last period, in parts of a sixteenth of it: never more than the limit in any time of one
    /// period. A part is given back once the last permit in it is a period old.
    #[must_use]
    pub const fn sliding_window(self) -> Quota {
        Quota { algorithm: Algorithm::SlidingWindow, ..self }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn period(&self) -> Duration {
        self.period
    }

    /// The burst, where one was named.
    pub(crate) fn named_burst(&self) -> Option<u64> {
        self.burst
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Algorithm {
    /// As keys have it: limiters of one name that count in different ways do not read each other's states.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Gcra => "gcra",
            Algorithm::FixedWindow => "fixed",
            Algorithm::SlidingWindow => "sliding",
        }
    }
}
