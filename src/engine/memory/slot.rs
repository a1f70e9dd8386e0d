//! What a shard keeps of an entry beside its value.

use crate::clock::Moment;
use crate::key::{Key, KeyText};

/// A key together with its hash, the upper half of which has picked the shard.
#[derive(Clone, Copy)]
pub(super) struct HashedKey<'a> {
    pub(super) key: Key<'a>,
    pub(super) hash: u64,
}

impl HashedKey<'_> {
    /// The half that finds the key within its shard.
    #[inline]
    pub(super) fn part(self) -> u32 {
        self.hash as u32
    }
}

/// An entry without its value. What a hit reads comes first.
#[repr(C)]
pub(super) struct Slot {
    /// The joined key. Up to 23 bytes lie in place, more in one allocation.
    pub(super) key: KeyText,
    /// When it leaves; before that it may be past its time and only be kept.
    pub(super) end: Moment,
    pub(super) links: Links,
    /// Which write it came from. It comes round after 2^32 writes of the shard; to be taken for another, a write has to
    /// meet one exactly so many writes older while somebody works on the key.
    pub(super) number: u32,
    /// Of the key's hash, as [`HashedKey::part`]: no code of the user's runs to find an entry again.
    pub(super) part: u32,
}

impl Slot {
    /// Counts a read.
    #[inline(always)]
    pub(super) fn count_use(&mut self) {
        self.links.count_use(MOST_USES);
    }
}

/// Reads count up to here; so many of them bring a young entry into the main queue.
pub(super) const MOST_USES: u8 = 2;

const _: () = assert!(size_of::<Option<Slot>>() == 48, "an entry is three quarters of a cache line");

/// Where a slot lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place(u32);

impl Place {
    /// As many slots as a shard can have; the other bits of a link have a use of their own.
    pub(super) const MOST: usize = NONE as usize;

    /// The place of this index, which is below [`MOST`](Place::MOST).
    pub(super) fn new(index: usize) -> Place {
        Place(index as u32 & NONE)
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A place as the index holds it, with bits of the hash in what a place has to spare: with them, almost no slot is looked
/// at in vain.
#[derive(Clone, Copy)]
pub(super) struct Spotted(u32);

impl Spotted {
    pub(super) fn new(place: Place, hash: u64) -> Spotted {
        Spotted(Spotted::mark(hash) | place.0)
    }

    #[inline(always)]
    pub(super) fn is_likely(self, hash: u64) -> bool {
        self.0 & !NONE == Spotted::mark(hash)
    }

    #[inline(always)]
    pub(super) fn place(self) -> Place {
        Place(self.0 & NONE)
    }

    /// Bits that the index itself makes no use of.
    #[inline(always)]
    fn mark(hash: u64) -> u32 {
        (hash >> 24) as u32 & !NONE
    }
}

/// In which queue an entry is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Queue {
    Young,
    Main,
}

/// An entry's neighbours in its queue, which queue that is, and how often the entry was read lately, in eight bytes.
pub(super) struct Links {
    /// The place in the lower 24 bits, the uses above.
    newer: u32,
    /// The place in the lower 24 bits, the queue above.
    older: u32,
}

const BITS: u32 = 24;
const NONE: u32 = (1 << BITS) - 1;

impl Links {
    pub(super) fn new(queue: Queue, uses: u8) -> Links {
        Links { newer: u32::from(uses) << BITS | NONE, older: (queue as u32) << BITS | NONE }
    }

    #[inline]
    pub(super) fn uses(&self) -> u8 {
        (self.newer >> BITS) as u8
    }

    /// Counts a use, up to so many. Written only where it changes, so that what is popular dirties no cache line.
    #[inline(always)]
    pub(super) fn count_use(&mut self, most: u8) {
        if self.newer < u32::from(most) << BITS {
            self.newer += 1 << BITS;
        }
    }

    pub(super) fn queue(&self) -> Queue {
        if self.older >> BITS == 0 { Queue::Young } else { Queue::Main }
    }

    pub(super) fn newer(&self) -> Option<Place> {
        place(self.newer)
    }

    pub(super) fn older(&self) -> Option<Place> {
        place(self.older)
    }

    pub(super) fn set_newer(&mut self, newer: Option<Place>) {
        self.newer = self.newer & !NONE | newer.map_or(NONE, |place| place.0);
    }

    pub(super) fn set_older(&mut self, older: Option<Place>) {
        self.older = self.older & !NONE | older.map_or(NONE, |place| place.0);
    }
}

fn place(link: u32) -> Option<Place> {
    let place = link & NONE;
    (place != NONE).then_some(Place(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_their_parts_apart() {
        let mut links = Links::new(Queue::Main, 3);
        assert_eq!((links.newer(), links.older(), links.uses(), links.queue()), (None, None, 3, Queue::Main));
        links.set_newer(Some(Place::new(5)));
        links.set_older(Some(Place::new(Place::MOST - 1)));
        (0..9).for_each(|_| links.count_use(7));
        assert_eq!((links.newer(), links.uses()), (Some(Place::new(5)), 7));
        assert_eq!((links.older().map(Place::index), links.queue()), (Some(Place::MOST - 1), Queue::Main));
        links.set_older(None);
        assert_eq!((links.older(), links.queue()), (None, Queue::Main));
    }
}
