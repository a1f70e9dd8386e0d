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
mod store;

pub use self::backend::{Backend, BackendHandle};
pub use self::cache::{Cache, CacheBuilder};
pub use self::caches::Caches;
pub use self::store::StoreBase;
pub use self::store::{LockGuard, LockStore, LockStoreBuilder, Semaphore};
pub use crate::health::{Health, Status};
