//! The entries of a shard side by side, and the way to them: an index from a key's hash to its place.

use hashbrown::HashTable;

use super::slot::{HashedKey, Links, Place, Slot};

/// Slots that stay where they are; what leaves makes a hole for what comes. What finds one comes first: it lies in the
/// cache line of the lock.
#[repr(C)]
#[derive(Default)]
pub(super) struct Slab {
    slots: Vec<Option<Slot>>,
    index: HashTable<Place>,
    holes: Vec<Place>,
    /// In units of the budget, where entries are weighed; else empty.
    weights: Vec<u32>,
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
        let is_meant = |place: &Place| match &self.slots[place.index()] {
            Some(slot) => slot.part == key.part() && key.key.is(&slot.key),
            None => false,
        };
        self.index.find(spread(key.part()), is_meant).copied()
    }

    /// The entry under this key, by the shortest way.
    #[inline(always)]
    pub(super) fn look(&self, key: &HashedKey<'_>) -> Option<&Slot> {
        let part = key.part();
        let is_likely = |place: &Place| self.get(*place).is_some_and(|slot| slot.part == part);
        let slot = self.get(*self.index.find(spread(part), is_likely)?)?;
        // Two keys may share half a hash.
        if key.key.is(&slot.key) { Some(slot) } else { self.look_on(*key) }
    }

    #[cold]
    fn look_on(&self, key: HashedKey<'_>) -> Option<&Slot> {
        self.get(self.find(&key)?)
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
    pub(super) fn insert(&mut self, slot: Slot, share: usize) -> Place {
        let part = slot.part;
        let place = match self.holes.pop() {
            Some(place) => place,
            None => {
                self.grow(share);
                self.slots.push(None);
                Place::new(self.slots.len() - 1)
            }
        };
        self.slots[place.index()] = Some(slot);
        self.index.insert_unique(spread(part), place, hash_of(&self.slots));
        place
    }

    #[inline]
    pub(super) fn remove(&mut self, place: Place) -> Option<Slot> {
        let part = self.get(place)?.part;
        if let Ok(indexed) = self.index.find_entry(spread(part), |held| *held == place) {
            indexed.remove();
        }
        self.set_weight(place, 0);
        self.holes.push(place);
        let slot = self.slots[place.index()].take();
        // A few slots are kept, for shards that are filled and emptied all the time.
        if self.len() == 0 && self.slots.len() > FEW {
            self.release();
        }
        slot
    }

    #[cold]
    fn release(&mut self) {
        *self = Slab::default();
    }

    /// To four times the size up to the share, since each time all is moved; by little beyond it, since a shard that is
    /// full should have little to spare.
    fn grow(&mut self, share: usize) {
        let len = self.slots.len();
        if len == self.slots.capacity() {
            let more = if len < share { (3 * len).max(8).min(share - len) } else { len / 16 + 1 };
            self.slots.reserve_exact(more);
            self.index.reserve(more, hash_of(&self.slots));
        }
    }
}

/// What the index knows an entry by.
fn hash_of(slots: &[Option<Slot>]) -> impl Fn(&Place) -> u64 {
    |place| spread(slots[place.index()].as_ref().map_or(0, |slot| slot.part))
}

const FEW: usize = 32;

/// A hash of all bits for the index, which takes the place from the lower ones and a tag from the uppermost.
#[inline]
pub(super) fn spread(part: u32) -> u64 {
    u64::from(part).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
