//! A blocking-first cache: memory, Redis and Memcached behind one typed API, async by one feature.
//!
//! ```
//! use lexigram_cache::{Cache, Ttl};
//! use std::time::Duration;
//!
//! let cache = Cache::memory();
//! cache.set("user:42", &vec!["admin".to_owned()], Duration::from_secs(300))?;
//! let roles: Option<Vec<String>> = cache.get("user:42")?;
//! assert_eq!(roles.as_deref(), Some(&["admin".to_owned()][..]));
//!
//! let lines = cache.get_or_compute("lines", Ttl::NEVER, || {
//!     std::fs::read_to_string("Cargo.toml").map(|text| text.lines().count())
//! })?;
//! assert!(lines > 0);
//! # Ok::<(), lexigram_cache::Error>(())
//! ```
//!
//! # Where to begin
//!
//! * [`Cache`] has all verbs. It is a cheap clone; [`Cache::memory`] needs nothing, [`Cache::builder`] takes a
//!   backend, a prefix, a default lifetime, a format and a timeout.
//! * [`Memory`], and with their features `Redis` and `Memcached`, are the backends: handles that share data and
//!   connections between their clones. [`Backend`] makes one of your own.
//! * [`Caches`] holds several by name, as a [`Config`] or a YAML file describes them, completed by the environment; [`config`] has the
//!   keys. [`Caches::reload`] changes lifetimes and rules while they run, [`Caches::health`] asks all backends at once.
//! * [`Cache::get_or_compute`] loads what is missing. [`Cache::fetch`] does so under a [`Policy`] (stale values where the
//!   load fails, early reloads, remembered absence) and says in a [`Fetched`] where the value came from; a loader may
//!   answer with a [`Loaded`].
//! * [`Ttl`] goes in, [`Remaining`] comes out. [`Error`] has a [kind](ErrorKind) that says what to do about it.
//! * [`Format`] is how values become bytes: JSON, postcard, either compressed, or a format of your own.
//! * [`Memory::builder`] bounds by entries and by weight ([`Weighing`]), says who leaves ([`Eviction`]) and tells of each
//!   that does ([`Removal`]).
//! * [`Cache::keys`] walks over keys in constant room. [`StateStore`] keeps what a program relies on, and with feature
//!   `encryption` `SecretStore` what nobody else may read; either is made on a [`StoreBase`].
//! * A server that fails is left alone, but for one try a second; [`CacheBuilder::degrade`] has the program go on without it.
//! * A [`RateLimiter`] keeps each subject to a [`Quota`], among all processes that share its name, and answers with a [`Decision`].
//! * [`LockStore`] has locks that threads, tasks and processes agree on, with fencing numbers and a [`Semaphore`].
//! * [`Stats`] counts, an [`Observer`] is told of every [`Event`], and [`Cache::health`] asks the server.
//! * With feature `async`, `lexigram_cache::aio` has the same names with `.await`. A cache there and one here, built
//!   on clones of one handle, share their data and their loads.
//!
//! The README has the table of verbs with what each answers and costs on which backend, what a load sends over the
//! wire, and the chapters on shared loads, stale values, stores, the command line and limitations. ARCHITECTURE.md says how it is built and why.
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `json` (default) | [`Format`] `Json`: exactly the JSON text |
//! | `postcard` (default) | [`Format`] `Postcard`: compact, in a checked frame |
//! | `compress` | zlib around either |
//! | `codec` | a serde format of your own |
//! | `redis`, `memcached` | the backends; blocking by themselves, for tasks together with `async` |
//! | `cluster` | Redis Cluster |
//! | `async` | `aio`, on tokio |
//! | `tls`, `async-tls` | `rediss://` for threads, and for tasks |
//! | `yaml` | `Caches::from_yaml_file`, `from_yaml_str` |
//! | `testing` | a fake cache for tests; the promises of every backend, to be run on yours |
//! | `tracing`, `metrics` | what an [`Observer`] sees, as `tracing` events and through the `metrics` facade |
//! | `encryption` | `SecretStore`: secrets that the server sees only sealed |
//! | `cli` | the program `lexigram-cache`, and `Config::json_schema` |
//! | `full` | all of these but `cli` |
//!
//! Hits, misses and joined loads are `tracing` events of level TRACE, loads of level DEBUG, failures of the backend
//! and undecodable values of level WARN.
//!
//! # What holds
//!
//! * A miss is `Ok(None)`; a stored `None` is a hit. A verb means the same on every backend, or is
//!   [`Unsupported`](ErrorKind::Unsupported) with the reason.
//! * A call ends by its timeout, 1 s unless set, for one key or a thousand. Only a loader takes as long as it takes.
//! * Of all callers that miss one key, in this process and in others, one loads. However it ends, nobody waits for ever.
//! * A write or removal of a key, by whatever program, wins over every load of it that began before.
//! * A value never answers for another key: a connection that failed or fell out of step is not used again.
//! * A write that was sent and not answered is [`Ambiguous`](ErrorKind::Ambiguous), and not tried again by itself.
//! * Bytes that are no value of the type asked for are a miss, or under
//!   [`strict_decode`](CacheBuilder::strict_decode) an error; never a wrong value and never a panic.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(clippy::unwrap_used, missing_debug_implementations)]
// The twin: `dual/` is compiled once per world, which is the point.
#![allow(clippy::duplicate_mod)]

mod chance;
mod clock;
mod codec;
pub mod config;
mod deadline;
mod decision;
mod engine;
mod entry;
mod error;
mod event;
mod eviction;
mod fetched;
#[cfg(feature = "_fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod health;
mod key;
mod lock;
#[cfg(feature = "metrics")]
mod meters;
mod now;
mod pattern;
mod policy;
mod quota;
mod removal;
mod rt;
#[cfg(feature = "encryption")]
mod seal;
mod server;
#[cfg(simulation)]
#[doc(hidden)]
pub mod simulation;
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

/// The same API for tasks, on tokio.
///
/// ```
/// use lexigram_cache::{BoxError, Ttl, aio};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> lexigram_cache::Result<()> {
/// let cache = aio::Cache::memory();
/// cache.set("greeting", "hello", Ttl::NEVER).await?;
/// assert_eq!(cache.get::<String>("greeting").await?.as_deref(), Some("hello"));
/// let answer = cache.get_or_compute("answer", Ttl::NEVER, async || Ok::<_, BoxError>(42)).await?;
/// assert_eq!(answer, 42);
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Every future may be dropped at any point. A read that is dropped has done nothing. A write that is dropped may or
/// may not have been applied, as with [`ErrorKind::Ambiguous`]. Where the caller that loads is dropped, its loader is
/// dropped with it, another of those who wait begins anew, and nobody waits for ever. No connection is used again
/// with half an exchange on it.
///
/// # Panics
/// Calls on a server, and waiting for a load, panic outside a tokio runtime with its time and I/O drivers enabled.
#[cfg(feature = "async")]
#[path = "."]
pub mod aio {
    use crate::rt::tokio as rt;
    use maybe_async::must_be_async as maybe_async;
    mod dual;
    /// Stands on each `impl Backend`: the trait's futures are boxed.
    pub use async_trait::async_trait;
    pub use dual::*;
}

#[cfg(feature = "encryption")]
pub use blocking::SecretStore;
pub use blocking::{
    Backend, BackendHandle, Cache, CacheBuilder, Caches, Health, Keys, LockGuard, LockStore,
    LockStoreBuilder, RateLimiter, RateLimiterBuilder, Semaphore, StateStore, Status, StoreBase,
};
pub use clock::Clock;
#[cfg(feature = "compress")]
pub use codec::Compression;
pub use codec::Format;
#[cfg(feature = "codec")]
pub use codec::{Codec, Source, Target};
pub use config::Config;
pub use deadline::Deadline;
pub use decision::{Decision, Outage};
pub use engine::memory::Weighing;
pub use engine::quota::{Permits, Step};
pub use entry::{Ask, Condition, Entry, Fill, Lease, Lookup, Page, Storable, Value, Version};
pub use error::{BoxError, Error, ErrorKind, Result};
pub use event::{Event, EventKind, Observer};
pub use eviction::Eviction;
pub use fetched::{Fetched, Loaded, Origin, Staleness};
#[cfg(feature = "memcached")]
pub use handle::memcached::{Memcached, MemcachedBuilder};
pub use handle::memory::{Memory, MemoryBuilder};
#[cfg(feature = "redis")]
pub use handle::redis::{Redis, RedisBuilder};
pub use key::{Key, Prefix};
pub use lock::{Claim, Released, Strength, Unlocked};
pub use pattern::Pattern;
pub use policy::{OnWaitTimeout, Policy, PolicyBuilder};
pub use quota::Quota;
pub use removal::{Removal, RemovalCause};
#[cfg(feature = "encryption")]
pub use seal::{KeyRing, Secret};
pub use server::ServerInfo;
pub use stats::Stats;
pub use ttl::{Lifetime, Remaining, Ttl};

/// Compiles what the README shows.
#[cfg(all(
    doctest,
    feature = "async",
    feature = "cluster",
    feature = "codec",
    feature = "encryption",
    feature = "json",
    feature = "memcached",
    feature = "redis",
    feature = "testing",
    feature = "yaml"
))]
#[doc = include_str!("../README.md")]
struct Readme;
