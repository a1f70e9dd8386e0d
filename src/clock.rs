//! The one door to time inside the process: monotonic, cheap to read, and movable by hand in tests.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::now::now;
use crate::ttl::{Lifetime, Remaining};

/// A monotonic clock for expiry.
///
/// The system clock does not see changes of the wall clock. A clock made by [`Clock::hand`] stands still
/// until it is moved.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Hand(Arc<AtomicU64>),
}

/// A point on a [`Clock`], in nanoseconds since it began; `NEVER` lies after all others.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) const NEVER: Moment = Moment(u64::MAX);

    /// So much earlier; never stays never.
    #[inline]
    pub(crate) fn minus(self, by: Duration) -> Moment {
        if self == Moment::NEVER || by.is_zero() { self } else { Moment(self.0.saturating_sub(nanos_of(by))) }
    }
}

impl Clock {
    /// A clock that only [`advance`](Clock::advance) moves. Clones move together.
    pub fn hand() -> Clock {
        Clock(Source::Hand(Arc::default()))
    }

    /// Moves a hand clock forward. Does nothing to the system clock, which nobody can move.
    pub fn advance(&self, by: Duration) {
        if let Source::Hand(nanos) = &self.0 {
            nanos.fetch_add(nanos_of(by), Ordering::SeqCst);
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment(self.exact())
    }

    /// Whole microseconds since it began.
    pub(crate) fn micros(&self) -> u64 {
        self.exact() / 1_000
    }

    /// When a value stored now ends.
    pub(crate) fn end_of(&self, lifetime: Lifetime) -> Moment {
        match lifetime {
            Lifetime::Never => Moment::NEVER,
            Lifetime::For(duration) => Moment(self.exact().saturating_add(nanos_of(duration))),
        }
    }

    /// Whether this moment has come. A value that never ends costs no clock read.
    #[inline(always)]
    pub(crate) fn has_passed(&self, moment: Moment) -> bool {
        moment != Moment::NEVER && self.has_come(moment)
    }

    fn has_come(&self, moment: Moment) -> bool {
        let Some(coarse) = self.coarse() else { return self.exact() >= moment.0 };
        // Only near the end is the difference between the two clocks worth an exact reading.
        if coarse.abs_diff(moment.0) > COARSE_ERROR { coarse >= moment.0 } else { self.exact() >= moment.0 }
    }

    /// What is left until this moment; `None` if it has come.
    pub(crate) fn until(&self, moment: Moment) -> Option<Remaining> {
        if moment == Moment::NEVER {
            return Some(Remaining::Never);
        }
        let left = moment.0.saturating_sub(self.exact());
        (left > 0).then(|| Remaining::For(Duration::from_nanos(left)))
    }

    fn exact(&self) -> u64 {
        match &self.0 {
            Source::System => nanos_of(now().saturating_duration_since(EPOCH.exact)),
            Source::Hand(nanos) => nanos.load(Ordering::SeqCst),
        }
    }

    /// The kernel's last tick, where it is on the same scale as `exact`; elsewhere the two may drift apart.
    fn coarse(&self) -> Option<u64> {
        match &self.0 {
            Source::System if cfg!(all(target_os = "linux", not(simulation))) => {
                Some(EPOCH.coarse.elapsed().as_nanos())
            }
            _ => None,
        }
    }
}

/// Both clocks' readings at one point.
struct Epoch {
    exact: Instant,
    coarse: coarsetime::Instant,
}

static EPOCH: LazyLock<Epoch> = LazyLock::new(|| Epoch { exact: now(), coarse: coarsetime::Instant::now() });

/// A coarse clock lags by up to one tick (10 ms at 100 Hz) at the epoch and again at each reading.
const COARSE_ERROR: u64 = 25_000_000;

fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_hand_clock_moves_only_by_hand() {
        let clock = Clock::hand();
        let end = clock.end_of(Lifetime::For(SECOND));
        assert_eq!(clock.until(end), Some(Remaining::For(SECOND)));
        clock.clone().advance(SECOND - Duration::from_nanos(1));
        assert!(!clock.has_passed(end));
        clock.advance(Duration::from_nanos(1));
        assert!(clock.has_passed(end));
        assert_eq!(clock.until(end), None);
    }

    #[test]
    fn never_does_not_come() {
        let clock = Clock::hand();
        clock.advance(Lifetime::MAX);
        assert!(!clock.has_passed(clock.end_of(Lifetime::Never)));
    }

    #[test]
    fn the_system_clock_ends_a_lifetime_to_the_microsecond() {
        let clock = Clock::default();
        let start = Instant::now();
        let end = clock.end_of(Lifetime::For(Duration::from_millis(30)));
        while !clock.has_passed(end) {
            std::hint::spin_loop();
        }
        assert!(start.elapsed() >= Duration::from_millis(30));
    }
}
