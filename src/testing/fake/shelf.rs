//! What a fake server holds: values and leases by key, as Redis keeps them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::entry::{Ask, Condition, Entry, Lease, Lookup, Page, Version};
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::ttl::{Lifetime, Remaining};

/// Names in a page, few enough for a test to see more than one.
const PAGE: usize = 100;

#[derive(Debug)]
pub(crate) struct Shelf {
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    places: BTreeMap<String, Place>,
    /// The last write's.
    number: u64,
}

#[derive(Debug)]
struct Place {
    /// A value, or nothing where it stands for a lease.
    bytes: Option<Vec<u8>>,
    end: Moment,
    /// Which write it came from; no other has it.
    number: u64,
}

impl Place {
    fn version(&self) -> Version {
        Version::Number(self.number)
    }
}

impl Shelf {
    pub(crate) fn new(clock: Clock) -> Shelf {
        Shelf { clock, held: Mutex::default() }
    }

    /// The value, if its time is not up.
    pub(crate) fn get(&self, key: &Key<'_>) -> Option<Entry> {
        let mut held = self.held();
        held.value(key, &self.clock).and_then(|place| self.entry(place))
    }

    pub(crate) fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
    ) -> bool {
        let mut held = self.held();
        let allowed = match condition {
            Condition::Always => true,
            Condition::Absent => held.value(key, &self.clock).is_none(),
            Condition::Present => held.value(key, &self.clock).is_some(),
            Condition::Unchanged(version) => {
                held.place(key, &self.clock).is_some_and(|place| place.version() == *version)
            }
        };
        if allowed {
            held.put(key, Some(bytes.to_vec()), self.clock.end_of(lifetime));
        }
        allowed
    }

    /// Removes whatever is there, or this version of it; says whether that was a value.
    pub(crate) fn remove(&self, key: &Key<'_>, version: Option<&Version>) -> bool {
        let mut held = self.held();
        match version {
            None => {
                let was_value = held.value(key, &self.clock).is_some();
                held.places.remove(&key.joined());
                was_value
            }
            Some(version) => {
                let same = held.place(key, &self.clock).is_some_and(|place| place.version() == *version);
                if same {
                    held.places.remove(&key.joined());
                }
                same
            }
        }
    }

    pub(crate) fn take(&self, key: &Key<'_>) -> Option<Entry> {
        let mut held = self.held();
        let entry = held.value(key, &self.clock).and_then(|place| self.entry(place));
        held.places.remove(&key.joined());
        entry
    }

    pub(crate) fn touch(&self, key: &Key<'_>, lifetime: Lifetime) -> bool {
        let mut held = self.held();
        let Some(place) = held.value(key, &self.clock) else { return false };
        let bytes = place.bytes.take();
        held.put(key, bytes, self.clock.end_of(lifetime));
        true
    }

    /// What is left of the value's lifetime, without what it is kept beyond that.
    pub(crate) fn remaining(&self, key: &Key<'_>) -> Option<Remaining> {
        let mut held = self.held();
        let end = held.value(key, &self.clock)?.end;
        self.clock.until(end.minus(key.stale_for()))
    }

    /// Changes a value as one step, and keeps its end; `lifetime` is for one that is made.
    ///
    /// # Errors
    /// `change`'s own.
    pub(crate) fn change<R, E>(
        &self,
        key: &Key<'_>,
        lifetime: Lifetime,
        change: impl FnOnce(Option<&[u8]>) -> Result<(Vec<u8>, R), E>,
    ) -> Result<R, E> {
        let mut held = self.held();
        let (end, changed) = match held.value(key, &self.clock) {
            Some(place) => (place.end, change(place.bytes.as_deref())?),
            None => (self.clock.end_of(lifetime), change(None)?),
        };
        held.put(key, Some(changed.0), end);
        Ok(changed.1)
    }

    pub(crate) fn lookup(&self, key: &Key<'_>, ask: Ask) -> Lookup {
        let mut held = self.held();
        // Who looks by age sees what is kept beyond its time as well.
        let seen = match ask {
            Ask::Value => held.value(key, &self.clock),
            Ask::Age | Ask::Lease(_) => held.place(key, &self.clock).filter(|place| place.bytes.is_some()),
        };
        if let Some(entry) = seen.and_then(|place| self.entry(place)) {
            return Lookup::Hit(entry);
        }
        match (held.place(key, &self.clock), ask) {
            (Some(Place { bytes: None, number, .. }), _) => Lookup::Busy(Version::Number(*number)),
            (_, Ask::Lease(hold)) => {
                let number = held.put(key, None, self.clock.end_of(Lifetime::For(hold)));
                Lookup::Lease(Lease { token: Some(Version::Number(number)) })
            }
            _ => Lookup::Absent,
        }
    }

    /// Holds a lease for so much longer from now; says whether it was still good.
    pub(crate) fn renew(&self, key: &Key<'_>, lease: &Lease, hold: Duration) -> bool {
        let end = self.clock.end_of(Lifetime::For(hold));
        let mut held = self.held();
        match (held.place(key, &self.clock), &lease.token) {
            (Some(place), Some(token)) if place.bytes.is_none() && place.version() == *token => {
                place.end = end;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern) -> u64 {
        let mut held = self.held();
        let meant =
            |joined: &str| joined.strip_prefix(prefix.as_str()).is_some_and(|name| pattern.matches(name));
        let alive = |place: &Place| {
            place.bytes.is_some() && !self.clock.has_passed(place.end.minus(prefix.stale_for()))
        };
        let mut removed = 0;
        held.places.retain(|joined, place| {
            let goes = meant(joined);
            removed += u64::from(goes && alive(place));
            !goes
        });
        removed
    }

    /// A stretch of the names in a namespace that fit, in order.
    pub(crate) fn list(&self, prefix: &Prefix, pattern: &Pattern, from: Option<&str>) -> Page {
        let after = from.map_or(Bound::Unbounded, |last| Bound::Excluded(last.to_owned()));
        let held = self.held();
        let fresh = |place: &Place| {
            place.bytes.is_some() && !self.clock.has_passed(place.end.minus(prefix.stale_for()))
        };
        let fits = |(key, place): (&String, &Place)| {
            let name = key.strip_prefix(prefix.as_str()).filter(|name| pattern.matches(name))?;
            fresh(place).then(|| (key.clone(), name.to_owned()))
        };
        let met: Vec<_> = held.places.range((after, Bound::Unbounded)).filter_map(fits).take(PAGE).collect();
        let next = met.last().filter(|_| met.len() == PAGE).map(|(key, _)| key.clone());
        Page { names: met.into_iter().map(|(_, name)| name).collect(), next }
    }

    /// The keys of all values whose time is not up, in order. What is kept beyond its time is among them.
    pub(crate) fn keys(&self) -> Vec<String> {
        let alive = |place: &Place| place.bytes.is_some() && !self.clock.has_passed(place.end);
        self.held().places.iter().filter(|(_, place)| alive(place)).map(|(key, _)| key.clone()).collect()
    }

    /// As a server that is started anew: nothing is there.
    pub(crate) fn lose_all(&self) {
        self.held().places.clear();
    }

    fn entry(&self, place: &mut Place) -> Option<Entry> {
        Some(Entry {
            bytes: place.bytes.clone()?,
            version: Some(place.version()),
            remaining: self.clock.until(place.end),
        })
    }

    /// Each step leaves whole places.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// What is there, value or lease, also one that is kept beyond its time.
    fn place(&mut self, key: &Key<'_>, clock: &Clock) -> Option<&mut Place> {
        self.places.get_mut(&key.joined()).filter(|place| !clock.has_passed(place.end))
    }

    /// The value whose time is not up.
    fn value(&mut self, key: &Key<'_>, clock: &Clock) -> Option<&mut Place> {
        let fresh =
            |place: &&mut Place| place.bytes.is_some() && !clock.has_passed(place.end.minus(key.stale_for()));
        self.place(key, clock).filter(fresh)
    }

    fn put(&mut self, key: &Key<'_>, bytes: Option<Vec<u8>>, end: Moment) -> u64 {
        self.number += 1;
        self.places.insert(key.joined(), Place { bytes, end, number: self.number });
        self.number
    }
}
