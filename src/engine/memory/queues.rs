//! The order in which entries leave a full shard.
//!
//! By default two queues and a count of reads in each entry, as in S3-FIFO (Yang et al., SOSP 2023): what is new waits in
//! the young queue, and only what is read there comes into the main one, in which the oldest that was not
//! read since its last turn leaves. So a scan passes through the young queue and leaves the rest alone. How long the
//! young queue is follows what comes back: soon after it left the young queue, it was too short; soon after
//! the main one, too long (as in ARC, Megiddo and Modha, FAST 2003). Whoever comes back has to find an unread
//! entry at the end of the main queue to get in at once; so a loop that is longer than the shard keeps a part of itself
//! there in place of turning all of it over. Where nobody comes back soon and the main queue is read, as in a loop of
//! several times the shard, the young queue hands over what it holds, until nearly all of the shard is kept.
//!
//! A read is a count and no more: all moves are made when something has to leave.

use std::sync::Arc;

use super::balance::Balance;
use super::ghosts::Ghosts;
use super::list::List;
use super::slab::{Held, HeldMut, Slab, Taken};
use super::slot::{HashedKey, Links, MOST_USES, Place, Queue, Slot};
use crate::entry::Object;
use crate::eviction::Eviction;

/// The entries of a shard. What a hit needs comes first, so that it lies in the cache line of the lock.
#[repr(C)]
pub(super) struct Queues {
    slab: Slab,
    main: List,
    /// Entries that have yet to be read again.
    young: List,
    balance: Balance,
    ghosts: Ghosts,
}

/// Entries at the end of the main queue that one that comes back may challenge.
const CHALLENGES: usize = 2;
/// Steps after which the entry whose turn it is leaves whatever its count.
const STEPS: usize = 32;

impl Queues {
    pub(super) fn new() -> Queues {
        Queues {
            slab: Slab::default(),
            main: List::default(),
            young: List::default(),
            balance: Balance::default(),
            ghosts: Ghosts::default(),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    /// Looks without counting as a use.
    #[inline]
    pub(super) fn peek(&self, key: &HashedKey<'_>) -> Option<Held<'_>> {
        self.slab.held(self.slab.find(key)?)
    }

    #[inline]
    pub(super) fn peek_mut(&mut self, key: &HashedKey<'_>) -> Option<&mut Slot> {
        self.slab.get_mut(self.slab.find(key)?)
    }

    /// The entry that is likely meant; that it is, and its use, are for the caller to see to.
    #[inline(always)]
    pub(super) fn spot(&mut self, part: u32) -> Option<HeldMut<'_>> {
        self.slab.held_mut(self.slab.spot(part)?)
    }

    /// Reads an entry, which counts as a use.
    #[inline]
    pub(super) fn read(&mut self, key: &HashedKey<'_>, eviction: Eviction) -> Option<HeldMut<'_>> {
        let place = self.slab.find(key)?;
        self.read_at(place, eviction)
    }

    /// Reads the entry in this slot, which counts as a use.
    #[inline]
    pub(super) fn read_at(&mut self, place: Place, eviction: Eviction) -> Option<HeldMut<'_>> {
        if eviction == Eviction::Lru {
            self.main.unlink(&mut self.slab, place);
            self.main.push(&mut self.slab, place, Links::new(Queue::Main, 0));
        }
        let held = self.slab.held_mut(place)?;
        held.slot.count_use();
        Some(held)
    }

    /// What the entry in this slot weighs.
    pub(super) fn weight(&self, place: Place) -> u32 {
        self.slab.weight(place)
    }

    pub(super) fn set_weight(&mut self, place: Place, weight: u32) {
        self.slab.set_weight(place, weight);
    }

    /// Where an entry that is not there will go, by what is known of its past.
    pub(super) fn assign(&mut self, part: u32, eviction: Eviction) -> Queue {
        if eviction == Eviction::Lru {
            return Queue::Main;
        }
        let Some(ghost) = self.ghosts.take(part) else { return Queue::Young };
        let won = self.challenge();
        self.balance.came_back(&ghost, won, self.len());
        if won { Queue::Main } else { Queue::Young }
    }

    /// Takes in an entry that is not there; the caller has made room in a shard that is to hold about `share`.
    #[inline]
    pub(super) fn insert(
        &mut self,
        queue: Queue,
        slot: Slot,
        object: Arc<dyn Object>,
        weight: u32,
        share: usize,
    ) {
        let place = self.slab.insert(slot, object, share);
        self.slab.set_weight(place, weight);
        self.push(queue, place, 0);
    }

    /// Whether the shard could hold another entry at all.
    pub(super) fn has_place(&self) -> bool {
        self.slab.has_place()
    }

    /// While there is room, lets what the young queue has too much of go on into the main one in place of losing it.
    pub(super) fn overflow(&mut self, queue: Queue, share: usize) {
        for _ in 0..2 {
            if queue == Queue::Main || !self.balance.is_passed(self.young.len() + 1, share) {
                return;
            }
            self.hand_over();
        }
    }

    /// Lets the oldest of the young queue go on into the main one.
    fn hand_over(&mut self) {
        if let Some(place) = self.young.oldest() {
            self.young.unlink(&mut self.slab, place);
            self.push(Queue::Main, place, 0);
        }
    }

    pub(super) fn remove(&mut self, key: &HashedKey<'_>) -> Option<Taken> {
        self.take(self.slab.find(key)?)
    }

    /// Gives up the entry that is worth least, for one that will go there, but not the spared one, which stays where it
    /// is: who walks through the slots must not miss it. At most [`STEPS`] others are moved.
    pub(super) fn evict(&mut self, queue: Queue, eviction: Eviction, spared: Option<Place>) -> Option<Taken> {
        if eviction == Eviction::Lru {
            let oldest = self.main.oldest()?;
            return self.take(if spared == Some(oldest) { self.beside(oldest)? } else { oldest });
        }
        let (from, place) = match self.survey() {
            Some(stale) if spared != Some(stale) => (Queue::Main, stale),
            _ => self.turn(queue, spared)?,
        };
        if spared == Some(place) {
            return self.take(self.beside(place)?);
        }
        let part = self.slab.get(place)?.part;
        self.ghosts.push(part, from, self.len());
        self.take(place)
    }

    /// Whose turn it is to leave, once those that are to stay have been moved.
    fn turn(&mut self, queue: Queue, spared: Option<Place>) -> Option<(Queue, Place)> {
        // Beside the one that may have to leave.
        if self.balance.is_far_passed(self.young.len().saturating_sub(1), self.len()) {
            self.hand_over();
        }
        for _ in 0..STEPS {
            let (from, place, uses) = self.next_to_go(queue)?;
            match from {
                _ if spared == Some(place) => return Some((from, place)),
                Queue::Young if uses >= MOST_USES => self.hand_over(),
                Queue::Main if uses > 0 => self.send_round(place, uses),
                _ => return Some((from, place)),
            }
        }
        self.next_to_go(queue).map(|(from, place, _)| (from, place))
    }

    /// Looks at the end of the main queue now and then; whoever is there may have to leave before its turn.
    #[inline]
    fn survey(&mut self) -> Option<Place> {
        if self.balance.is_survey_due() { self.survey_main() } else { None }
    }

    #[inline(never)]
    fn survey_main(&mut self) -> Option<Place> {
        let place = self.main.oldest()?;
        let uses = self.uses(place);
        if uses > 0 {
            self.send_round(place, uses);
        }
        self.balance.surveyed(uses > 0).then_some(place)
    }

    /// Lets the oldest of the main queue, of which reads are known, go round once more.
    fn send_round(&mut self, place: Place, uses: u8) {
        self.main.unlink(&mut self.slab, place);
        self.push(Queue::Main, place, uses - 1);
    }

    fn uses(&self, place: Place) -> u8 {
        self.slab.get(place).map_or(0, |slot| slot.links.uses())
    }

    /// Whoever comes next after the oldest of a queue, be it in the other one.
    fn beside(&self, oldest: Place) -> Option<Place> {
        let links = &self.slab.get(oldest)?.links;
        links.newer().or_else(|| match links.queue() {
            Queue::Young => self.main.oldest(),
            Queue::Main => self.young.oldest(),
        })
    }

    /// Where an entry is.
    pub(super) fn find(&self, key: &HashedKey<'_>) -> Option<Place> {
        self.slab.find(key)
    }

    /// How many slots there are to be walked through.
    pub(super) fn slots(&self) -> usize {
        self.slab.slots()
    }

    /// The entry in this slot.
    pub(super) fn at(&self, place: Place) -> Option<&Slot> {
        self.slab.get(place)
    }

    /// Takes the entry out of this slot, with its weight.
    pub(super) fn take(&mut self, place: Place) -> Option<Taken> {
        self.unlink(place);
        self.slab.remove(place)
    }

    /// The oldest of the queue that is too long once an entry has gone there, and how often it was read.
    #[inline]
    fn next_to_go(&self, queue: Queue) -> Option<(Queue, Place, u8)> {
        let from = self.gives_up(queue);
        let place = match from {
            Queue::Young => self.young.oldest()?,
            Queue::Main => self.main.oldest()?,
        };
        self.slab.prefetch(place);
        Some((from, place, self.uses(place)))
    }

    /// Which queue is too long once an entry has gone there.
    fn gives_up(&self, queue: Queue) -> Queue {
        let young = self.young.len() + usize::from(queue == Queue::Young);
        let too_long = self.young.len() > 0 && self.balance.is_passed(young, self.len());
        if too_long || self.main.len() == 0 { Queue::Young } else { Queue::Main }
    }

    /// Whether an entry at the end of the main queue has not been read since its last turn; those that have been go
    /// round once more.
    fn challenge(&mut self) -> bool {
        for _ in 0..CHALLENGES {
            let Some(place) = self.main.oldest() else { return true };
            let uses = self.uses(place);
            if uses == 0 {
                return true;
            }
            self.send_round(place, uses);
        }
        false
    }

    fn push(&mut self, queue: Queue, place: Place, uses: u8) {
        match queue {
            Queue::Young => self.young.push(&mut self.slab, place, Links::new(queue, uses)),
            Queue::Main => self.main.push(&mut self.slab, place, Links::new(queue, uses)),
        }
    }

    fn unlink(&mut self, place: Place) {
        match self.slab.get(place).map(|slot| slot.links.queue()) {
            Some(Queue::Young) => self.young.unlink(&mut self.slab, place),
            Some(Queue::Main) => self.main.unlink(&mut self.slab, place),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Moment;
    use crate::key::Prefix;

    #[test]
    fn the_entry_that_is_spared_stays_in_its_slot_while_all_others_leave() {
        let whole = Prefix::default();
        for eviction in [Eviction::Default, Eviction::Lru] {
            for (spared, queue) in [(0, Queue::Main), (0, Queue::Young), (2, Queue::Main), (4, Queue::Young)]
            {
                let queue = if eviction == Eviction::Lru { Queue::Main } else { queue };
                let names: Vec<String> = (0..5).map(|n| n.to_string()).collect();
                let keys: Vec<_> = names.iter().map(|name| whole.key(name).unwrap()).collect();
                let hashed = |n: usize| HashedKey { key: keys[n], hash: n as u64 };
                let mut queues = Queues::new();
                for (n, key) in keys.iter().enumerate() {
                    let (key, part, links) = (key.kept(), hashed(n).part(), Links::new(queue, 0));
                    let slot = Slot { key, end: Moment::NEVER, links, number: 0, part };
                    queues.insert(queue, slot, Arc::new(n), 0, 5);
                }
                let place = queues.find(&hashed(spared));
                let left = std::iter::from_fn(|| queues.evict(Queue::Young, eviction, place)).count();
                assert_eq!((left, queues.len()), (4, 1), "{eviction:?} {spared}");
                assert!(place.is_some() && queues.find(&hashed(spared)) == place, "{eviction:?} {spared}");
            }
        }
    }
}
