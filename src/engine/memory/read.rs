//! Reads: under a lock that readers share, since all that a read changes is a count.
//!
//! What a hit takes is one straight run of code in registers, hence `inline(always)`: handed over in memory from function
//! to function, its result would cost more than finding it. For the same reason what lies beside that way is not inlined,
//! and takes keys by value: no reference to one has to be had.

use std::sync::Arc;

use super::Store;
use super::lock::{Cell, Inside};
use super::shard::Shard;
use super::slot::{HashedKey, Slot};
use crate::clock::{Clock, Moment};
use crate::entry::{Found, Item, Object, Version};
use crate::error::Result;
use crate::eviction::Eviction;
use crate::key::Key;
use crate::ttl::Remaining;

impl Slot {
    /// An entry that is kept, past its time or not; `None` if its stay is over.
    pub(super) fn aged(&self, clock: &Clock) -> Option<Found> {
        clock.until(self.end).map(|left| self.found(Some(left)))
    }

    /// Whether the value is past its time, be it kept for longer or not.
    #[inline(always)]
    pub(super) fn is_due(&self, key: &HashedKey<'_>, clock: &Clock) -> bool {
        clock.has_passed(self.end.minus(key.key.stale_for()))
    }

    fn found(&self, remaining: Option<Remaining>) -> Found {
        let item = Item::Object(Arc::clone(&self.object));
        Found { item, version: Some(Version::Number(self.number.into())), remaining }
    }
}

impl Store {
    /// The value, shared.
    #[inline(always)]
    pub(crate) fn object(&self, key: &Key<'_>) -> Result<Option<Arc<dyn Object>>> {
        self.read_fresh(&self.hashed(key), |slot| Arc::clone(&slot.object), |_| ())
    }

    /// Makes something of the value in place: `view` runs while its shard is locked, and may not use any store.
    #[inline(always)]
    pub(crate) fn view<R>(
        &self,
        key: &Key<'_>,
        view: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Result<Option<R>> {
        self.view_at(&self.hashed(key), view, |_| ())
    }

    #[inline(always)]
    pub(super) fn view_at<R>(
        &self,
        key: &HashedKey<'_>,
        view: impl FnOnce(&Arc<dyn Object>) -> R,
        miss: impl FnOnce(&Shard),
    ) -> Result<Option<R>> {
        let view = |slot: &Slot| {
            let _inside = Inside::enter();
            view(&slot.object)
        };
        self.read_fresh(key, view, miss)
    }

    pub(crate) fn get(&self, key: &Key<'_>) -> Result<Option<Found>> {
        self.get_at(&self.hashed(key))
    }

    pub(super) fn get_at(&self, key: &HashedKey<'_>) -> Result<Option<Found>> {
        self.read_fresh(key, |slot| slot.found(None), |_| ())
    }

    /// [`get_at`](Store::get_at) with what is left of the entry's stay, also where that is past its time.
    pub(super) fn get_aged(&self, key: &HashedKey<'_>) -> Result<Option<Found>> {
        self.read(key, |slot, _| slot.aged(self.clock()), |_| ())
    }

    /// When the entry ends, if it is there; does not count as a use.
    pub(crate) fn end(&self, key: &Key<'_>) -> Result<Option<Moment>> {
        let key = self.hashed(key);
        Ok(self.cell(key.hash).read()?.end(&key, self.clock()))
    }

    pub(crate) fn remaining(&self, key: &Key<'_>) -> Result<Option<Remaining>> {
        let end = self.end(key)?;
        Ok(end.and_then(|end| self.clock().until(end.minus(key.stale_for()))))
    }

    #[inline(always)]
    fn read_fresh<R>(
        &self,
        key: &HashedKey<'_>,
        make: impl FnOnce(&Slot) -> R,
        miss: impl FnOnce(&Shard),
    ) -> Result<Option<R>> {
        let see = |slot: &Slot, key: &HashedKey<'_>| {
            if slot.is_due(key, self.clock()) { None } else { Some(make(slot)) }
        };
        self.read(key, see, miss)
    }

    /// What `see` makes of the entry; `None` also if it makes nothing of one that is past its time. `miss` is shown the
    /// shard as it was when there was nothing.
    #[inline(always)]
    fn read<R>(
        &self,
        key: &HashedKey<'_>,
        see: impl FnOnce(&Slot, &HashedKey<'_>) -> Option<R>,
        miss: impl FnOnce(&Shard),
    ) -> Result<Option<R>> {
        let cell = self.cell(key.hash);
        if self.common.eviction == Eviction::Lru {
            // In parts, or the result of the other way would lie in memory too.
            return match self.read_alone(cell, *key, see, miss)? {
                Some(seen) => Ok(Some(seen)),
                None => Ok(None),
            };
        }
        let shard = cell.read()?;
        let Some(slot) = shard.queues.glance(key) else {
            miss(&shard);
            return Ok(None);
        };
        let Some(seen) = see(slot, key) else {
            let is_over = self.clock().has_passed(slot.end);
            miss(&shard);
            drop(shard);
            if is_over {
                self.expire(cell, *key)?;
            }
            return Ok(None);
        };
        // Here, so that what follows a hit need not ask again whether it was one.
        drop(shard);
        Ok(Some(seen))
    }

    /// Where a read changes the order of all.
    #[inline(never)]
    fn read_alone<R>(
        &self,
        cell: &Cell,
        key: HashedKey<'_>,
        see: impl FnOnce(&Slot, &HashedKey<'_>) -> Option<R>,
        miss: impl FnOnce(&Shard),
    ) -> Result<Option<R>> {
        let mut shard = cell.lock()?;
        let slot = shard.queues.read(&key, Eviction::Lru);
        let seen = slot.as_ref().and_then(|slot| see(slot, &key));
        let is_over = seen.is_none() && slot.is_some_and(|slot| self.clock().has_passed(slot.end));
        if seen.is_none() {
            miss(&shard);
        }
        drop(shard);
        if is_over {
            self.expire(cell, key)?;
        }
        Ok(seen)
    }

    /// Removes an entry that a read found to have ended, unless somebody has written it since.
    #[cold]
    fn expire(&self, cell: &Cell, key: HashedKey<'_>) -> Result<()> {
        self.change_in(cell, |shard, leaving| shard.notice_expiry(&key, &self.common, leaving))
    }
}
