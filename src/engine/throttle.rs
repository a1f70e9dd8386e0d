//! What need not be tried again yet: reloads that failed, or that another process is busy with.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::ttl::Lifetime;

/// Joined keys with the moment until which they are left alone.
#[derive(Default)]
pub(crate) struct Throttle {
    held: Mutex<Held>,
    clock: Clock,
}

#[derive(Default)]
struct Held {
    until: HashMap<String, Moment>,
    /// The size at which what is over is cleared away; doubles with what is left.
    limit: usize,
}

impl Throttle {
    pub(crate) fn new(clock: Clock) -> Throttle {
        Throttle { clock, ..Throttle::default() }
    }

    pub(crate) fn holds(&self, key: &str) -> bool {
        self.lock().until.get(key).is_some_and(|until| !self.clock.has_passed(*until))
    }

    pub(crate) fn hold(&self, key: &str, pause: Duration) {
        let until = self.clock.end_of(Lifetime::For(pause));
        let mut held = self.lock();
        if held.until.len() >= held.limit {
            held.until.retain(|_, until| !self.clock.has_passed(*until));
            held.limit = FEW.max(2 * held.until.len());
        }
        held.until.insert(key.to_owned(), until);
    }

    pub(crate) fn release(&self, key: &str) {
        self.lock().until.remove(key);
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
    fn a_key_is_held_until_its_time_is_over_or_it_is_released() {
        let clock = Clock::hand();
        let throttle = Throttle::new(clock.clone());
        throttle.hold("k", Duration::from_secs(30));
        assert!(throttle.holds("k") && !throttle.holds("other"));
        clock.advance(Duration::from_secs(30));
        assert!(!throttle.holds("k"));
        throttle.hold("k", Duration::from_secs(30));
        throttle.release("k");
        assert!(!throttle.holds("k"));
    }

    #[test]
    fn what_is_over_does_not_pile_up() {
        let clock = Clock::hand();
        let throttle = Throttle::new(clock.clone());
        for n in 0..10_000 {
            throttle.hold(&n.to_string(), Duration::from_secs(1));
            clock.advance(Duration::from_millis(500));
        }
        assert!(throttle.lock().until.len() <= FEW);
    }
}
