//! One shard: its entries, and the loads of its keys in flight.
//!
//! Methods run under the shard's lock, so they run no code of the user's but a view of a value:
//! values are cloned as `Arc`s, and what is displaced goes into a [`Leaving`], to part with after the lock is released.

use std::any::Any;
use std::sync::Arc;

use super::common::Common;
use super::gone::{Gone, Leaving};
use super::loads::{Landed, Loads};
use super::lone::Lone;
use super::queues::Queues;
use super::slab::{Held, HeldMut};
use super::slot::HashedKey;
use crate::clock::{Clock, Moment};
use crate::engine::flight::Flight;
use crate::entry::{Condition, Found, Lease, Lookup, Object, Version};
use crate::key::KeyText;
use crate::removal::RemovalCause;

/// What a hit needs comes first.
#[repr(C)]
pub(super) struct Shard {
    pub(super) queues: Queues,
    pub(super) loads: Loads,
    /// The last number given to a write, a lease or a leader of this shard. No entry comes without one.
    pub(super) number: u64,
}

/// A value on its way in.
pub(crate) struct Incoming {
    pub(super) object: Arc<dyn Object>,
    pub(super) end: Moment,
    /// In units of the budget.
    pub(super) weight: u32,
}

/// What became of a write. The value is taken only where it is stored, so that it is never dropped under the lock.
#[must_use]
pub(super) enum Stored {
    Yes,
    /// The condition does not hold.
    No,
    /// Other shards have to give something up first; here nothing has changed but who may have left.
    Full,
}

/// Those who wait for a load, and what they get.
pub(super) type Waiting = (Arc<Flight>, Arc<dyn Object>);

/// What adding to a counter came to.
pub(crate) enum Sum {
    Is(i64),
    Overflow,
    /// The value is kept as another type; only a codec can tell whether it is an integer.
    NotI64,
}

impl Shard {
    pub(super) fn new() -> Shard {
        Shard { queues: Queues::new(), loads: Loads::default(), number: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.queues.len()
    }

    /// When the entry ends, if it is there; does not count as a use.
    pub(super) fn end(&self, key: &HashedKey<'_>, clock: &Clock) -> Option<Moment> {
        self.alive(key, clock).map(|held| held.slot.end)
    }

    pub(super) fn store(
        &mut self,
        key: &HashedKey<'_>,
        incoming: &mut Option<Incoming>,
        condition: &Condition,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Stored {
        if !self.allows(key, condition, &common.clock) {
            return Stored::No;
        }
        if !self.put(key, incoming, common, leaving) {
            return Stored::Full;
        }
        self.loads.void(key);
        Stored::Yes
    }

    /// Removes the entry and says what was still alive of it; a load in flight may not fill the key any more.
    pub(super) fn take(
        &mut self,
        key: &HashedKey<'_>,
        version: Option<&Version>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Option<Arc<dyn Object>> {
        if version.is_some_and(|version| !self.holds(key, version, &common.clock)) {
            return None;
        }
        self.loads.void(key);
        let alive = self.alive(key, &common.clock).map(|held| Arc::clone(held.object));
        let cause = if alive.is_some() { RemovalCause::Deleted } else { RemovalCause::Expired };
        self.leave(key, cause, common, leaving);
        alive
    }

    pub(super) fn touch(&mut self, key: &HashedKey<'_>, end: Moment, clock: &Clock) -> bool {
        // A load that began before may not give the value its old lifetime back.
        self.loads.void(key);
        let number = self.next() as u32;
        match self.queues.peek_mut(key) {
            Some(slot) if !slot.is_due(key, clock) => {
                (slot.number, slot.end) = (number, end);
                true
            }
            _ => false,
        }
    }

    /// Adds to a counter that is there; `None` if there is none.
    pub(super) fn add(
        &mut self,
        key: &HashedKey<'_>,
        delta: i64,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Option<Sum> {
        let number = self.next() as u32;
        let held = self.queues.read(key, common.eviction);
        let HeldMut { slot, object } = held.filter(|held| !held.slot.is_due(key, &common.clock))?;
        let any: &dyn Any = &**object;
        let Some(count) = any.downcast_ref::<i64>() else { return Some(Sum::NotI64) };
        let Some(sum) = count.checked_add(delta) else { return Some(Sum::Overflow) };
        slot.number = number;
        let object = std::mem::replace(object, Arc::new(sum));
        leaving.push(Gone { key: key.key.kept(), object, cause: RemovalCause::Replaced });
        self.loads.void(key);
        Some(Sum::Is(sum))
    }

    /// Takes the right to fill a key that holds nothing; or says what somebody has stored meanwhile.
    pub(super) fn lease(
        &mut self,
        key: &HashedKey<'_>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Lookup<Found> {
        if let Some(held) = self.queues.peek(key) {
            match held.aged(&common.clock) {
                Some(found) => return Lookup::Hit(found),
                None => self.leave(key, RemovalCause::Expired, common, leaving),
            }
        }
        let number = self.next();
        self.loads.lease(key, number);
        Lookup::Lease(Lease { token: Some(Version::Number(number)) })
    }

    /// Stores only under a lease that nothing has voided since.
    pub(super) fn fill(
        &mut self,
        key: &HashedKey<'_>,
        lease: u64,
        incoming: &mut Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Stored {
        if !self.loads.is_good(key, lease) {
            return Stored::No;
        }
        if !self.put(key, incoming, common, leaving) {
            return Stored::Full;
        }
        self.loads.spend(key, lease);
        Stored::Yes
    }

    /// Begins a load together with the right to fill the key, of which there is no entry for as long as that right is
    /// good; `None` if somebody leads one already, or there is an entry by now that was not there at number `then`.
    #[inline]
    pub(super) fn lead_alone(&mut self, key: &HashedKey<'_>, kept: &KeyText, then: u64) -> Option<u64> {
        if self.number != then && self.queues.find(key).is_some() {
            return None;
        }
        let number = self.next();
        self.loads.lead_alone(key, kept, number).then_some(number)
    }

    /// Ends a load that was led alone, and stores what it gave if it may; where there is no room yet, the right to
    /// [`fill`](Shard::fill) the key is left under the leader's number. Hands out those who have come to wait, with
    /// the value.
    pub(super) fn land(
        &mut self,
        lone: &Lone<'_>,
        waiting: &mut Option<Waiting>,
        incoming: &mut Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Stored {
        let (key, leader) = (&lone.key, lone.number);
        let Landed { may_fill, flight } = self.loads.land(key, leader);
        if let (Some(flight), Some(incoming)) = (flight, &incoming) {
            *waiting = Some((flight, Arc::clone(&incoming.object)));
        }
        if !may_fill {
            return Stored::No;
        }
        self.next();
        if self.put_new(key, Some(lone.kept), incoming, common, leaving) {
            return Stored::Yes;
        }
        self.loads.lease(key, leader);
        Stored::Full
    }

    pub(super) fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn allows(&self, key: &HashedKey<'_>, condition: &Condition, clock: &Clock) -> bool {
        match condition {
            Condition::Always => true,
            Condition::Absent => self.alive(key, clock).is_none(),
            Condition::Present => self.alive(key, clock).is_some(),
            Condition::Unchanged(version) => self.holds(key, version, clock),
        }
    }

    fn alive(&self, key: &HashedKey<'_>, clock: &Clock) -> Option<Held<'_>> {
        self.queues.peek(key).filter(|held| !held.slot.is_due(key, clock))
    }

    /// Also of a value past its time, which a load may replace as long as it is kept.
    fn holds(&self, key: &HashedKey<'_>, version: &Version, clock: &Clock) -> bool {
        let held = self.queues.peek(key).filter(|held| !clock.has_passed(held.slot.end));
        held.is_some_and(|held| Version::Number(held.slot.number.into()) == *version)
    }

    /// Removes one entry, if it is there.
    pub(super) fn leave(
        &mut self,
        key: &HashedKey<'_>,
        cause: RemovalCause,
        common: &Common,
        leaving: &mut Leaving,
    ) {
        if let Some(taken) = self.queues.remove(key) {
            common.part(taken, cause, leaving);
            common.entries.release(1);
        }
    }

    /// Removes an entry whose stay is over.
    #[cold]
    pub(super) fn notice_expiry(&mut self, key: &HashedKey<'_>, common: &Common, leaving: &mut Leaving) {
        if self.queues.peek(key).is_some_and(|held| common.clock.has_passed(held.slot.end)) {
            self.leave(key, RemovalCause::Expired, common, leaving);
        }
    }
}
