//! The order in which entries leave a full shard.

use lru::LruCache;

use super::slot::{PassThroughBuilder, Probe, Slot, SlotKey};
use crate::eviction::Eviction;

type List = LruCache<SlotKey, Slot, PassThroughBuilder>;

/// The entries of a shard.
pub(super) struct Queues {
    /// Entries that have yet to be read again.
    young: List,
    main: List,
    eviction: Eviction,
}

/// Reads count up to here.
const MOST_USES: u8 = 3;

impl Queues {
    pub(super) fn new(eviction: Eviction) -> Queues {
        // Unbounded, since a bounded list reserves its whole capacity at once.
        let list = || List::unbounded_with_hasher(PassThroughBuilder::default());
        Queues { young: list(), main: list(), eviction }
    }

    pub(super) fn len(&self) -> usize {
        self.young.len() + self.main.len()
    }

    /// Looks without counting as a use.
    #[inline]
    pub(super) fn peek(&self, key: &dyn Probe) -> Option<&Slot> {
        self.main.peek(key).or_else(|| self.young.peek(key))
    }

    #[inline]
    pub(super) fn peek_mut(&mut self, key: &dyn Probe) -> Option<&mut Slot> {
        match self.main.peek_mut(key) {
            Some(slot) => Some(slot),
            None => self.young.peek_mut(key),
        }
    }

    /// Reads an entry, which counts as a use.
    #[inline]
    pub(super) fn read(&mut self, key: &dyn Probe) -> Option<&mut Slot> {
        if self.eviction == Eviction::Lru {
            return self.main.get_mut(key);
        }
        let slot = self.peek_mut(key)?;
        // Written only where it changes, so that what is popular dirties no cache line.
        if slot.uses < MOST_USES {
            slot.uses += 1;
        }
        Some(slot)
    }

    /// Takes in an entry that is not there; the caller has made room.
    pub(super) fn insert(&mut self, key: SlotKey, slot: Slot) {
        match self.eviction {
            Eviction::Lru => self.main.push(key, slot),
            Eviction::Default => self.young.push(key, slot),
        };
    }

    pub(super) fn remove(&mut self, key: &dyn Probe) -> Option<(SlotKey, Slot)> {
        self.main.pop_entry(key).or_else(|| self.young.pop_entry(key))
    }

    /// Gives up the entry that is worth least.
    pub(super) fn evict(&mut self) -> Option<(SlotKey, Slot)> {
        if self.eviction == Eviction::Lru {
            return self.main.pop_lru();
        }
        loop {
            if self.young.len() * 10 > self.len() || self.main.is_empty() {
                let (key, mut slot) = self.young.pop_lru()?;
                if slot.uses < 2 {
                    return Some((key, slot));
                }
                slot.uses = 0;
                self.main.push(key, slot);
            } else {
                let (key, mut slot) = self.main.pop_lru()?;
                if slot.uses == 0 {
                    return Some((key, slot));
                }
                slot.uses -= 1;
                self.main.push(key, slot);
            }
        }
    }

    /// Keeps the entries that are wanted, in their order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&SlotKey, &mut Slot) -> bool) {
        self.young.retain(&mut keep);
        self.main.retain(&mut keep);
    }
}
