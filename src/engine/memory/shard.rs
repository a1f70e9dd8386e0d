//! One shard: its entries, and the loads of its keys in flight.
//!
//! Methods run under the shard's lock, so they run no code of the user's but what [`view`](Shard::view) is given:
//! values are cloned as `Arc`s, and what is displaced goes into a [`Leaving`], to part with after the lock is released.

use std::any::Any;
use std::sync::Arc;

use smol_str::SmolStr;

use super::budget::Budget;
use super::gone::{Gone, Leaving};
use super::loads::{Landed, Loads};
use super::queues::Queues;
use super::slot::{HashedKey, Links, Place, Queue, Slot};
use crate::clock::{Clock, Moment};
use crate::engine::flight::Flight;
use crate::entry::{Condition, Found, Item, Object, Version};
use crate::eviction::Eviction;
use crate::removal::RemovalCause;
use crate::ttl::Remaining;

/// What a hit needs comes first.
#[repr(C)]
pub(super) struct Shard {
    queues: Queues,
    pub(super) loads: Loads,
    /// The last number given to a write, a lease or a leader of this shard.
    number: u64,
}

/// What all shards share and an operation may need.
pub(super) struct Common {
    pub(super) clock: Clock,
    pub(super) eviction: Eviction,
    /// How many entries all shards may hold together. A shard of many gives up its own once they are all there, so
    /// that none has to be as large as the fullest could be.
    pub(super) entries: Budget,
    pub(super) weight: Option<Budget>,
    /// How many entries are one shard's even share.
    pub(super) share: usize,
}

/// A value on its way in.
pub(crate) struct Incoming {
    pub(super) object: Arc<dyn Object>,
    pub(super) end: Moment,
    /// In units of the budget.
    pub(super) weight: u32,
}

/// An entry is there whose stay is over.
pub(super) struct Due;

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
type Waiting = (Arc<Flight>, Arc<dyn Object>);

/// What adding to a counter came to.
pub(crate) enum Sum {
    Is(i64),
    Overflow,
    /// The value is kept as another type; only a codec can tell whether it is an integer.
    NotI64,
}

impl Slot {
    /// Whether the value is past its time, be it kept for longer or not.
    #[inline]
    fn is_due(&self, key: &HashedKey<'_>, clock: &Clock) -> bool {
        clock.has_passed(self.end.minus(key.key.stale_for()))
    }

    fn found(&self, remaining: Option<Remaining>) -> Found {
        let item = Item::Object(Arc::clone(&self.object));
        Found { item, version: Some(Version::Number(self.number.into())), remaining }
    }
}

impl Shard {
    pub(super) fn new() -> Shard {
        Shard { queues: Queues::new(), loads: Loads::default(), number: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.queues.len()
    }

    /// Makes something of the value in place, which counts as a use; `Err` if its stay is over. `view` runs under the
    /// lock.
    #[inline]
    pub(super) fn view<R>(
        &mut self,
        key: &HashedKey<'_>,
        common: &Common,
        view: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Result<Option<R>, Due> {
        match self.queues.read(key, common.eviction) {
            None => Ok(None),
            Some(slot) if !slot.is_due(key, &common.clock) => Ok(Some(view(&slot.object))),
            Some(slot) if common.clock.has_passed(slot.end) => Err(Due),
            Some(_) => Ok(None),
        }
    }

    /// Reads, which counts as a use.
    pub(super) fn get(
        &mut self,
        key: &HashedKey<'_>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Option<Found> {
        let slot = self.queues.read(key, common.eviction)?;
        if !slot.is_due(key, &common.clock) {
            return Some(slot.found(None));
        }
        self.notice_expiry(key, common, leaving);
        None
    }

    /// [`get`](Shard::get) with what is left of the entry's stay, also where that is past its time.
    pub(super) fn get_aged(
        &mut self,
        key: &HashedKey<'_>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> Option<Found> {
        let slot = self.queues.read(key, common.eviction)?;
        if let Some(left) = common.clock.until(slot.end) {
            return Some(slot.found(Some(left)));
        }
        self.notice_expiry(key, common, leaving);
        None
    }

    /// When the entry ends, if it is there; does not count as a use.
    pub(super) fn end(&self, key: &HashedKey<'_>, clock: &Clock) -> Option<Moment> {
        self.alive(key, clock).map(|slot| slot.end)
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
        if !self.put(key, None, incoming, common, leaving) {
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
        let alive = self.alive(key, &common.clock).map(|slot| Arc::clone(&slot.object));
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
        let slot = self.queues.read(key, common.eviction);
        let slot = slot.filter(|slot| !slot.is_due(key, &common.clock))?;
        let any: &dyn Any = &*slot.object;
        let Some(count) = any.downcast_ref::<i64>() else { return Some(Sum::NotI64) };
        let Some(sum) = count.checked_add(delta) else { return Some(Sum::Overflow) };
        slot.number = number;
        let object = std::mem::replace(&mut slot.object, Arc::new(sum));
        leaving.push(Gone { key: key.key.kept(), object, cause: RemovalCause::Replaced });
        self.loads.void(key);
        Some(Sum::Is(sum))
    }

    /// Removes what is due from a stretch of the slots; says whether there are more.
    pub(super) fn sweep(&mut self, now: Moment, from: usize, common: &Common, leaving: &mut Leaving) -> bool {
        let due = |slot: &Slot| (slot.end <= now).then_some(RemovalCause::Expired);
        self.extract(from, due, common, leaving)
    }

    /// Removes what is meant from a stretch of the slots; says whether there are more.
    pub(super) fn clear(
        &mut self,
        meant: impl Fn(&str) -> bool,
        from: usize,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let now = common.clock.now();
        let cause = |slot: &Slot| match (meant(&slot.key), slot.end <= now) {
            (false, _) => None,
            (true, true) => Some(RemovalCause::Expired),
            (true, false) => Some(RemovalCause::Cleared),
        };
        // Before the values: a load that lands between two stretches must not fill a key of the first.
        if from == 0 {
            self.loads.void_all(&meant);
        }
        self.extract(from, cause, common, leaving)
    }

    /// Takes the right to fill a key that holds nothing.
    pub(super) fn lease(&mut self, key: &HashedKey<'_>) -> u64 {
        let number = self.next();
        self.loads.lease(key, number);
        number
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
        if !self.put(key, None, incoming, common, leaving) {
            return Stored::Full;
        }
        self.loads.spend(key, lease);
        Stored::Yes
    }

    /// Begins a load together with the right to fill the key; `None` if somebody leads one already.
    pub(super) fn lead_alone(&mut self, key: &HashedKey<'_>) -> Option<u64> {
        let number = self.next();
        self.loads.lead_alone(key, number).then_some(number)
    }

    /// Ends a load that was led alone, and stores what it gave if it may; where there is no room yet, the right to
    /// [`fill`](Shard::fill) the key is left under the leader's number. Hands out those who have come to wait, with
    /// the value.
    pub(super) fn land(
        &mut self,
        key: &HashedKey<'_>,
        leader: u64,
        incoming: &mut Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> (Stored, Option<Waiting>) {
        let Landed { key: owned, flight } = self.loads.land(key, leader);
        let waiting = flight.and_then(|flight| Some((flight, Arc::clone(&incoming.as_ref()?.object))));
        if owned.is_none() {
            return (Stored::No, waiting);
        }
        if self.put(key, owned, incoming, common, leaving) {
            return (Stored::Yes, waiting);
        }
        self.loads.lease(key, leader);
        (Stored::Full, waiting)
    }

    /// Gives up one entry; `false` if there is none.
    pub(super) fn evict(&mut self, common: &Common, leaving: &mut Leaving) -> bool {
        let evicted = self.queues.evict(Queue::Young, common.eviction);
        let any = evicted.is_some();
        if let Some((slot, weight)) = evicted {
            common.give_up(slot, weight, leaving);
            common.entries.release(1);
        }
        any
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

    fn alive(&self, key: &HashedKey<'_>, clock: &Clock) -> Option<&Slot> {
        self.queues.peek(key).filter(|slot| !slot.is_due(key, clock))
    }

    /// Also of a value past its time, which a load may replace as long as it is kept.
    fn holds(&self, key: &HashedKey<'_>, version: &Version, clock: &Clock) -> bool {
        let slot = self.queues.peek(key).filter(|slot| !clock.has_passed(slot.end));
        slot.is_some_and(|slot| Version::Number(slot.number.into()) == *version)
    }

    /// Stores, making room first, so that neither bound is ever exceeded; `false` where this shard alone cannot make
    /// room.
    fn put(
        &mut self,
        key: &HashedKey<'_>,
        owned: Option<SmolStr>,
        incoming: &mut Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let Some(weight) = incoming.as_ref().map(|incoming| incoming.weight) else { return true };
        let number = self.next() as u32;
        if self.queues.read(key, common.eviction).is_none() {
            return self.put_new(key, owned, incoming, common, leaving);
        }
        let held = self.queues.weight(key).unwrap_or(0);
        if !self.make_room(weight.saturating_sub(held), key, common, leaving) {
            return false;
        }
        // Making room spares this key.
        if let (Some(slot), Some(new)) = (self.queues.peek_mut(key), incoming.take()) {
            (slot.end, slot.number) = (new.end, number);
            let object = std::mem::replace(&mut slot.object, new.object);
            leaving.push(Gone { key: slot.key.clone(), object, cause: RemovalCause::Replaced });
            common.release(held.saturating_sub(weight));
            if common.weight.is_some() {
                self.queues.set_weight(key, weight);
            }
        }
        true
    }

    fn put_new(
        &mut self,
        key: &HashedKey<'_>,
        owned: Option<SmolStr>,
        incoming: &mut Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let queue = self.queues.assign(key.part(), common.eviction);
        if self.queues.has_place() && common.entries.reserve(1) {
            self.queues.overflow(queue, common.share);
        } else if 4 * self.len() < 3 * common.share {
            // Others have grown beyond their share.
            return false;
        } else if let Some((slot, weight)) = self.queues.evict(queue, common.eviction) {
            // Its place is taken over.
            common.give_up(slot, weight, leaving);
        }
        let weight = incoming.as_ref().map_or(0, |incoming| incoming.weight);
        if !self.make_room(weight, key, common, leaving) {
            common.entries.release(1);
            return false;
        }
        if let Some(Incoming { object, end, weight }) = incoming.take() {
            let (number, links) = (self.number as u32, Links::new(queue, 0));
            let key_text = owned.unwrap_or_else(|| key.key.kept());
            let slot = Slot { key: key_text, object, end, number, part: key.part(), links };
            self.queues.insert(queue, slot, weight, common.share);
        }
        true
    }

    /// Evicts others until so much more weight has room, which is then reserved.
    fn make_room(
        &mut self,
        weight: u32,
        spared: &HashedKey<'_>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let mut aside = None;
        let mut fits = common.reserve(weight);
        while !fits && let Some((slot, held)) = self.queues.evict(Queue::Young, common.eviction) {
            if spared.key.is(&slot.key) {
                aside = Some((slot, held));
            } else {
                common.give_up(slot, held, leaving);
                common.entries.release(1);
                fits = common.reserve(weight);
            }
        }
        if let Some((slot, held)) = aside {
            self.queues.insert(Queue::Main, slot, held, common.share);
        }
        fits
    }

    /// Removes one entry, if it is there.
    fn leave(&mut self, key: &HashedKey<'_>, cause: RemovalCause, common: &Common, leaving: &mut Leaving) {
        if let Some((slot, weight)) = self.queues.remove(key) {
            common.part(slot, weight, cause, leaving);
            common.entries.release(1);
        }
    }

    /// Removes an entry whose stay is over.
    #[cold]
    pub(super) fn notice_expiry(&mut self, key: &HashedKey<'_>, common: &Common, leaving: &mut Leaving) {
        if self.queues.peek(key).is_some_and(|slot| common.clock.has_passed(slot.end)) {
            self.leave(key, RemovalCause::Expired, common, leaving);
        }
    }

    /// Removes what there is a cause for from a stretch of the slots, short enough for those who wait for the lock; says
    /// whether there are more.
    fn extract(
        &mut self,
        from: usize,
        mut cause: impl FnMut(&Slot) -> Option<RemovalCause>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        for index in from..(from + STRETCH).min(self.queues.slots()) {
            let place = Place::new(index);
            if let Some(cause) = self.queues.at(place).and_then(&mut cause)
                && let Some((slot, weight)) = self.queues.take(place)
            {
                common.part(slot, weight, cause, leaving);
                common.entries.release(1);
            }
        }
        from + STRETCH < self.queues.slots()
    }
}

/// Slots that are walked through under one hold of the lock: some 50 µs if all of them have to be emptied.
pub(super) const STRETCH: usize = 512;

impl Common {
    fn part(&self, slot: Slot, weight: u32, cause: RemovalCause, leaving: &mut Leaving) {
        self.release(weight);
        leaving.push(Gone { key: slot.key, object: slot.object, cause });
    }

    /// Parts with an entry that makes room.
    fn give_up(&self, slot: Slot, weight: u32, leaving: &mut Leaving) {
        let cause = match self.clock.has_passed(slot.end) {
            true => RemovalCause::Expired,
            false => RemovalCause::Evicted,
        };
        self.part(slot, weight, cause, leaving);
    }

    fn reserve(&self, units: u32) -> bool {
        self.weight.as_ref().is_none_or(|budget| budget.reserve(units))
    }

    fn release(&self, units: u32) {
        if let Some(budget) = &self.weight {
            budget.release(units);
        }
    }
}
