//! The in-process store: bounded shards that keep values as they are.
//!
//! Nothing here waits: locks are held for a few list operations. Expiry is checked on every read, so the background
//! sweep only saves memory and correctness never depends on it.

mod budget;
mod ghosts;
mod gone;
mod hash;
mod list;
mod loads;
mod lock;
mod lone;
mod queues;
mod shard;
mod slab;
mod slot;
#[cfg(test)]
mod tests;
mod weight;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use self::budget::Budget;
use self::gone::Leaving;
pub(crate) use self::gone::Listener;
pub(crate) use self::hash::KeyHasher;
use self::loads::Seat;
use self::lock::{Cell, Inside};
pub(crate) use self::lone::{Lone, Takeoff};
pub(crate) use self::shard::Incoming;
pub(crate) use self::shard::Sum;
use self::shard::{Common, STRETCH, Shard, Stored};
use self::slot::HashedKey;
pub(crate) use self::weight::Weigher;
pub use self::weight::Weighing;
use super::flight::{Boarding, Flight, Leader, Listing};
use crate::clock::{Clock, Moment};
use crate::entry::{Ask, Condition, Found, Item, Lease, Lookup, Object, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::eviction::Eviction;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::removal::RemovalCause;
use crate::stats::Stats;
use crate::ttl::Remaining;

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
            share: max_entries / count,
        };
        let cells = (0..count).map(|_| Cell::new(Shard::new())).collect();
        Store { cells, hasher, common, max_bytes, weigher, listener }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.common.clock
    }

    /// The value, shared.
    #[inline]
    pub(crate) fn object(&self, key: &Key<'_>) -> Result<Option<Arc<dyn Object>>> {
        self.read(key, Arc::clone)
    }

    /// Makes something of the value in place: `view` runs while its shard is locked, and may not use any store.
    #[inline]
    pub(crate) fn view<R>(
        &self,
        key: &Key<'_>,
        view: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Result<Option<R>> {
        self.read(key, |object| {
            let _inside = Inside::enter();
            view(object)
        })
    }

    #[inline]
    fn read<R>(&self, key: &Key<'_>, view: impl FnOnce(&Arc<dyn Object>) -> R) -> Result<Option<R>> {
        let key = self.hashed(key);
        let cell = self.cell(key.hash);
        let seen = cell.lock()?.view(&key, &self.common, view);
        Ok(seen.unwrap_or_else(|_due| self.expire(cell, &key)))
    }

    /// Removes an entry that a read found to have ended, unless somebody has written it since.
    #[cold]
    fn expire<R>(&self, cell: &Cell, key: &HashedKey<'_>) -> Option<R> {
        // The read was inside of no view.
        let _ = self.change_in(cell, |shard, leaving| shard.notice_expiry(key, &self.common, leaving));
        None
    }

    pub(crate) fn get(&self, key: &Key<'_>) -> Result<Option<Found>> {
        self.look(key, |shard, key, leaving| shard.get(key, &self.common, leaving))
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
        self.store_by(key, |shard, key, leaving| shard.store(key, &mut incoming, when, &self.common, leaving))
    }

    /// Removes and hands out a value that was still alive.
    pub(crate) fn take(&self, key: &Key<'_>, version: Option<&Version>) -> Result<Option<Item>> {
        let object =
            self.change(key, |shard, key, leaving| shard.take(key, version, &self.common, leaving))?;
        Ok(object.map(Item::Object))
    }

    pub(crate) fn touch(&self, key: &Key<'_>, end: Moment) -> Result<bool> {
        self.change(key, |shard, key, _| shard.touch(key, end, self.clock()))
    }

    /// When the entry ends, if it is there.
    pub(crate) fn end(&self, key: &Key<'_>) -> Result<Option<Moment>> {
        self.look(key, |shard, key, _| shard.end(key, self.clock()))
    }

    pub(crate) fn remaining(&self, key: &Key<'_>) -> Result<Option<Remaining>> {
        let end = self.end(key)?;
        Ok(end.and_then(|end| self.clock().until(end.minus(key.stale_for()))))
    }

    /// Adds to a counter, or begins one.
    pub(crate) fn add(&self, key: &Key<'_>, delta: i64, end: Moment) -> Result<Sum> {
        let mut incoming = Some(self.incoming(key, Arc::new(delta), end)?);
        let mut sum = Sum::Is(delta);
        self.store_by(key, |shard, key, leaving| match shard.add(key, delta, &self.common, leaving) {
            Some(counted) => {
                sum = counted;
                Stored::No
            }
            None => shard.store(key, &mut incoming, &Condition::Always, &self.common, leaving),
        })?;
        Ok(sum)
    }

    /// Looks at a key, and takes the lease of one that holds nothing if asked for it.
    pub(crate) fn lookup(&self, key: &Key<'_>, ask: Ask) -> Result<Lookup<Found>> {
        self.look(key, |shard, key, leaving| {
            let found = match ask {
                Ask::Value => shard.get(key, &self.common, leaving),
                _ => shard.get_aged(key, &self.common, leaving),
            };
            match (found, ask) {
                (Some(found), _) => Lookup::Hit(found),
                (None, Ask::Lease(_)) => {
                    Lookup::Lease(Lease { token: Some(Version::Number(shard.lease(key))) })
                }
                (None, _) => Lookup::Absent,
            }
        })
    }

    /// Stores only if nothing has touched the key since the lease was taken.
    pub(crate) fn fill(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        object: Arc<dyn Object>,
        end: Moment,
    ) -> Result<bool> {
        let Some(Version::Number(lease)) = lease.token else { return Ok(false) };
        let mut incoming = Some(self.incoming(key, object, end)?);
        self.fill_by(key, lease, &mut incoming)
    }

    pub(crate) fn abandon(&self, key: &Key<'_>, lease: &Lease) -> Result<()> {
        match lease.token {
            Some(Version::Number(lease)) => self.look(key, |shard, key, _| shard.loads.spend(key, lease)),
            _ => Ok(()),
        }
    }

    /// Joins the load of this key, or begins it; `shown` as in [`Flights::board`](super::flight::Flights::board).
    pub(crate) fn board(self: &Arc<Self>, key: &Key<'_>, shown: Option<&Version>) -> Result<Boarding> {
        let seat = self.look(key, |shard, key, _| {
            let number = shard.next();
            shard.loads.board(key, number, shown)
        })?;
        Ok(match seat {
            Seat::Lead(flight) => Boarding::Lead(Leader::new(Arc::clone(self) as _, key.kept(), flight)),
            Seat::Follow(flight) => Boarding::Follow(flight),
            Seat::Outdated(flight) => Boarding::Outdated(flight),
        })
    }

    /// Removes every entry of this namespace whose name fits; says how many.
    pub(crate) fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern) -> Result<u64> {
        let meant =
            |joined: &str| joined.strip_prefix(prefix.as_str()).is_some_and(|name| pattern.matches(name));
        let mut cleared = 0;
        for cell in &self.cells {
            cleared +=
                self.walk(cell, |shard, from, leaving| shard.clear(meant, from, &self.common, leaving))?;
        }
        Ok(cleared)
    }

    /// Removes what is due.
    pub(crate) fn sweep(&self) {
        for cell in &self.cells {
            let now = self.clock().now();
            // The sweeper's thread is inside of no view.
            let _ = self.walk(cell, |shard, from, leaving| shard.sweep(now, from, &self.common, leaving));
        }
    }

    /// Walks through a shard, stretch by stretch, so that nobody waits for its lock for long; says how many were cleared.
    fn walk(
        &self,
        cell: &Cell,
        mut walk: impl FnMut(&mut Shard, usize, &mut Leaving) -> bool,
    ) -> Result<u64> {
        let (mut from, mut more, mut cleared) = (0, true, 0);
        while more {
            let mut leaving = Leaving::default();
            more = self.change_alone(cell, &mut leaving, |shard, leaving| walk(shard, from, leaving))?;
            from += STRETCH;
            cleared += leaving.cleared();
            self.part(cell, leaving);
        }
        Ok(cleared)
    }

    /// Sums up what each shard counts, beside all locks.
    pub(crate) fn stats(&self) -> Stats {
        let sum =
            |cause| Some(self.cells.iter().map(|cell| cell.counts.of(cause).load(Ordering::Relaxed)).sum());
        Stats {
            entries: Some(self.common.entries.used()),
            weight: self.common.weight.as_ref().map(Budget::used),
            evicted: sum(RemovalCause::Evicted),
            expired: sum(RemovalCause::Expired),
            replaced: sum(RemovalCause::Replaced),
            removed: sum(RemovalCause::Deleted),
            cleared: sum(RemovalCause::Cleared),
            ..Stats::default()
        }
    }

    /// Fills a key under a lease.
    fn fill_by(&self, key: &Key<'_>, lease: u64, incoming: &mut Option<Incoming>) -> Result<bool> {
        self.store_by(key, |shard, key, leaving| shard.fill(key, lease, incoming, &self.common, leaving))
    }

    /// Tries to store until there is room.
    fn store_by(
        &self,
        key: &Key<'_>,
        mut store: impl FnMut(&mut Shard, &HashedKey<'_>, &mut Leaving) -> Stored,
    ) -> Result<bool> {
        loop {
            match self.change(key, &mut store)? {
                Stored::Yes => return Ok(true),
                Stored::No => return Ok(false),
                Stored::Full => self.relieve(key)?,
            }
        }
    }

    /// Has a shard give up an entry for a key of another: one that holds more than its share, or else any.
    #[cold]
    fn relieve(&self, key: &Key<'_>) -> Result<()> {
        let own = self.index(self.hasher.hash(key));
        let others = || self.cells[own + 1..].iter().chain(&self.cells[..own]);
        let held = |cell: &&Cell| cell.counts.entries.load(Ordering::Relaxed) as usize;
        let large = others().find(|cell| held(cell) > self.common.share);
        if let Some(cell) = large.or_else(|| others().find(|cell| held(cell) > 0)) {
            self.change_in(cell, |shard, leaving| shard.evict(&self.common, leaving))?;
        }
        Ok(())
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

    /// One shard, under its lock; then parts with what has left it.
    #[inline]
    fn look<R>(
        &self,
        key: &Key<'_>,
        look: impl FnOnce(&mut Shard, &HashedKey<'_>, &mut Leaving) -> R,
    ) -> Result<R> {
        let key = self.hashed(key);
        let cell = self.cell(key.hash);
        let mut leaving = Leaving::default();
        let result = look(&mut *cell.lock()?, &key, &mut leaving);
        if !leaving.is_empty() {
            self.part(cell, leaving);
        }
        Ok(result)
    }

    /// [`look`](Store::look), where the number of entries may change.
    fn change<R>(
        &self,
        key: &Key<'_>,
        change: impl FnOnce(&mut Shard, &HashedKey<'_>, &mut Leaving) -> R,
    ) -> Result<R> {
        let key = self.hashed(key);
        self.change_in(self.cell(key.hash), |shard, leaving| change(shard, &key, leaving))
    }

    fn change_in<R>(&self, cell: &Cell, change: impl FnOnce(&mut Shard, &mut Leaving) -> R) -> Result<R> {
        let mut leaving = Leaving::default();
        let result = self.change_alone(cell, &mut leaving, change)?;
        if !leaving.is_empty() {
            self.part(cell, leaving);
        }
        Ok(result)
    }

    fn change_alone<R>(
        &self,
        cell: &Cell,
        leaving: &mut Leaving,
        change: impl FnOnce(&mut Shard, &mut Leaving) -> R,
    ) -> Result<R> {
        let mut shard = cell.lock()?;
        let result = change(&mut shard, leaving);
        cell.counts.entries.store(shard.len() as u64, Ordering::Relaxed);
        Ok(result)
    }

    #[cold]
    fn part(&self, cell: &Cell, leaving: Leaving) {
        leaving.part(&cell.counts, self.listener.as_ref());
    }

    #[inline]
    fn hashed<'a>(&self, key: &'a Key<'a>) -> HashedKey<'a> {
        HashedKey { key, hash: self.hasher.hash(key) }
    }

    /// The upper half picks the shard, since the lower half picks the bucket inside it.
    #[inline]
    fn cell(&self, hash: u64) -> &Cell {
        &self.cells[self.index(hash)]
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.cells.len() - 1)
    }
}

impl Listing for Store {
    fn strike(&self, joined: &str, flight: &Arc<Flight>) {
        let whole = Prefix::default();
        if let Ok(key) = whole.key(joined) {
            // Within a view nothing can be struck. Nobody waits for that flight for long: it has landed.
            let _ = self.look(&key, |shard, key, _| shard.loads.strike(key, flight));
        }
    }
}

/// One shard per 256 entries, so that each has enough of them to learn from, and at most 256.
fn shard_count(capacity: usize) -> usize {
    capacity.div_ceil(256).next_power_of_two().min(256)
}
