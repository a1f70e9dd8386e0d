//! What programs coordinate by, on the servers that their caches use: each store asks, waits and decides as a cache does.
//!
//! A store keeps its keys apart from those of caches and of other stores (`key.rs`, `Prefix::of_store`). What one step on the
//! server has to be is a method of [`Backend`](crate::Backend) with a derived body; memory has a table of its own for it,
//! from which nothing is evicted.

use super::{maybe_async, rt};

mod base;
mod lock;

pub use self::base::StoreBase;
pub use self::lock::{LockGuard, LockStore, LockStoreBuilder, Semaphore};
