//! What programs coordinate by, on the servers that their caches use: each store asks, waits and decides as a cache does.
//!
//! A store keeps its keys apart from those of caches and of other stores (`key.rs`, `Prefix::of_store`). What one step on the
//! server has to be is a method of [`Backend`](crate::Backend) with a derived body; memory has a table of its own for it,
//! from which nothing is evicted.

use super::{maybe_async, rt};

mod base;
mod limit;
mod lock;
#[cfg(feature = "encryption")]
mod secret;
mod state;

pub use self::base::StoreBase;
pub use self::limit::{RateLimiter, RateLimiterBuilder};
pub use self::lock::{LockGuard, LockStore, LockStoreBuilder, Semaphore};
#[cfg(feature = "encryption")]
pub use self::secret::SecretStore;
pub use self::state::StateStore;
