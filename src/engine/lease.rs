//! The locks of one memory: a table of its own, from which nothing is evicted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Seed;
use crate::clock::{Clock, Moment};
use crate::key::{Key, KeyText};
use crate::lock::{Claim, Unlocked};
use crate::now::unix_micros;
use crate::ttl::Lifetime;

/// Locks by joined key.
pub(crate) struct Leases {
    held: Mutex<Held>,
    clock: Clock,
    /// The next fencing number. All locks share it, so nothing has to be kept of a name that nobody uses any more.
    fencing: AtomicU64,
}

#[derive(Default)]
struct Held {
    locks: HashMap<KeyText, Lease, Seed>,
    /// The size at which what is over is cleared away; doubles with what is left.
    limit: usize,
}

struct Lease {
    token: Box<str>,
    fencing: u64,
    end: Moment,
}

impl Leases {
    pub(crate) fn new(clock: Clock) -> Leases {
        // Above all numbers of an earlier process, which gave fewer than one in a microsecond.
        Leases { held: Mutex::default(), clock, fencing: AtomicU64::new(unix_micros()) }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Takes a lock that nobody holds; answers with its fencing number.
    pub(crate) fn lock(&self, claim: &Claim<'_>) -> Option<u64> {
        let mut held = self.lock_table();
        let key = claim.key.kept();
        if held.locks.get(&key).is_some_and(|lease| !self.clock.has_passed(lease.end)) {
            return None;
        }
        if held.locks.len() >= held.limit {
            held.locks.retain(|_, lease| !self.clock.has_passed(lease.end));
            held.limit = FEW.max(2 * held.locks.len());
        }
        // Numbered under the lock, or two locks of one name could change places.
        let fencing = self.fencing.fetch_add(1, Ordering::Relaxed);
        held.locks.insert(key, Lease { token: claim.token.into(), fencing, end: self.end(claim.hold) });
        Some(fencing)
    }

    /// Holds a lock for so much longer from now, if it still is this token's; answers with its fencing number.
    pub(crate) fn keep(&self, claim: &Claim<'_>) -> Option<u64> {
        let mut held = self.lock_table();
        let lease = held.locks.get_mut(&claim.key.kept())?;
        if &*lease.token != claim.token || self.clock.has_passed(lease.end) {
            return None;
        }
        lease.end = self.end(claim.hold);
        Some(lease.fencing)
    }

    pub(crate) fn unlock(&self, claim: &Claim<'_>) -> Unlocked {
        let mut held = self.lock_table();
        let key = claim.key.kept();
        let Some(lease) = held.locks.get(&key) else { return Unlocked::Absent };
        let (is_over, is_ours) = (self.clock.has_passed(lease.end), &*lease.token == claim.token);
        if is_over || is_ours {
            held.locks.remove(&key);
        }
        match (is_over, is_ours) {
            (true, _) => Unlocked::Absent,
            (false, true) => Unlocked::Released,
            (false, false) => Unlocked::Foreign,
        }
    }

    pub(crate) fn is_locked(&self, key: &Key<'_>) -> bool {
        let held = self.lock_table();
        held.locks.get(&key.kept()).is_some_and(|lease| !self.clock.has_passed(lease.end))
    }

    fn end(&self, hold: Duration) -> Moment {
        self.clock.end_of(Lifetime::For(hold))
    }

    /// No user code runs under the lock, so a poisoned one still guards a whole table.
    fn lock_table(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FEW: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Prefix;

    const SECOND: Duration = Duration::from_secs(1);

    fn claim<'a>(prefix: &'a Prefix, name: &'a str, token: &'a str) -> Claim<'a> {
        let key = prefix.key(name).unwrap();
        Claim { key, fence: key, token, hold: SECOND, replicas: 0, wait: None }
    }

    #[test]
    fn a_lock_is_one_tokens_until_its_time_is_over() {
        let (clock, prefix) = (Clock::hand(), Prefix::default());
        let leases = Leases::new(clock.clone());
        let (mine, other) = (claim(&prefix, "k", "a"), claim(&prefix, "k", "b"));
        let first = leases.lock(&mine).unwrap();
        assert_eq!((leases.lock(&other), leases.keep(&other)), (None, None));
        assert_eq!(leases.unlock(&other), Unlocked::Foreign);
        clock.advance(SECOND / 2);
        assert_eq!(leases.keep(&mine), Some(first));
        clock.advance(SECOND / 2);
        assert!(leases.is_locked(&mine.key));
        clock.advance(SECOND / 2);
        assert_eq!((leases.keep(&mine), leases.unlock(&mine)), (None, Unlocked::Absent));
        assert!(leases.lock(&other).unwrap() > first);
        assert_eq!((leases.unlock(&mine), leases.unlock(&other)), (Unlocked::Foreign, Unlocked::Released));
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn what_is_over_does_not_pile_up() {
        let (clock, prefix) = (Clock::hand(), Prefix::default());
        let leases = Leases::new(clock.clone());
        for n in 0..10_000 {
            leases.lock(&claim(&prefix, &n.to_string(), "a")).unwrap();
            clock.advance(SECOND / 2);
        }
        assert!(leases.lock_table().locks.len() <= FEW);
    }
}
