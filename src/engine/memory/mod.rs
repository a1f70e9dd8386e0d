//! The in-process store: bounded shards of LRU lists that keep values as they are.
//!
//! Nothing here waits: locks are held for one list operation. Expiry is checked on every read, so the
//! background sweep only saves memory and correctness never depends on it.

mod shard;
mod slot;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::shard::Sum;
use self::shard::{Counts, Shard};
use self::slot::HashedKey;
use super::Seed;
use crate::clock::{Clock, Moment};
use crate::entry::{Ask, Condition, Found, Item, Lease, Lookup, Object, Version};
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::stats::Stats;
use crate::ttl::Remaining;

/// A bounded map from keys to values of any type, shared by threads and tasks alike.
pub(crate) struct Store {
    shards: Box<[Padded]>,
    seed: Seed,
    pub(crate) clock: Clock,
}

/// Two cache lines to itself, so that neighbouring locks do not slow each other.
#[repr(align(128))]
struct Padded(Mutex<Shard>);

impl Store {
    /// A store that never holds more than `capacity` entries.
    pub(crate) fn new(capacity: usize, clock: Clock) -> Store {
        let count = shard_count(capacity);
        let shard = |index| {
            let share = capacity / count + usize::from(index < capacity % count);
            Padded(Mutex::new(Shard::new(share)))
        };
        Store { shards: (0..count).map(shard).collect(), seed: Seed::default(), clock }
    }

    pub(crate) fn get(&self, key: &Key<'_>) -> Option<Found> {
        let key = self.hashed(key);
        // Binding first releases the lock before an expired value is dropped.
        let (found, _expired) = self.shard(key.hash).get(&key, &self.clock);
        found
    }

    /// The value alone, where nobody asks which write it came from.
    #[inline]
    pub(crate) fn object(&self, key: &Key<'_>) -> Option<Arc<dyn Object>> {
        let key = self.hashed(key);
        let (object, _expired) = self.shard(key.hash).object(&key, &self.clock);
        object
    }

    pub(crate) fn store(
        &self,
        key: &Key<'_>,
        object: Arc<dyn Object>,
        end: Moment,
        when: &Condition,
    ) -> bool {
        let key = self.hashed(key);
        let (stored, _displaced) = self.shard(key.hash).store(key, object, end, when, &self.clock);
        stored
    }

    /// Removes and hands out a value that was still alive.
    pub(crate) fn take(&self, key: &Key<'_>, version: Option<&Version>) -> Option<Item> {
        let key = self.hashed(key);
        let (alive, object) = self.shard(key.hash).remove(&key, version, &self.clock);
        object.filter(|_| alive).map(Item::Object)
    }

    pub(crate) fn touch(&self, key: &Key<'_>, end: Moment) -> bool {
        let key = self.hashed(key);
        self.shard(key.hash).touch(&key, end, &self.clock)
    }

    /// When the entry ends, if it is there.
    pub(crate) fn end(&self, key: &Key<'_>) -> Option<Moment> {
        let key = self.hashed(key);
        self.shard(key.hash).end(&key, &self.clock)
    }

    pub(crate) fn remaining(&self, key: &Key<'_>) -> Option<Remaining> {
        self.clock.until(self.end(key)?.minus(key.stale_for()))
    }

    pub(crate) fn add(&self, key: &Key<'_>, delta: i64, end: Moment) -> Sum {
        let key = self.hashed(key);
        let (sum, _displaced) = self.shard(key.hash).add(key, delta, end, &self.clock);
        sum
    }

    /// Looks at a key, and takes the lease of one that holds nothing if asked for it.
    pub(crate) fn lookup(&self, key: &Key<'_>, ask: Ask) -> Lookup<Found> {
        let key = self.hashed(key);
        let mut shard = self.shard(key.hash);
        let (found, _expired) = match ask {
            Ask::Value => shard.get(&key, &self.clock),
            _ => shard.get_aged(&key, &self.clock),
        };
        let lookup = match (found, ask) {
            (Some(found), _) => Lookup::Hit(found),
            (None, Ask::Lease(_)) => {
                Lookup::Lease(Lease { token: Some(Version::Number(shard.lease(key.hash))) })
            }
            (None, _) => Lookup::Absent,
        };
        // Before what has expired is dropped.
        drop(shard);
        lookup
    }

    /// Stores only if nothing has touched the key since the lease was taken.
    pub(crate) fn fill(&self, key: &Key<'_>, lease: &Lease, object: Arc<dyn Object>, end: Moment) -> bool {
        let Some(Version::Number(lease)) = lease.token else { return false };
        let key = self.hashed(key);
        let (stored, _displaced) = self.shard(key.hash).fill(key, lease, object, end);
        stored
    }

    pub(crate) fn abandon(&self, key: &Key<'_>, lease: &Lease) {
        if let Some(Version::Number(lease)) = lease.token {
            let key = self.hashed(key);
            self.shard(key.hash).abandon(key.hash, lease);
        }
    }

    /// Removes every entry of this namespace whose name fits; says how many.
    pub(crate) fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern) -> u64 {
        let unwanted =
            |joined: &str| joined.strip_prefix(prefix.as_str()).is_some_and(|name| pattern.matches(name));
        self.retain(unwanted, Shard::void_leases)
    }

    /// Removes what is due, one shard at a time.
    pub(crate) fn sweep(&self) {
        self.retain(|_| false, |_| ());
    }

    pub(crate) fn stats(&self) -> Stats {
        let (mut entries, mut total) = (0, Counts::default());
        for shard in &self.shards {
            let shard = lock(&shard.0);
            entries += shard.len() as u64;
            total.evicted += shard.counts.evicted;
            total.expired += shard.counts.expired;
            total.removed += shard.counts.removed;
        }
        Stats {
            entries: Some(entries),
            evicted: Some(total.evicted),
            expired: Some(total.expired),
            removed: Some(total.removed),
            ..Stats::default()
        }
    }

    fn retain(&self, unwanted: impl Fn(&str) -> bool, and: impl Fn(&mut Shard)) -> u64 {
        let mut removed = 0;
        for shard in &self.shards {
            let mut displaced = Vec::new();
            let mut shard = lock(&shard.0);
            removed += shard.retain(&self.clock, &unwanted, &mut displaced);
            and(&mut shard);
            drop(shard);
            drop_each(displaced);
        }
        removed
    }

    #[inline]
    fn hashed<'a>(&self, key: &Key<'a>) -> HashedKey<'a> {
        HashedKey::new(*key, &self.seed)
    }

    /// The upper half picks the shard, since the lower half picks the bucket inside it.
    #[inline]
    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        lock(&self.shards[(hash >> 32) as usize & (self.shards.len() - 1)].0)
    }
}

/// Drops values one by one: one whose drop panics must not meet another on its way out, which would end the
/// process. The first panic goes on when all are gone.
fn drop_each(displaced: Vec<Arc<dyn Object>>) {
    let mut first = None;
    for object in displaced {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(object))) {
            first.get_or_insert(panic);
        }
    }
    if let Some(panic) = first {
        resume_unwind(panic);
    }
}

/// No user code runs under the lock, so a poisoned one still guards a whole shard.
#[inline]
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One shard per 256 entries, so that a skewed hash costs no noticeable room, and at most 256.
fn shard_count(capacity: usize) -> usize {
    capacity.div_ceil(ENTRIES_PER_SHARD).next_power_of_two().min(MAX_SHARDS)
}

const ENTRIES_PER_SHARD: usize = 256;
const MAX_SHARDS: usize = 256;
