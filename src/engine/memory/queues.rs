//! The order in which entries leave a full shard.
//!
//! By default two queues and a count of reads in each entry, as in S3-FIFO (Yang et al., SOSP 2023): what is new waits in
//! the young queue, and only what is read there comes into the main one, in which the oldest that was not
//! read since its last turn leaves. So a scan passes through the young queue and leaves the rest alone. How long the
//! young queue is follows what comes back: soon after it left the young queue, it was too short; soon after
//! the main one, too long (as in ARC, Megiddo and Modha, FAST 2003). Whoever comes back has to find an unread
//! entry at the end of the main queue to get in at once; so a loop that is longer than the shard keeps a part of itself
//! there in place of turning all of it over.
//!
//! A read is a count and no more: all moves are made when something has to leave.

use lru::LruCache;

use super::ghosts::{Ghosts, Queue};
use super::slot::{PassThroughBuilder, Probe, Slot, SlotKey};
use crate::eviction::Eviction;

type List = LruCache<SlotKey, Slot, PassThroughBuilder>;

/// The entries of a shard. What a hit needs comes first, so that it lies in the cache line of the lock.
#[repr(C)]
pub(super) struct Queues {
    main: List,
    /// Entries that have yet to be read again.
    young: List,
    /// The part of the shard that the young queue is meant to have, in [`WHOLE`]s.
    share: usize,
    ghosts: Ghosts,
}

const WHOLE: usize = 1 << 10;
/// Where the share begins, how far it goes, and how much it changes at once.
const FIRST: usize = WHOLE / 10;
const LEAST: usize = WHOLE / 20;
const MOST: usize = WHOLE - WHOLE / 50;
const STEP: usize = WHOLE / 64;
/// Reads count up to here; so many of them bring a young entry into the main queue.
const MOST_USES: u8 = 2;
/// Entries at the end of the main queue that one that comes back may challenge.
const CHALLENGES: usize = 2;
/// Who comes back within this part of the shard's entries counts as soon.
const SOON: usize = 5;
/// Steps after which the entry whose turn it is leaves whatever its count.
const STEPS: usize = 32;

impl Queues {
    pub(super) fn new() -> Queues {
        // Unbounded, since a bounded list reserves its whole capacity at once.
        let list = || List::unbounded_with_hasher(PassThroughBuilder::default());
        Queues { main: list(), young: list(), share: FIRST, ghosts: Ghosts::default() }
    }

    #[inline]
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
    pub(super) fn read(&mut self, key: &dyn Probe, eviction: Eviction) -> Option<&mut Slot> {
        if eviction == Eviction::Lru {
            return self.main.get_mut(key);
        }
        let slot = self.peek_mut(key)?;
        // Written only where it changes, so that what is popular dirties no cache line.
        if slot.uses < MOST_USES {
            slot.uses += 1;
        }
        Some(slot)
    }

    /// Where an entry that is not there will go, by what is known of its past.
    pub(super) fn place(&mut self, hash: u64, eviction: Eviction) -> Queue {
        if eviction == Eviction::Lru {
            return Queue::Main;
        }
        let Some(ghost) = self.ghosts.take(hash) else { return Queue::Young };
        let won = self.challenge();
        if ghost.age as usize <= self.len() / SOON {
            match ghost.queue {
                Queue::Main => self.share = self.share.saturating_sub(STEP).max(LEAST),
                Queue::Young if won => self.share = (self.share + STEP).min(MOST),
                Queue::Young => {}
            }
        }
        if won { Queue::Main } else { Queue::Young }
    }

    /// Takes in an entry that is not there; the caller has made room.
    pub(super) fn insert(&mut self, place: Queue, key: SlotKey, slot: Slot) {
        match place {
            Queue::Main => self.main.push(key, slot),
            Queue::Young => self.young.push(key, slot),
        };
    }

    /// While there is room, lets what the young queue has too much of go on into the main one in place of losing it.
    pub(super) fn overflow(&mut self, place: Queue, capacity: usize, eviction: Eviction) {
        for _ in 0..2 {
            let young = self.young.len() + 1;
            if place == Queue::Main || eviction == Eviction::Lru || young * WHOLE <= self.share * capacity {
                return;
            }
            if let Some((key, slot)) = self.young.pop_lru() {
                self.main.push(key, Slot { uses: 0, ..slot });
            }
        }
    }

    pub(super) fn remove(&mut self, key: &dyn Probe) -> Option<(SlotKey, Slot)> {
        self.main.pop_entry(key).or_else(|| self.young.pop_entry(key))
    }

    /// Gives up the entry that is worth least, for one that will go there. At most [`STEPS`] others are moved.
    pub(super) fn evict(&mut self, place: Queue, eviction: Eviction) -> Option<(SlotKey, Slot)> {
        if eviction == Eviction::Lru {
            return self.main.pop_lru();
        }
        for step in 0.. {
            let queue = self.gives_up(place);
            let (key, slot) = match queue {
                Queue::Young => self.young.pop_lru()?,
                Queue::Main => self.main.pop_lru()?,
            };
            let stays = match queue {
                Queue::Young => slot.uses >= MOST_USES,
                Queue::Main => slot.uses > 0,
            };
            if !stays || step == STEPS {
                self.ghosts.push(key.hash, queue, self.len() + 1);
                return Some((key, slot));
            }
            let uses = if queue == Queue::Main { slot.uses - 1 } else { 0 };
            self.main.push(key, Slot { uses, ..slot });
        }
        None
    }

    /// Keeps the entries that are wanted, in their order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&SlotKey, &mut Slot) -> bool) {
        self.young.retain(&mut keep);
        self.main.retain(&mut keep);
    }

    /// Which queue is too long once an entry has gone there.
    fn gives_up(&self, place: Queue) -> Queue {
        let young = self.young.len() + usize::from(place == Queue::Young);
        match self.main.is_empty() || (!self.young.is_empty() && young * WHOLE > self.share * self.len()) {
            true => Queue::Young,
            false => Queue::Main,
        }
    }

    /// Whether an entry at the end of the main queue has not been read since its last turn; those that have been go
    /// round once more.
    fn challenge(&mut self) -> bool {
        for _ in 0..CHALLENGES {
            match self.main.peek_lru() {
                None | Some((_, Slot { uses: 0, .. })) => return true,
                Some(_) => {}
            }
            if let Some((key, slot)) = self.main.pop_lru() {
                self.main.push(key, Slot { uses: slot.uses - 1, ..slot });
            }
        }
        false
    }
}
