//! The way to one shard: under its lock, and out again with what has left it.

use super::super::sync::atomic::Ordering;
use super::Store;
use super::gone::{Leaving, Panics};
use super::lock::Cell;
use super::shard::Shard;
use super::slot::HashedKey;
use crate::error::Result;
use crate::key::Key;

impl Store {
    /// One shard, under its lock; then parts with what has left it.
    #[inline]
    pub(super) fn look<R>(
        &self,
        key: &Key<'_>,
        look: impl FnOnce(&mut Shard, &HashedKey<'_>, &mut Leaving) -> R,
    ) -> Result<R> {
        self.look_at(&self.hashed(key), look)
    }

    /// [`look`](Store::look) at a key that was hashed before.
    #[inline]
    pub(super) fn look_at<R>(
        &self,
        key: &HashedKey<'_>,
        look: impl FnOnce(&mut Shard, &HashedKey<'_>, &mut Leaving) -> R,
    ) -> Result<R> {
        let cell = self.cell(key.hash);
        let mut leaving = Leaving::default();
        let result = look(&mut *cell.lock()?, key, &mut leaving);
        self.part(cell, &mut leaving);
        Ok(result)
    }

    /// [`look`](Store::look), where the number of entries may change.
    pub(super) fn change<R>(
        &self,
        key: &HashedKey<'_>,
        change: impl FnOnce(&mut Shard, &HashedKey<'_>, &mut Leaving) -> R,
    ) -> Result<R> {
        self.change_in(self.cell(key.hash), |shard, leaving| change(shard, key, leaving))
    }

    /// [`change`](Store::change), whose result is at hand also where a listener panics.
    pub(super) fn change_holding<R>(
        &self,
        key: &HashedKey<'_>,
        panics: &mut Panics,
        change: impl FnOnce(&mut Shard, &HashedKey<'_>, &mut Leaving) -> R,
    ) -> Result<R> {
        let cell = self.cell(key.hash);
        let mut leaving = Leaving::default();
        let result = self.change_alone(cell, &mut leaving, |shard, leaving| change(shard, key, leaving))?;
        panics.hold(|| self.part(cell, &mut leaving));
        Ok(result)
    }

    pub(super) fn change_in<R>(
        &self,
        cell: &Cell,
        change: impl FnOnce(&mut Shard, &mut Leaving) -> R,
    ) -> Result<R> {
        let mut leaving = Leaving::default();
        let result = self.change_alone(cell, &mut leaving, change)?;
        self.part(cell, &mut leaving);
        Ok(result)
    }

    pub(super) fn change_alone<R>(
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

    #[inline]
    pub(super) fn part(&self, cell: &Cell, leaving: &mut Leaving) {
        if !leaving.is_empty() {
            self.part_with(cell, leaving);
        }
    }

    #[inline(never)]
    fn part_with(&self, cell: &Cell, leaving: &mut Leaving) {
        std::mem::take(leaving).part(&cell.counts, self.listener.as_ref());
    }

    #[inline(always)]
    pub(super) fn hashed<'a>(&self, key: &Key<'a>) -> HashedKey<'a> {
        HashedKey { key: *key, hash: self.hasher.hash(key) }
    }

    /// The upper half picks the shard, since the lower half picks the bucket inside it.
    #[inline(always)]
    pub(super) fn cell(&self, hash: u64) -> &Cell {
        &self.cells[self.index(hash)]
    }

    #[inline(always)]
    pub(super) fn index(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.cells.len() - 1)
    }

    /// Has a shard give up an entry for a key of another: one that holds more than its share, or else any.
    #[cold]
    pub(super) fn relieve(&self, key: &HashedKey<'_>) -> Result<()> {
        let own = self.index(key.hash);
        let others = || self.cells[own + 1..].iter().chain(&self.cells[..own]);
        let held = |cell: &&Cell| cell.counts.entries.load(Ordering::Relaxed) as usize;
        let large = others().find(|cell| held(cell) > self.common.share);
        if let Some(cell) = large.or_else(|| others().find(|cell| held(cell) > 0)) {
            self.change_in(cell, |shard, leaving| shard.evict(&self.common, leaving))?;
        }
        Ok(())
    }
}
