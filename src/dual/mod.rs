//! What caches do, written once and compiled for threads and for tasks: ask, wait, decide, answer.
//!
//! Nothing here knows which world it is in. `maybe_async` keeps or removes `async` and `.await`; `rt` is the
//! world's way to wait, load and reach a server.

use super::{maybe_async, rt};

mod backend;
mod cache;
mod caches;
#[cfg(feature = "testing")]
pub mod contract;
#[cfg(feature = "testing")]
mod fake;
mod store;

pub use self::backend::{Backend, BackendHandle};
pub use self::cache::{Cache, CacheBuilder, Keys};
pub use self::caches::Caches;
#[cfg(feature = "testing")]
pub use self::fake::FakeCache;
#[cfg(feature = "encryption")]
pub use self::store::SecretStore;
pub use self::store::{
    LockGuard, LockStore, LockStoreBuilder, RateLimiter, RateLimiterBuilder, Semaphore, StateStore, StoreBase,
};
pub use crate::health::{Health, Status};
