//! A blocking-first cache: memory, Redis and Memcached behind one typed API, async by one feature.
//!
//! ```
//! use lexigram_cache::Cache;
//! use std::time::Duration;
//!
//! let cache = Cache::memory();
//! cache.set("user:42", &vec!["admin".to_owned()], Duration::from_secs(300))?;
//! let roles: Option<Vec<String>> = cache.get("user:42")?;
//! assert_eq!(roles.as_deref(), Some(&["admin".to_owned()][..]));
//! # Ok::<(), lexigram_cache::Error>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(clippy::unwrap_used, missing_debug_implementations)]
// The twin: `dual/` is compiled once per world, which is the point.
#![allow(clippy::duplicate_mod)]

mod clock;
mod codec;
pub mod config;
mod deadline;
mod engine;
mod entry;
mod error;
mod event;
mod handle;
mod key;
mod pattern;
mod rt;
mod stats;
#[cfg(feature = "testing")]
pub mod testing;
mod ttl;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod wire;

#[path = "."]
mod blocking {
    use crate::rt::blocking as rt;
    use maybe_async::must_be_sync as maybe_async;
    mod dual;
    pub use dual::*;
}

/// The same API for tasks.
#[cfg(feature = "async")]
#[path = "."]
pub mod aio {
    use crate::rt::tokio as rt;
    use maybe_async::must_be_async as maybe_async;
    mod dual;
    pub use dual::*;
}

pub use blocking::{Backend, BackendHandle, Cache, CacheBuilder, Caches, Health, Status};
pub use clock::Clock;
#[cfg(feature = "compress")]
pub use codec::Compression;
pub use codec::Format;
#[cfg(feature = "codec")]
pub use codec::{Codec, Source, Target};
pub use config::Config;
pub use deadline::Deadline;
pub use entry::{Condition, Entry, Lease, Lookup, Storable, Value, Version};
pub use error::{BoxError, Error, ErrorKind, Result};
pub use event::{Event, EventKind, Observer};
#[cfg(feature = "memcached")]
pub use handle::memcached::{Memcached, MemcachedBuilder};
pub use handle::memory::{Memory, MemoryBuilder};
#[cfg(feature = "redis")]
pub use handle::redis::{Redis, RedisBuilder};
pub use key::{Key, Prefix};
pub use pattern::Pattern;
pub use stats::Stats;
pub use ttl::{Lifetime, Remaining, Ttl};
