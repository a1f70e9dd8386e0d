//! How a value gets in: room is made first, so that no bound is ever exceeded.

use super::common::Common;
use super::gone::{Gone, Leaving};
use super::shard::{Incoming, Shard};
use super::slab::HeldMut;
use super::slot::{HashedKey, Links, Place, Queue, Slot};
use crate::key::KeyText;
use crate::removal::RemovalCause;

impl Shard {
    /// Stores, making room first, so that neither bound is ever exceeded; `false` where this shard alone cannot make
    /// room.
    pub(super) fn put(
        &mut self,
        key: &HashedKey<'_>,
        incoming: &mut Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let number = self.next() as u32;
        let Some(place) = self.queues.find(key) else {
            return self.put_new(key, None, incoming, common, leaving);
        };
        if common.weight.is_some() && !self.reweigh(place, incoming, common, leaving) {
            return false;
        }
        // Making room has spared this place.
        if let (Some(held), Some(new)) = (self.queues.read_at(place, common.eviction), incoming.take()) {
            let HeldMut { slot, object } = held;
            let cause = common.cause_of(slot.end, RemovalCause::Replaced);
            (slot.end, slot.number) = (new.end, number);
            let object = std::mem::replace(object, new.object);
            leaving.push(Gone { key: slot.key.clone(), object, cause });
        }
        true
    }

    /// Gives an entry that is there the weight of what is to take its place; `false` where there is no room for it.
    fn reweigh(
        &mut self,
        place: Place,
        incoming: &Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let held = self.queues.weight(place);
        let weight = incoming.as_ref().map_or(held, |incoming| incoming.weight);
        if !self.make_room(weight.saturating_sub(held), Some(place), common, leaving) {
            return false;
        }
        common.release(held.saturating_sub(weight));
        self.queues.set_weight(place, weight);
        true
    }

    /// Stores what is not there yet, under its key as it is to be kept, where there is one.
    pub(super) fn put_new(
        &mut self,
        key: &HashedKey<'_>,
        kept: Option<&KeyText>,
        incoming: &mut Option<Incoming>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        debug_assert!(self.queues.find(key).is_none(), "an entry that is there is replaced");
        let queue = self.queues.assign(key.part(), common.eviction);
        if self.queues.has_place() && common.entries.reserve(1) {
            self.queues.overflow(queue, common.share);
        } else if 4 * self.len() < 3 * common.share {
            // Others have grown beyond their share.
            return false;
        } else if let Some(taken) = self.queues.evict(queue, common.eviction, None) {
            // Its place is taken over.
            common.give_up(taken, leaving);
        }
        let weight = incoming.as_ref().map_or(0, |incoming| incoming.weight);
        if !self.make_room(weight, None, common, leaving) {
            common.entries.release(1);
            return false;
        }
        if let Some(Incoming { object, end, weight }) = incoming.take() {
            let (number, links) = (self.number as u32, Links::new(queue, 0));
            let joined = kept.map_or_else(|| key.key.kept(), KeyText::clone);
            let slot = Slot { key: joined, end, links, number, part: key.part() };
            self.queues.insert(queue, slot, object, weight, common.share);
        }
        true
    }

    /// Evicts others until so much more weight has room, which is then reserved.
    #[inline]
    fn make_room(
        &mut self,
        weight: u32,
        spared: Option<Place>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let mut fits = common.reserve(weight);
        while !fits && let Some(taken) = self.queues.evict(Queue::Young, common.eviction, spared) {
            common.give_up(taken, leaving);
            common.entries.release(1);
            fits = common.reserve(weight);
        }
        fits
    }

    /// Gives up one entry; `false` if there is none.
    pub(super) fn evict(&mut self, common: &Common, leaving: &mut Leaving) -> bool {
        let evicted = self.queues.evict(Queue::Young, common.eviction, None);
        let any = evicted.is_some();
        if let Some(taken) = evicted {
            common.give_up(taken, leaving);
            common.entries.release(1);
        }
        any
    }
}
