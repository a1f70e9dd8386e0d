//! Permits that were taken ahead, to be given out in this process without a round trip.
//!
//! Whatever is given out here was taken from the quota before, at most a lease per subject: so a time of one period admits what
//! the quota admits and one lease more per process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::decision::Decision;
use crate::ttl::Lifetime;

pub(crate) struct Leases {
    size: u64,
    /// After which what was not given out is forgotten.
    stay: Lifetime,
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    subjects: HashMap<String, Lease>,
    /// The size at which what is over is cleared away; doubles with what is left.
    limit: usize,
}

struct Lease {
    left: u64,
    /// What the server said with it.
    told: Decision,
    end: Moment,
    /// Whether somebody is at the server for more: one at a time, or this process would have more than a lease.
    fetching: bool,
    /// Until when no whole lease can be had.
    dry: Moment,
}

/// What to do for a caller.
pub(crate) enum Draw {
    /// Permits that were here.
    Here(Decision),
    /// Take a lease of so many.
    Fetch(u64),
    /// Take what the caller wants.
    Ask,
}

impl Leases {
    pub(crate) fn new(size: u64, period: Duration, clock: Clock) -> Leases {
        Leases { size, stay: Lifetime::For(period), clock, held: Mutex::default() }
    }

    /// Who is told to fetch says afterwards what came of it, by [`put`](Leases::put) or [`give_up`](Leases::give_up).
    pub(crate) fn draw(&self, subject: &str, n: u64) -> Draw {
        let mut held = self.lock();
        let Some(lease) = held.subjects.get_mut(subject) else {
            if n > self.size {
                return Draw::Ask;
            }
            held.make_room(&self.clock);
            let fetching =
                Lease { left: 0, told: NOTHING, end: Moment::NEVER, fetching: true, dry: self.clock.now() };
            held.subjects.insert(subject.to_owned(), fetching);
            return Draw::Fetch(self.size);
        };
        if self.clock.has_passed(lease.end) {
            lease.left = 0;
        }
        if lease.left >= n {
            lease.left -= n;
            return Draw::Here(lease.told.with_leased(lease.left));
        }
        if n > self.size || lease.fetching || !self.clock.has_passed(lease.dry) {
            return Draw::Ask;
        }
        lease.fetching = true;
        Draw::Fetch(self.size)
    }

    /// A lease that was granted, of which the caller has so many. Says what the caller is told.
    pub(crate) fn put(&self, subject: &str, n: u64, told: Decision) -> Decision {
        let mut held = self.lock();
        let Some(lease) = held.subjects.get_mut(subject) else { return told };
        lease.left = (lease.left + (self.size - n)).min(self.size);
        lease.told = told;
        lease.end = self.clock.end_of(self.stay);
        lease.fetching = false;
        told.with_leased(lease.left)
    }

    /// No lease was had; none can be for so long.
    pub(crate) fn give_up(&self, subject: &str, dry: Duration) {
        let mut held = self.lock();
        let Some(lease) = held.subjects.get_mut(subject) else { return };
        lease.fetching = false;
        if lease.left == 0 {
            lease.end = self.clock.end_of(self.stay);
        }
        if !dry.is_zero() {
            lease.dry = self.clock.end_of(Lifetime::For(dry));
        }
    }

    /// How many are here.
    pub(crate) fn left(&self, subject: &str) -> u64 {
        let held = self.lock();
        let lease = held.subjects.get(subject).filter(|lease| !self.clock.has_passed(lease.end));
        lease.map_or(0, |lease| lease.left)
    }

    pub(crate) fn forget(&self, subject: &str) {
        if let Some(lease) = self.lock().subjects.get_mut(subject) {
            (lease.left, lease.dry) = (0, self.clock.now());
        }
    }

    /// No user code runs under the lock, so a poisoned one still guards a whole table.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn make_room(&mut self, clock: &Clock) {
        if self.subjects.len() >= self.limit {
            self.subjects.retain(|_, lease| lease.fetching || !clock.has_passed(lease.end));
            self.limit = FEW.max(2 * self.subjects.len());
        }
    }
}

const FEW: usize = 64;

const NOTHING: Decision = Decision {
    allowed: true,
    remaining: 0,
    retry_after: Duration::ZERO,
    reset_after: Duration::ZERO,
    outage: None,
};
