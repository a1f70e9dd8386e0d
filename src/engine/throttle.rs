//! What need not be tried again yet: reloads that failed, or that another process is busy with.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::ttl::Lifetime;

/// Why a load is put off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pause {
    /// Another process is loading.
    Elsewhere,
    /// It failed.
    Failed,
}

/// Joined keys with the moment until which they are left alone.
#[derive(Default)]
pub(crate) struct Throttle {
    held: Mutex<Held>,
    clock: Clock,
}

#[derive(Default)]
struct Held {
    until: HashMap<String, (Moment, Pause)>,
    /// The size at which what is over is cleared away; doubles with what is left.
    limit: usize,
}

impl Throttle {
    pub(crate) fn new(clock: Clock) -> Throttle {
        Throttle { clock, ..Throttle::default() }
    }

    pub(crate) fn pause(&self, key: &str) -> Option<Pause> {
        let (until, pause) = *self.lock().until.get(key)?;
        (!self.clock.has_passed(until)).then_some(pause)
    }

    pub(crate) fn hold(&self, key: &str, time: Duration, pause: Pause) {
        let until = self.clock.end_of(Lifetime::For(time));
        let mut held = self.lock();
        if held.until.len() >= held.limit {
            held.until.retain(|_, (until, _)| !self.clock.has_passed(*until));
            held.limit = FEW.max(2 * held.until.len());
        }
        held.until.insert(key.to_owned(), (until, pause));
    }

    /// No user code runs under the lock, so a poisoned one still guards a whole table.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FEW: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_held_until_its_time_is_over() {
        let clock = Clock::hand();
        let throttle = Throttle::new(clock.clone());
        throttle.hold("k", Duration::from_secs(30), Pause::Failed);
        assert_eq!((throttle.pause("k"), throttle.pause("other")), (Some(Pause::Failed), None));
        clock.advance(Duration::from_secs(30));
        assert_eq!(throttle.pause("k"), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn what_is_over_does_not_pile_up() {
        let clock = Clock::hand();
        let throttle = Throttle::new(clock.clone());
        for n in 0..10_000 {
            throttle.hold(&n.to_string(), Duration::from_secs(1), Pause::Elsewhere);
            clock.advance(Duration::from_millis(500));
        }
        assert!(throttle.lock().until.len() <= FEW);
    }
}
