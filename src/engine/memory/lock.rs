//! A shard with its lock, in which no user's code can make a thread wait for itself.

use std::cell::Cell as Flag;

use super::super::sync::{
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult,
};
use super::gone::Counts;
use super::shard::Shard;
use crate::error::{Error, ErrorKind, Result};

/// One shard. Cache lines are fetched in pairs, so it has two to itself, or neighbouring locks would slow each other.
#[repr(C, align(128))]
pub(super) struct Cell {
    shard: RwLock<Shard>,
    pub(super) counts: Counts,
}

impl Cell {
    pub(super) fn new(shard: Shard) -> Cell {
        Cell { shard: RwLock::new(shard), counts: Counts::default() }
    }

    /// The shard for reading, together with others who read.
    ///
    /// # Errors
    /// `Unsupported` within a view: waiting for a second lock, two threads could wait for each other for ever.
    #[inline(always)]
    pub(super) fn read(&self) -> Result<RwLockReadGuard<'_, Shard>> {
        if INSIDE.with(Flag::get) {
            return Err(inside());
        }
        Ok(self.shard.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The shard for reading, if that takes no waiting and is no error.
    #[inline(always)]
    pub(super) fn try_read(&self) -> Option<RwLockReadGuard<'_, Shard>> {
        if INSIDE.with(Flag::get) { None } else { at_once(self.shard.try_read()) }
    }

    /// The shard for itself, if that takes no waiting and is no error.
    #[inline(always)]
    pub(super) fn try_lock(&self) -> Option<RwLockWriteGuard<'_, Shard>> {
        if INSIDE.with(Flag::get) { None } else { at_once(self.shard.try_write()) }
    }

    /// The shard for itself. A poisoned lock still guards a whole one: the only user's code under it is a view, which
    /// changes nothing.
    ///
    /// # Errors
    /// As [`read`](Cell::read).
    #[inline]
    pub(super) fn lock(&self) -> Result<RwLockWriteGuard<'_, Shard>> {
        if INSIDE.with(Flag::get) {
            return Err(inside());
        }
        Ok(self.shard.write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[inline(always)]
fn at_once<G>(tried: TryLockResult<G>) -> Option<G> {
    match tried {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// While it lives, this thread runs a user's code under a shard's lock.
pub(super) struct Inside(());

impl Inside {
    #[inline(always)]
    pub(super) fn enter() -> Inside {
        INSIDE.with(|inside| inside.set(true));
        Inside(())
    }
}

impl Drop for Inside {
    #[inline(always)]
    fn drop(&mut self) {
        INSIDE.with(|inside| inside.set(false));
    }
}

thread_local! {
    static INSIDE: Flag<bool> = const { Flag::new(false) };
}

#[cold]
fn inside() -> Error {
    let text = "a closure of get_with used a memory cache, whose values it is shown under a lock; use the cache after it";
    Error::new(ErrorKind::Unsupported, text)
}
