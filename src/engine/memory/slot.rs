//! What a shard keeps of an entry beside its value.

// No lock of its own: what is counted here may be a read too few, so no order of steps needs to be tried out.
use std::sync::atomic::{AtomicU64, Ordering};

use smol_str::SmolStr;

use crate::clock::{Clock, Moment};
use crate::key::Key;

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

/// What a hit reads of an entry beside its value.
#[repr(C, align(32))]
pub(super) struct Slot {
    /// The joined key. Up to 23 bytes lie in place, more in one allocation. Empty where there is no entry.
    pub(super) key: SmolStr,
    pub(super) stay: Stay,
}

const _: () = assert!(size_of::<Slot>() == 32, "two slots share a cache line, and none lies in two");

impl Slot {
    /// Of no entry.
    pub(super) fn vacant() -> Slot {
        Slot { key: SmolStr::default(), stay: Stay::new(Moment::NEVER) }
    }
}

/// When an entry leaves, before which it may be past its time and only be kept; and, in the two lowest bits, how often it
/// was read lately.
pub(super) struct Stay(AtomicU64);

/// Reads count up to here; so many of them bring a young entry into the main queue.
pub(super) const MOST_USES: u8 = 2;

const USES: u64 = 0b11;
const FOR_EVER: u64 = packed(Moment::NEVER);

impl Stay {
    pub(super) fn new(end: Moment) -> Stay {
        Stay(AtomicU64::new(packed(end)))
    }

    #[inline]
    pub(super) fn end(&self) -> Moment {
        Moment::from_nanos(self.held() >> USES.count_ones())
    }

    pub(super) fn set_end(&mut self, end: Moment) {
        let held = self.0.get_mut();
        *held = packed(end) | *held & USES;
    }

    #[inline]
    pub(super) fn uses(&self) -> u8 {
        (self.held() & USES) as u8
    }

    /// The uses are no more than [`MOST_USES`].
    pub(super) fn set_uses(&mut self, uses: u8) {
        let held = self.0.get_mut();
        *held = *held & !USES | u64::from(uses);
    }

    /// Counts a read, unless the stay is over; says whether it is not.
    #[inline(always)]
    pub(super) fn try_use(&self, clock: &Clock) -> bool {
        let held = self.held();
        if held < FOR_EVER && clock.has_passed(self.end()) {
            return false;
        }
        self.count(held);
        true
    }

    /// Counts a read.
    pub(super) fn count_use(&self) {
        self.count(self.held());
    }

    /// Those who read together count without waiting for each other. Written only where it changes, so that what is
    /// popular dirties no cache line; and the end cannot change meanwhile, which takes the shard's own lock.
    #[inline(always)]
    fn count(&self, held: u64) {
        if held & USES < MOST_USES.into() {
            self.0.store(held + 1, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn held(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

const fn packed(end: Moment) -> u64 {
    end.nanos() << USES.count_ones()
}

/// What else is kept of an entry: its place in its queue, and what tells it from others.
pub(super) struct Node {
    pub(super) links: Links,
    /// Which write it came from. It comes round after 2^32 writes of the shard; to be taken for another, a write has to
    /// meet one exactly so many writes older while somebody works on the key.
    pub(super) number: u32,
    /// Of the key's hash, as [`HashedKey::part`]: no code of the user's runs to find an entry again.
    pub(super) part: u32,
}

impl Node {
    /// Of no entry.
    pub(super) fn vacant() -> Node {
        Node { links: Links::new(Queue::Young), number: 0, part: 0 }
    }
}

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

/// An entry's neighbours in its queue, and which queue that is, in eight bytes.
pub(super) struct Links {
    /// The place.
    newer: u32,
    /// The place in the lower 24 bits, the queue above.
    older: u32,
}

const BITS: u32 = 24;
const NONE: u32 = (1 << BITS) - 1;

impl Links {
    pub(super) fn new(queue: Queue) -> Links {
        Links { newer: NONE, older: (queue as u32) << BITS | NONE }
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
        self.newer = newer.map_or(NONE, |place| place.0);
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
    use std::time::Duration;

    use super::*;
    use crate::ttl::Lifetime;

    #[test]
    fn links_keep_their_parts_apart() {
        let mut links = Links::new(Queue::Main);
        assert_eq!((links.newer(), links.older(), links.queue()), (None, None, Queue::Main));
        links.set_newer(Some(Place::new(5)));
        links.set_older(Some(Place::new(Place::MOST - 1)));
        assert_eq!((links.newer(), links.queue()), (Some(Place::new(5)), Queue::Main));
        assert_eq!(links.older().map(Place::index), Some(Place::MOST - 1));
        links.set_older(None);
        assert_eq!((links.older(), links.queue()), (None, Queue::Main));
    }

    #[test]
    fn an_end_and_the_uses_leave_each_other_alone() {
        let clock = Clock::hand();
        for end in [Moment::NEVER, clock.end_of(Lifetime::For(Duration::MAX)), Moment::from_nanos(7)] {
            let mut stay = Stay::new(Moment::from_nanos(3));
            stay.set_uses(1);
            stay.set_end(end);
            assert_eq!((stay.end(), stay.uses()), (end, 1));
            for _ in 0..9 {
                assert!(stay.try_use(&clock));
                stay.count_use();
            }
            assert_eq!((stay.end(), stay.uses()), (end, MOST_USES));
        }
    }

    #[test]
    fn a_read_of_what_is_over_is_not_counted() {
        let (clock, stay) = (Clock::hand(), Stay::new(Moment::from_nanos(7)));
        clock.advance(Duration::from_nanos(7));
        assert!(!stay.try_use(&clock) && stay.uses() == 0);
    }
}
