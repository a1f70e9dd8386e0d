//! The entries of a shard side by side, and the way to them: an index from a key's hash to its place.
//!
//! Values lie apart from what else is kept of their entries: so the value's own memory is on its way while the key is
//! still being compared, and a hit waits for one of the two, not for one after the other.

use std::hint;
use std::mem;
use std::sync::Arc;

use hashbrown::HashTable;

use super::slot::{HashedKey, Links, Place, Slot, Spotted};
use crate::clock::Moment;
use crate::entry::Object;
use crate::key::KeyText;

/// Slots that stay where they are; what leaves makes a hole for what comes. What finds one comes first: it lies in the
/// cache line of the lock.
#[repr(C)]
#[derive(Default)]
pub(super) struct Slab {
    index: HashTable<Spotted>,
    objects: Vec<Option<Arc<dyn Object>>>,
    slots: Vec<Option<Slot>>,
    holes: Vec<Place>,
    /// In units of the budget, where entries are weighed; else empty.
    weights: Vec<u32>,
}

/// An entry in its slot.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) slot: &'a Slot,
    pub(super) object: &'a Arc<dyn Object>,
}

/// An entry in its slot, to be changed.
pub(super) struct HeldMut<'a> {
    pub(super) slot: &'a mut Slot,
    pub(super) object: &'a mut Arc<dyn Object>,
}

impl<'a> HeldMut<'a> {
    pub(super) fn shared(self) -> Held<'a> {
        Held { slot: self.slot, object: self.object }
    }
}

/// What is left of an entry that has left its slot.
pub(super) struct Taken {
    pub(super) key: KeyText,
    pub(super) object: Arc<dyn Object>,
    pub(super) end: Moment,
    pub(super) weight: u32,
}

impl Slab {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// How many slots there are, holes included.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(super) fn find(&self, key: &HashedKey<'_>) -> Option<Place> {
        let hash = spread(key.part());
        let is_meant = |spotted: &Spotted| {
            spotted.is_likely(hash) && self.get(spotted.place()).is_some_and(|slot| slot.key.is(&key.key))
        };
        self.index.find(hash, is_meant).map(|spotted| spotted.place())
    }

    /// The first entry of which the index thinks that it is meant. Mostly it is.
    #[inline(always)]
    pub(super) fn spot(&self, part: u32) -> Option<Place> {
        let hash = spread(part);
        self.index.find(hash, |spotted| spotted.is_likely(hash)).map(|spotted| spotted.place())
    }

    #[inline(always)]
    pub(super) fn held(&self, place: Place) -> Option<Held<'_>> {
        let object = self.objects.get(place.index())?.as_ref()?;
        Some(Held { slot: self.get(place)?, object })
    }

    #[inline(always)]
    pub(super) fn held_mut(&mut self, place: Place) -> Option<HeldMut<'_>> {
        let object = self.objects.get_mut(place.index())?.as_mut()?;
        let slot = self.slots.get_mut(place.index())?.as_mut()?;
        Some(HeldMut { slot, object })
    }

    /// Has a value that is likely to leave brought near: dropping it waits for memory that nobody has asked for in a long time.
    #[inline]
    pub(super) fn prefetch(&self, place: Place) {
        if let Some(Some(object)) = self.objects.get(place.index()) {
            hint::black_box(Arc::strong_count(object));
        }
    }

    #[inline]
    pub(super) fn get(&self, place: Place) -> Option<&Slot> {
        self.slots.get(place.index())?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: Place) -> Option<&mut Slot> {
        self.slots.get_mut(place.index())?.as_mut()
    }

    pub(super) fn links_mut(&mut self, place: Place) -> Option<&mut Links> {
        self.get_mut(place).map(|slot| &mut slot.links)
    }

    pub(super) fn weight(&self, place: Place) -> u32 {
        self.weights.get(place.index()).copied().unwrap_or(0)
    }

    pub(super) fn set_weight(&mut self, place: Place, weight: u32) {
        if weight > 0 && self.weights.len() <= place.index() {
            self.weights.resize(self.slots.len(), 0);
        }
        if let Some(held) = self.weights.get_mut(place.index()) {
            *held = weight;
        }
    }

    /// Whether another entry has a place.
    pub(super) fn has_place(&self) -> bool {
        self.len() < Place::MOST
    }

    /// Takes in an entry whose key is not there, in a shard that is meant to hold about `share`.
    #[inline]
    pub(super) fn insert(&mut self, slot: Slot, object: Arc<dyn Object>, share: usize) -> Place {
        let hash = spread(slot.part);
        let place = match self.holes.pop() {
            Some(place) => place,
            None => {
                self.grow(share);
                self.slots.push(None);
                self.objects.push(None);
                Place::new(self.slots.len() - 1)
            }
        };
        self.slots[place.index()] = Some(slot);
        self.objects[place.index()] = Some(object);
        self.index.insert_unique(hash, Spotted::new(place, hash), hash_of(&self.slots));
        place
    }

    #[inline]
    pub(super) fn remove(&mut self, place: Place) -> Option<Taken> {
        let hash = spread(self.get(place)?.part);
        if let Ok(indexed) = self.index.find_entry(hash, |held| held.place() == place) {
            indexed.remove();
        }
        let weight = self.weight(place);
        self.set_weight(place, 0);
        let held = self.slots.get_mut(place.index())?;
        let slot = held.as_mut()?;
        let (key, end) = (mem::take(&mut slot.key), slot.end);
        *held = None;
        let object = self.objects[place.index()].take();
        self.holes.push(place);
        // A few slots are kept, for shards that are filled and emptied all the time.
        if self.len() == 0 && self.slots.len() > FEW {
            self.release();
        }
        Some(Taken { key, object: object?, end, weight })
    }

    #[cold]
    fn release(&mut self) {
        *self = Slab::default();
    }

    /// To four times the size up to the share, since each time all is moved; by little beyond it, since a shard that is
    /// full should have little to spare. The index grows by itself, at a time of its own: where it comes to lie
    /// between the slots of its shard, a spread hit takes a tenth longer.
    fn grow(&mut self, share: usize) {
        let len = self.slots.len();
        if len == self.slots.capacity() {
            let more = if len < share { (3 * len).max(8).min(share - len) } else { len / 16 + 1 };
            self.slots.reserve_exact(more);
            self.objects.reserve_exact(more);
        }
    }
}

/// What the index knows an entry by.
fn hash_of(slots: &[Option<Slot>]) -> impl Fn(&Spotted) -> u64 {
    |spotted| spread(slots[spotted.place().index()].as_ref().map_or(0, |slot| slot.part))
}

const FEW: usize = 32;

/// A hash of all bits for the index, which takes the place from the lower ones and a tag from the uppermost.
#[inline]
pub(super) fn spread(part: u32) -> u64 {
    u64::from(part).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
