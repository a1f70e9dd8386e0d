//! A shard with its lock, in which no user's code can make a thread wait for itself.

use std::cell::Cell as Flag;

use super::super::sync::{SpinLock, SpinLockGuard};
use super::gone::Counts;
use super::shard::Shard;
use crate::error::{Error, ErrorKind, Result};

/// One shard. Cache lines are fetched in pairs, so it has two to itself, or neighbouring locks would slow each other.
#[repr(C, align(128))]
pub(super) struct Cell {
    shard: SpinLock<Shard>,
    pub(super) counts: Counts,
}

impl Cell {
    pub(super) fn new(shard: Shard) -> Cell {
        Cell { shard: SpinLock::new(shard), counts: Counts::default() }
    }

    /// The shard, if that takes no waiting and is no error.
    #[inline(always)]
    pub(super) fn try_lock(&self) -> Option<SpinLockGuard<'_, Shard>> {
        if INSIDE.with(Flag::get) { None } else { self.shard.try_lock() }
    }

    /// The shard. Where a user's code panicked under the lock it is whole all the same: that was a view, which changes
    /// nothing.
    ///
    /// # Errors
    /// `Unsupported` within a view: waiting for a second lock, two threads could wait for each other for ever.
    #[inline]
    pub(super) fn lock(&self) -> Result<SpinLockGuard<'_, Shard>> {
        if INSIDE.with(Flag::get) { Err(inside()) } else { Ok(self.shard.lock()) }
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
