//! Counts of what a cache did: [`Stats`] is a snapshot, `Counters` what it is taken from.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a cache has done since it was built, as one snapshot.
///
/// The first seven count this cache (all clones of one handle together). The others are the backend's and
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
    /// Those of `errors` that a cache which [degrades](crate::CacheBuilder::degrade) went on without.
    pub absorbed: u64,
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

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    Hits,
    Misses,
    Loads,
    Joined,
    DecodeRejected,
    Errors,
    Absorbed,
}

/// The counters of one cache, which threads do not fight over: the first [`SEATS`] threads of the process have a stripe
/// each to themselves, and add to it without an atomic step; all others share a few.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    own: [Stripe; SEATS],
    shared: [Stripe; SHARED],
}

/// Two cache lines, since processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; COUNTS]);

const COUNTS: usize = Count::Absorbed as usize + 1;
const SEATS: usize = 32;
const SHARED: usize = 8;

impl Counters {
    #[inline(always)]
    pub(crate) fn add(&self, count: Count, n: u64) {
        match self.own.get(seat::taken()) {
            // Nobody else writes here, so nothing comes between the two steps.
            Some(Stripe(counts)) => {
                let held = counts[count as usize].load(Ordering::Relaxed);
                counts[count as usize].store(held.wrapping_add(n), Ordering::Relaxed);
            }
            None => self.add_unseated(count, n),
        }
    }

    #[cold]
    fn add_unseated(&self, count: Count, n: u64) {
        let seat = seat::of_this_thread();
        if seat < SEATS {
            return self.add(count, n);
        }
        let Stripe(counts) = &self.shared[seat % SHARED];
        counts[count as usize].fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            hits: self.sum(Count::Hits),
            misses: self.sum(Count::Misses),
            loads: self.sum(Count::Loads),
            joined: self.sum(Count::Joined),
            decode_rejected: self.sum(Count::DecodeRejected),
            errors: self.sum(Count::Errors),
            absorbed: self.sum(Count::Absorbed),
            ..Stats::default()
        }
    }

    fn sum(&self, count: Count) -> u64 {
        let stripes = self.own.iter().chain(&self.shared);
        stripes.map(|Stripe(counts)| counts[count as usize].load(Ordering::Relaxed)).sum()
    }
}

/// A number for each thread, as low as there is one free; given back when the thread ends.
mod seat {
    use std::cell::Cell;
    use std::collections::BTreeSet;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// The seat this thread has; a large number before it has one.
    #[inline(always)]
    pub(super) fn taken() -> usize {
        SEAT.with(Cell::get)
    }

    pub(super) fn of_this_thread() -> usize {
        match taken() {
            UNSEATED => sit_down(),
            seat => seat,
        }
    }

    fn sit_down() -> usize {
        // At the end of a thread its seat may be gone already; others stand there too, so they count in turns.
        let seat = LEAVING.try_with(|Leaving(seat)| *seat).unwrap_or(STANDING);
        SEAT.set(seat);
        seat
    }

    /// Gives the seat back. Who takes it next has seen all that was counted in it, by the lock.
    struct Leaving(usize);

    impl Drop for Leaving {
        fn drop(&mut self) {
            SEAT.set(STANDING);
            seats().free.insert(self.0);
        }
    }

    struct Seats {
        free: BTreeSet<usize>,
        next: usize,
    }

    static SEATS: Mutex<Seats> = Mutex::new(Seats { free: BTreeSet::new(), next: 0 });

    const UNSEATED: usize = usize::MAX;
    const STANDING: usize = usize::MAX - 1;

    thread_local! {
        static SEAT: Cell<usize> = const { Cell::new(UNSEATED) };
        static LEAVING: Leaving = Leaving(take());
    }

    fn take() -> usize {
        let mut seats = seats();
        seats.free.pop_first().unwrap_or_else(|| {
            seats.next += 1;
            seats.next - 1
        })
    }

    /// Each step under the lock leaves it whole.
    fn seats() -> MutexGuard<'static, Seats> {
        SEATS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_between_threads() {
        let counters = Counters::default();
        for _ in 0..3 {
            std::thread::scope(|scope| {
                for _ in 0..2 * SEATS {
                    scope.spawn(|| (0..1_000).for_each(|_| counters.add(Count::Loads, 1)));
                }
            });
        }
        let stats = counters.snapshot();
        assert_eq!((stats.loads, stats.hits), (3 * 2 * SEATS as u64 * 1_000, 0));
    }

    #[test]
    fn what_a_thread_counts_at_its_very_end_counts() {
        struct Late(std::sync::Arc<Counters>);
        impl Drop for Late {
            fn drop(&mut self) {
                self.0.add(Count::Hits, 1);
            }
        }
        thread_local! {
            static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) };
        }
        let counters = std::sync::Arc::new(Counters::default());
        for early in [true, false] {
            let counters = counters.clone();
            let thread = std::thread::spawn(move || {
                // Which of the two ends first depends on which was first in use.
                if early {
                    counters.add(Count::Hits, 1);
                }
                LATE.with_borrow_mut(|late| *late = Some(Late(counters.clone())));
                counters.add(Count::Hits, 1);
            });
            thread.join().unwrap();
        }
        assert_eq!(counters.snapshot().hits, 5);
    }
}
