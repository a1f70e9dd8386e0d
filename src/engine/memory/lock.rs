//! A shard with its lock, in which no user's code can make a thread wait for itself.

use std::cell::Cell as Flag;

use super::super::sync::{Mutex, MutexGuard, PoisonError};
use super::gone::Counts;
use super::shard::Shard;
use crate::error::{Error, ErrorKind, Result};

/// One shard. Cache lines are fetched in pairs, so it has two to itself, or neighbouring locks would slow each other.
#[repr(C, align(128))]
pub(super) struct Cell {
    shard: Mutex<Shard>,
    pub(super) counts: Counts,
}

impl Cell {
    pub(super) fn new(shard: Shard) -> Cell {
        Cell { shard: Mutex::new(shard), counts: Counts::default() }
    }

    /// A poisoned lock still guards a whole shard: the only user's code under it is a view, which changes nothing.
    ///
    /// # Errors
    /// `Unsupported` within a view: waiting for a second lock, two threads could wait for each other for ever.
    #[inline]
    pub(super) fn lock(&self) -> Result<MutexGuard<'_, Shard>> {
        if INSIDE.get() {
            return Err(inside());
        }
        Ok(self.shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// While it lives, this thread runs a user's code under a shard's lock.
pub(super) struct Inside(());

impl Inside {
    #[inline]
    pub(super) fn enter() -> Inside {
        INSIDE.set(true);
        Inside(())
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        INSIDE.set(false);
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
