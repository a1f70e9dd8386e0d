//! One shard: an exact LRU list of values with expiry, and the leases of loads in flight.
//!
//! Methods run under the shard's lock, so they run no code of the user's: values are cloned as `Arc`s, and
//! displaced ones are handed out to be dropped after the lock is released.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use lru::LruCache;

use super::slot::{HashedKey, PassThroughBuilder, Probe, SlotKey};
use crate::clock::{Clock, Moment};
use crate::entry::{Condition, Found, Item, Object, Version};
use crate::ttl::Remaining;

pub(super) struct Shard {
    list: LruCache<SlotKey, Slot, PassThroughBuilder>,
    capacity: usize,
    /// Hash of the key → number of the lease. A key with an equal hash may void a lease needlessly,
    /// which costs one store; it can never keep one alive.
    leases: HashMap<u64, u64, PassThroughBuilder>,
    /// The last number given to a write or a lease of this shard.
    number: u64,
    pub(super) counts: Counts,
}

struct Slot {
    object: Arc<dyn Object>,
    end: Moment,
    number: u64,
}

impl Slot {
    /// Whether the value is past its time, be it kept for longer or not.
    #[inline]
    fn is_due(&self, key: &HashedKey<'_>, clock: &Clock) -> bool {
        clock.has_passed(self.end.minus(key.key.stale_for()))
    }

    fn found(&self, remaining: Option<Remaining>) -> Found {
        let item = Item::Object(Arc::clone(&self.object));
        Found { item, version: Some(Version::Number(self.number)), remaining }
    }
}

/// Why entries left.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) evicted: u64,
    pub(super) expired: u64,
    pub(super) removed: u64,
}

/// What adding to a counter came to.
pub(crate) enum Sum {
    Is(i64),
    Overflow,
    /// The value is kept as another type; only a codec can tell whether it is an integer.
    NotI64,
}

/// A displaced value; the caller drops it outside the lock.
pub(super) type Displaced = Option<Arc<dyn Object>>;

impl Shard {
    pub(super) fn new(capacity: usize) -> Shard {
        Shard {
            // Unbounded, since a bounded list reserves its whole capacity at once.
            list: LruCache::unbounded_with_hasher(PassThroughBuilder::default()),
            capacity,
            leases: HashMap::default(),
            number: 0,
            counts: Counts::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Reads the value alone, and makes the entry the most recently used.
    #[inline]
    pub(super) fn object(
        &mut self,
        key: &HashedKey<'_>,
        clock: &Clock,
    ) -> (Option<Arc<dyn Object>>, Displaced) {
        self.read(key, clock, |slot| Arc::clone(&slot.object))
    }

    /// Reads and makes the entry the most recently used.
    pub(super) fn get(&mut self, key: &HashedKey<'_>, clock: &Clock) -> (Option<Found>, Displaced) {
        self.read(key, clock, |slot| slot.found(None))
    }

    #[inline]
    fn read<R>(
        &mut self,
        key: &HashedKey<'_>,
        clock: &Clock,
        read: impl FnOnce(&Slot) -> R,
    ) -> (Option<R>, Displaced) {
        match self.list.get(key as &dyn Probe) {
            Some(slot) if !slot.is_due(key, clock) => (Some(read(slot)), None),
            Some(slot) if clock.has_passed(slot.end) => (None, self.expire(key)),
            _ => (None, None),
        }
    }

    /// [`get`](Shard::get) with what is left of the entry's stay, also where that is past its time.
    pub(super) fn get_aged(&mut self, key: &HashedKey<'_>, clock: &Clock) -> (Option<Found>, Displaced) {
        match self.list.get(key as &dyn Probe).map(|slot| (slot, clock.until(slot.end))) {
            Some((slot, left @ Some(_))) => (Some(slot.found(left)), None),
            Some((_, None)) => (None, self.expire(key)),
            None => (None, None),
        }
    }

    /// When the entry ends, if it is there; does not count as a use.
    pub(super) fn end(&self, key: &HashedKey<'_>, clock: &Clock) -> Option<Moment> {
        self.alive(key, clock).map(|slot| slot.end)
    }

    pub(super) fn store(
        &mut self,
        key: HashedKey<'_>,
        object: Arc<dyn Object>,
        end: Moment,
        condition: &Condition,
        clock: &Clock,
    ) -> (bool, Displaced) {
        if !self.allows(&key, condition, clock) {
            return (false, Some(object));
        }
        self.leases.remove(&key.hash);
        (true, self.insert(key, object, end))
    }

    /// Removes the entry and hands it out, with whether it was still alive; a load in flight loses its lease.
    pub(super) fn remove(
        &mut self,
        key: &HashedKey<'_>,
        version: Option<&Version>,
        clock: &Clock,
    ) -> (bool, Displaced) {
        if let Some(version) = version
            && !self.holds(key, version, clock)
        {
            return (false, None);
        }
        self.leases.remove(&key.hash);
        let Some(slot) = self.list.pop(key as &dyn Probe) else { return (false, None) };
        let alive = !slot.is_due(key, clock);
        *(if alive { &mut self.counts.removed } else { &mut self.counts.expired }) += 1;
        (alive, Some(slot.object))
    }

    pub(super) fn touch(&mut self, key: &HashedKey<'_>, end: Moment, clock: &Clock) -> bool {
        match self.list.peek_mut(key as &dyn Probe) {
            Some(slot) if !slot.is_due(key, clock) => {
                // A load that began before may not give the value its old lifetime back.
                self.number += 1;
                slot.number = self.number;
                slot.end = end;
                true
            }
            _ => false,
        }
    }

    /// Adds to a counter, or begins one.
    pub(super) fn add(
        &mut self,
        key: HashedKey<'_>,
        delta: i64,
        end: Moment,
        clock: &Clock,
    ) -> (Sum, Displaced) {
        self.leases.remove(&key.hash);
        self.number += 1;
        match self.list.get_mut(&key as &dyn Probe) {
            Some(slot) if !slot.is_due(&key, clock) => {
                let any: &dyn Any = &*slot.object;
                let Some(count) = any.downcast_ref::<i64>() else { return (Sum::NotI64, None) };
                let Some(sum) = count.checked_add(delta) else { return (Sum::Overflow, None) };
                slot.number = self.number;
                (Sum::Is(sum), Some(std::mem::replace(&mut slot.object, Arc::new(sum))))
            }
            _ => (Sum::Is(delta), self.insert(key, Arc::new(delta), end)),
        }
    }

    /// Removes what is due or unwanted; values go to `displaced`.
    pub(super) fn retain(
        &mut self,
        clock: &Clock,
        unwanted: impl Fn(&str) -> bool,
        displaced: &mut Vec<Arc<dyn Object>>,
    ) -> u64 {
        let (mut removed, mut expired) = (0, 0);
        self.list.retain(|key, slot| {
            let due = clock.has_passed(slot.end);
            let gone = due || unwanted(key.joined());
            if gone {
                displaced.push(Arc::clone(&slot.object));
                *(if due { &mut expired } else { &mut removed }) += 1;
            }
            !gone
        });
        self.counts.removed += removed;
        self.counts.expired += expired;
        removed
    }

    /// Takes the right to fill a key that holds nothing.
    pub(super) fn lease(&mut self, hash: u64) -> u64 {
        self.number += 1;
        self.leases.insert(hash, self.number);
        self.number
    }

    /// Stores only under a lease that nothing has voided since.
    pub(super) fn fill(
        &mut self,
        key: HashedKey<'_>,
        lease: u64,
        object: Arc<dyn Object>,
        end: Moment,
    ) -> (bool, Displaced) {
        if !self.abandon(key.hash, lease) {
            return (false, Some(object));
        }
        (true, self.insert(key, object, end))
    }

    /// Gives a lease back; tells whether it was still good.
    pub(super) fn abandon(&mut self, hash: u64, lease: u64) -> bool {
        let good = self.leases.get(&hash) == Some(&lease);
        if good {
            self.leases.remove(&hash);
        }
        good
    }

    /// Voids every lease: whoever removes by pattern cannot tell which keys are being loaded.
    pub(super) fn void_leases(&mut self) {
        self.leases.clear();
    }

    fn allows(&self, key: &HashedKey<'_>, condition: &Condition, clock: &Clock) -> bool {
        match condition {
            Condition::Always => true,
            Condition::Absent => self.alive(key, clock).is_none(),
            Condition::Present => self.alive(key, clock).is_some(),
            Condition::Unchanged(version) => self.holds(key, version, clock),
        }
    }

    fn alive(&self, key: &HashedKey<'_>, clock: &Clock) -> Option<&Slot> {
        self.list.peek(key as &dyn Probe).filter(|slot| !slot.is_due(key, clock))
    }

    /// Also of a value past its time, which a load may replace as long as it is kept.
    fn holds(&self, key: &HashedKey<'_>, version: &Version, clock: &Clock) -> bool {
        let slot = self.list.peek(key as &dyn Probe).filter(|slot| !clock.has_passed(slot.end));
        slot.is_some_and(|slot| Version::Number(slot.number) == *version)
    }

    /// Makes room first, so that the shard is never above its capacity.
    fn insert(&mut self, key: HashedKey<'_>, object: Arc<dyn Object>, end: Moment) -> Displaced {
        self.number += 1;
        let slot = Slot { object, end, number: self.number };
        if let Some(held) = self.list.get_mut(&key as &dyn Probe) {
            return Some(std::mem::replace(held, slot).object);
        }
        let mut displaced = None;
        if self.list.len() >= self.capacity {
            displaced = self.list.pop_lru().map(|(_, slot)| slot.object);
            self.counts.evicted += u64::from(displaced.is_some());
        }
        self.list.put(SlotKey::from(key), slot);
        displaced
    }

    fn expire(&mut self, key: &HashedKey<'_>) -> Displaced {
        self.counts.expired += 1;
        self.list.pop(key as &dyn Probe).map(|slot| slot.object)
    }
}
