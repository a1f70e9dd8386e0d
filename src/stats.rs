//! Counts of what a cache did: [`Stats`] is a snapshot, `Counters` what it is taken from.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a cache has done since it was built, as one snapshot.
///
/// The first six count this cache (all clones of one handle together). The others are the backend's and
/// `None` where it does not know them, as servers do not tell us.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Reads that found a value.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Loaders run.
    pub loads: u64,
    /// Calls that got their value from a load somebody else had begun.
    pub joined: u64,
    /// Stored bytes that were no value of the type asked for, and counted as a miss.
    pub decode_rejected: u64,
    /// Failures of the backend, those that cost their caller nothing included.
    pub errors: u64,
    /// Entries held now, including those whose expiry has not been noticed yet.
    pub entries: Option<u64>,
    /// Entries dropped to make room.
    pub evicted: Option<u64>,
    /// Entries dropped because their time was up.
    pub expired: Option<u64>,
    /// Values that another took the place of.
    pub replaced: Option<u64>,
    /// Entries removed by their name: `delete`, `delete_many`, `take`.
    pub removed: Option<u64>,
    /// Entries removed with others: `clear`, `delete_prefix`, `delete_pattern`.
    pub cleared: Option<u64>,
    /// What all entries weigh together, where that is bounded.
    pub weight: Option<u64>,
    /// Whether expired entries are removed in the background. `Some(false)` if the sweeper's thread
    /// could not be started; reads stay correct without it.
    pub sweeping: Option<bool>,
}

/// The counters of one cache.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) loads: Counter,
    pub(crate) joined: Counter,
    pub(crate) decode_rejected: Counter,
    pub(crate) errors: Counter,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            hits: self.hits.sum(),
            misses: self.misses.sum(),
            loads: self.loads.sum(),
            joined: self.joined.sum(),
            decode_rejected: self.decode_rejected.sum(),
            errors: self.errors.sum(),
            ..Stats::default()
        }
    }
}

/// A counter that threads do not fight over: each adds to a stripe of its own.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    stripes: [Stripe; STRIPES],
}

/// Two cache lines, since processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

const STRIPES: usize = 8;

impl Counter {
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        let stripe = STRIPE.with(|stripe| *stripe);
        self.stripes[stripe].0.fetch_add(n, Ordering::Relaxed);
    }

    fn sum(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

thread_local! {
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_between_threads() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| (0..1_000).for_each(|_| counter.add(1)));
            }
        });
        assert_eq!(counter.sum(), 2 * STRIPES as u64 * 1_000);
    }
}
