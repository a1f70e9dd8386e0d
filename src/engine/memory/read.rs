//! Reads.

use std::sync::Arc;

use super::Store;
use super::lock::{Cell, Inside};
use super::shard::Shard;
use super::slab::{Held, HeldMut};
use super::slot::{HashedKey, Slot};
use crate::clock::{Clock, Moment};
use crate::entry::{Found, Item, Object, Version};
use crate::error::Result;
use crate::key::Key;
use crate::ttl::Remaining;

/// Runs a user's code under a shard's lock: meanwhile this thread is refused by every memory cache.
#[inline(always)]
pub(crate) fn viewing<R>(view: impl FnOnce() -> R) -> R {
    let _inside = Inside::enter();
    view()
}

impl Slot {
    /// Whether the value is past its time, be it kept for longer or not.
    #[inline]
    pub(super) fn is_due(&self, key: &HashedKey<'_>, clock: &Clock) -> bool {
        clock.has_passed(self.end.minus(key.key.stale_for()))
    }
}

impl Held<'_> {
    /// An entry that is kept, past its time or not; `None` if its stay is over.
    pub(super) fn aged(self, clock: &Clock) -> Option<Found> {
        clock.until(self.slot.end).map(|left| self.found(Some(left)))
    }

    fn found(self, remaining: Option<Remaining>) -> Found {
        let item = Item::Object(Arc::clone(self.object));
        Found { item, version: Some(Version::Number(self.slot.number.into())), remaining }
    }
}

impl Store {
    /// What `make` makes of the value; it runs under the shard's lock.
    pub(crate) fn find<R>(
        &self,
        key: &Key<'_>,
        make: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Result<Option<R>> {
        self.find_at(&self.hashed(key), make, |_| ())
    }

    pub(super) fn find_at<R>(
        &self,
        key: &HashedKey<'_>,
        make: impl FnOnce(&Arc<dyn Object>) -> R,
        miss: impl FnOnce(u64),
    ) -> Result<Option<R>> {
        self.read_fresh(key, |held| make(held.object), miss)
    }

    pub(crate) fn get(&self, key: &Key<'_>) -> Result<Option<Found>> {
        self.get_at(&self.hashed(key))
    }

    pub(super) fn get_at(&self, key: &HashedKey<'_>) -> Result<Option<Found>> {
        self.read_fresh(key, |held| held.found(None), |_| ())
    }

    /// [`get_at`](Store::get_at) with what is left of the entry's stay, also where that is past its time.
    pub(super) fn get_aged(&self, key: &HashedKey<'_>) -> Result<Option<Found>> {
        self.read(key, |held| held.aged(self.clock()), |_| ())
    }

    /// When the entry ends, if it is there; does not count as a use.
    pub(crate) fn end(&self, key: &Key<'_>) -> Result<Option<Moment>> {
        let key = self.hashed(key);
        Ok(self.cell(key.hash).lock()?.end(&key, self.clock()))
    }

    pub(crate) fn remaining(&self, key: &Key<'_>) -> Result<Option<Remaining>> {
        let end = self.end(key)?;
        Ok(end.and_then(|end| self.clock().until(end.minus(key.stale_for()))))
    }

    fn read_fresh<R>(
        &self,
        key: &HashedKey<'_>,
        make: impl FnOnce(Held<'_>) -> R,
        miss: impl FnOnce(u64),
    ) -> Result<Option<R>> {
        let see = |held: Held<'_>| (!held.slot.is_due(key, self.clock())).then(|| make(held));
        self.read(key, see, miss)
    }

    /// What `see` makes of the entry; `None` also if it makes nothing of one that is past its time. `miss` is told the
    /// shard's number as it was when there was nothing.
    fn read<R>(
        &self,
        key: &HashedKey<'_>,
        see: impl FnOnce(Held<'_>) -> Option<R>,
        miss: impl FnOnce(u64),
    ) -> Result<Option<R>> {
        let cell = self.cell(key.hash);
        let mut shard = cell.lock()?;
        let Shard { queues, number, .. } = &mut *shard;
        let held = queues.read(key, self.common.eviction).map(HeldMut::shared);
        let seen = held.and_then(see);
        if seen.is_some() {
            return Ok(seen);
        }
        miss(*number);
        let is_over = held.is_some_and(|held| self.clock().has_passed(held.slot.end));
        drop(shard);
        if is_over {
            self.expire(cell, key)?;
        }
        Ok(None)
    }

    /// Removes an entry that a read found to have ended, unless somebody has written it since.
    #[cold]
    fn expire(&self, cell: &Cell, key: &HashedKey<'_>) -> Result<()> {
        self.change_in(cell, |shard, leaving| shard.notice_expiry(key, &self.common, leaving))
    }
}
