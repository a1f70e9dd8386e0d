//! The in-process store: bounded shards that keep values as they are.
//!
//! Nothing here waits: locks are held for a few list operations. Expiry is checked on every read, so the background
//! sweep only saves memory and correctness never depends on it.

mod balance;
mod budget;
mod common;
mod fast;
mod ghosts;
mod gone;
mod hash;
mod leases;
mod list;
mod loads;
mod lock;
mod lone;
mod queues;
#[cfg(all(test, shuttle))]
mod races;
mod read;
mod room;
mod shard;
mod slab;
mod slot;
#[cfg(test)]
mod tests;
mod underway;
mod walk;
mod weight;
mod within;

use std::sync::Arc;

use self::budget::Budget;
use self::common::Common;
pub(crate) use self::fast::{FastPath, Glance};
pub(crate) use self::gone::Listener;
use self::gone::{Leaving, Panics};
pub(crate) use self::hash::KeyHasher;
use self::lock::Cell;
pub(crate) use self::lone::{Lone, Missing, Sought};
pub(crate) use self::read::viewing;
pub(crate) use self::shard::Incoming;
pub(crate) use self::shard::Sum;
use self::shard::{Shard, Stored};
use self::slot::{HashedKey, Place};
pub(crate) use self::weight::Weigher;
pub use self::weight::Weighing;
use crate::clock::{Clock, Moment};
use crate::entry::{Condition, Item, Object, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::eviction::Eviction;
use crate::key::Key;

/// A bounded map from keys to values of any type, shared by threads and tasks alike.
///
/// Every method is `Unsupported` within the closure of [`view`](Store::view).
pub(crate) struct Store {
    cells: Box<[Cell]>,
    hasher: KeyHasher,
    common: Common,
    max_bytes: Option<u64>,
    weigher: Weigher,
    listener: Option<Listener>,
}

/// What a store is made of.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(crate) max_entries: usize,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) eviction: Eviction,
    pub(crate) hasher: KeyHasher,
    pub(crate) weigher: Weigher,
    pub(crate) listener: Option<Listener>,
    pub(crate) clock: Clock,
}

impl Store {
    pub(crate) fn new(plan: Plan) -> Store {
        let Plan { max_entries, max_bytes, eviction, hasher, weigher, listener, clock } = plan;
        let count = shard_count(max_entries);
        let common = Common {
            clock,
            eviction,
            entries: Budget::of_units(max_entries),
            weight: max_bytes.map(Budget::new),
            share: (max_entries / count).min(Place::MOST),
        };
        let cells = (0..count).map(|_| Cell::new(Shard::new())).collect();
        Store { cells, hasher, common, max_bytes, weigher, listener }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.common.clock
    }

    pub(crate) fn store(
        &self,
        key: &Key<'_>,
        object: Arc<dyn Object>,
        end: Moment,
        when: &Condition,
    ) -> Result<bool> {
        self.put(key, self.incoming(key, object, end)?, when)
    }

    /// [`store`](Store::store) for what was weighed before.
    pub(crate) fn put(&self, key: &Key<'_>, incoming: Incoming, when: &Condition) -> Result<bool> {
        let mut incoming = Some(incoming);
        self.store_by(&self.hashed(key), |shard, key, leaving| {
            shard.store(key, &mut incoming, when, &self.common, leaving)
        })
    }

    /// Removes and hands out a value that was still alive.
    pub(crate) fn take(&self, key: &Key<'_>, version: Option<&Version>) -> Result<Option<Item>> {
        let object = self.change(&self.hashed(key), |shard, key, leaving| {
            shard.take(key, version, &self.common, leaving)
        })?;
        Ok(object.map(Item::Object))
    }

    pub(crate) fn touch(&self, key: &Key<'_>, end: Moment) -> Result<bool> {
        self.change(&self.hashed(key), |shard, key, _| shard.touch(key, end, self.clock()))
    }

    /// Adds to a counter, or begins one.
    pub(crate) fn add(&self, key: &Key<'_>, delta: i64, end: Moment) -> Result<Sum> {
        let hashed = self.hashed(key);
        let counted =
            self.change(&hashed, |shard, key, leaving| shard.add(key, delta, &self.common, leaving))?;
        if let Some(sum) = counted {
            return Ok(sum);
        }
        let mut incoming = Some(self.incoming(key, Arc::new(delta), end)?);
        let mut sum = Sum::Is(delta);
        // Somebody may have begun it meanwhile.
        self.store_by(&hashed, |shard, key, leaving| match shard.add(key, delta, &self.common, leaving) {
            Some(counted) => {
                sum = counted;
                Stored::No
            }
            None => shard.store(key, &mut incoming, &Condition::Always, &self.common, leaving),
        })?;
        Ok(sum)
    }

    /// Tries to store until there is room. What has left on the way is parted with before, but a panic of its listener
    /// goes on after.
    fn store_by(
        &self,
        key: &HashedKey<'_>,
        mut store: impl FnMut(&mut Shard, &HashedKey<'_>, &mut Leaving) -> Stored,
    ) -> Result<bool> {
        let (cell, mut leaving) = (self.cell(key.hash), Leaving::default());
        let mut stored =
            self.change_alone(cell, &mut leaving, |shard, leaving| store(shard, key, leaving))?;
        if matches!(stored, Stored::Full) {
            let mut panics = Panics::default();
            panics.hold(|| self.part(cell, &mut leaving));
            while matches!(stored, Stored::Full) {
                panics.hold(|| self.relieve(key)).transpose()?;
                stored = self.change_holding(key, &mut panics, &mut store)?;
            }
            panics.go_on();
        }
        self.part(cell, &mut leaving);
        Ok(matches!(stored, Stored::Yes))
    }

    /// A value with its weight.
    ///
    /// # Errors
    /// `TooLarge` for what weighs more than all entries may weigh together.
    pub(crate) fn incoming(&self, key: &Key<'_>, object: Arc<dyn Object>, end: Moment) -> Result<Incoming> {
        let Some(budget) = &self.common.weight else { return Ok(Incoming { object, end, weight: 0 }) };
        let bytes = self.weigher.weigh(key, &*object);
        match budget.units(bytes) {
            Some(weight) => Ok(Incoming { object, end, weight }),
            None => Err(self.too_heavy(bytes)),
        }
    }

    #[cold]
    fn too_heavy(&self, bytes: u64) -> Error {
        let most = self.max_bytes.unwrap_or_default();
        let text = format!("the entry weighs {bytes}, and all together may weigh {most}; raise max_bytes");
        Error::new(ErrorKind::TooLarge, text)
    }
}

/// One shard per 256 entries, so that each has enough of them to learn from, and at most 256.
fn shard_count(capacity: usize) -> usize {
    capacity.div_ceil(256).next_power_of_two().min(256)
}
