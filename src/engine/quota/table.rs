//! What subjects have taken, in this process: a table beside the entries of caches, so that nothing is evicted for want of room.
//!
//! It is bounded by what means something: a shard that is full forgets what means nothing any more before it grows.

use hashbrown::HashTable;

use super::super::memory::KeyHasher;
use super::super::sync::{Mutex, MutexGuard, PoisonError};
use super::{Clocks, Micros, Permits, State};
use crate::clock::Clock;
use crate::decision::Decision;
use crate::key::{Key, KeyText};

#[derive(Default)]
pub(crate) struct Table {
    shards: [Mutex<Shard>; SHARDS],
    hasher: KeyHasher,
}

#[derive(Default)]
struct Shard {
    held: HashTable<Held>,
    /// The size at which what means nothing is cleared away; doubles with what is left.
    limit: usize,
}

struct Held {
    hash: u64,
    key: KeyText,
    state: State,
    /// From when on it means nothing.
    end: Micros,
}

impl Table {
    /// One step: looks, decides and keeps.
    pub(crate) fn take(&self, key: &Key<'_>, permits: &Permits, clock: &Clock) -> Decision {
        let Permits { terms, n, now: given } = permits;
        let hash = self.hasher.hash(key);
        let mut shard = self.shard(hash);
        // Under the lock, so that no state is from the future of who comes next.
        let now = given.unwrap_or_else(|| clock.micros());
        if let Some(held) = shard.held.find_mut(hash, |held| held.key.is(key)) {
            let (allowed, changed) = held.state.take(terms, now, *n, Clocks::One);
            if changed {
                held.end = now.saturating_add(held.state.rest(terms, now));
            }
            return held.state.tell(terms, now, *n, allowed);
        }
        let mut state = State::new(terms.algorithm);
        let (allowed, changed) = state.take(terms, now, *n, Clocks::One);
        let decision = state.tell(terms, now, *n, allowed);
        if changed {
            let end = now.saturating_add(state.rest(terms, now));
            shard.make_room(now);
            let held = Held { hash, key: key.kept(), state, end };
            shard.held.insert_unique(hash, held, |held| held.hash);
        }
        decision
    }

    /// Forgets a subject; says whether it had taken anything.
    pub(crate) fn forget(&self, key: &Key<'_>) -> bool {
        let hash = self.hasher.hash(key);
        let mut shard = self.shard(hash);
        let found = shard.held.find_entry(hash, |held| held.key.is(key));
        found.map(|entry| drop(entry.remove())).is_ok()
    }

    /// The lowest bits choose a place in the shard's own table. No user code runs under the lock, so a poisoned one still
    /// guards a whole table.
    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        let shard = (hash >> 32) as usize % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        (0..SHARDS).map(|shard| self.shard((shard as u64) << 32).held.len()).sum()
    }
}

impl Shard {
    fn make_room(&mut self, now: Micros) {
        if self.held.len() >= self.limit {
            self.held.retain(|held| held.end > now);
            self.limit = FEW.max(2 * self.held.len());
        }
    }
}

pub(super) const SHARDS: usize = 16;
pub(super) const FEW: usize = 64;
