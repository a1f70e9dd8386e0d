//! The in-process backend as users build it.

use std::any::Any;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::engine::flight::Flights;
use crate::engine::lease::Leases;
use crate::engine::memory::{KeyHasher, Plan, Store, Weigher, Weighing};
use crate::engine::quota::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::eviction::Eviction;
use crate::removal::Removal;

/// Values in this process: bounded by number and by weight, kept as they are (a hit decodes nothing).
///
/// A cheap clone; caches built on clones share their data. Until the first value with a lifetime comes
/// there is no thread; then one sweeps, and ends with the last clone.
///
/// ```
/// use lexigram_cache::{Cache, Memory};
///
/// let memory = Memory::builder().max_entries(1_000).build()?;
/// let users = Cache::builder().backend(memory.clone()).prefix("users").build()?;
/// let pages = Cache::builder().backend(memory).prefix("pages").build()?;
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone)]
pub struct Memory {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) flights: Arc<Flights>,
    /// What subjects have taken of rate limits.
    pub(crate) permits: Table,
    /// The locks that are held.
    pub(crate) leases: Leases,
    pub(crate) cleanup_interval: Duration,
    /// The sweeper's handle, whose drop stops it; `None` inside if its thread could not be started.
    pub(crate) sweeper: OnceLock<Option<Box<dyn Any + Send + Sync>>>,
}

impl Memory {
    /// Begins a memory backend with the defaults named at each setting.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }
}

impl Default for Memory {
    /// 10,000 entries, swept once a minute.
    fn default() -> Memory {
        MemoryBuilder::default().finish()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("stats", &self.shared.store.stats()).finish_non_exhaustive()
    }
}

/// Settings of a [`Memory`].
#[derive(Clone)]
#[must_use = "nothing is made before build()"]
pub struct MemoryBuilder {
    plan: Plan,
    cleanup_interval: Duration,
}

impl Default for MemoryBuilder {
    fn default() -> MemoryBuilder {
        let plan = Plan { max_entries: 10_000, ..Plan::default() };
        MemoryBuilder { plan, cleanup_interval: Duration::from_secs(60) }
    }
}

impl MemoryBuilder {
    /// The most entries held at any instant; room is reserved only as it is needed. Defaults to 10,000.
    pub fn max_entries(mut self, max_entries: usize) -> MemoryBuilder {
        self.plan.max_entries = max_entries;
        self
    }

    /// The most that all entries weigh together at any instant, beside `max_entries`. An entry weighs the bytes of its
    /// key and of its value, unless a [`weigher`](MemoryBuilder::weigher) says otherwise; what the cache itself needs for
    /// it, about 80 bytes and an `Arc`, is not counted. What is heavier than the whole is refused as `TooLarge`, and the value
    /// that was there stays. From 4 GiB on weights are rounded up to multiples of `max_bytes` / 4 GiB, and one byte more. Defaults to no
    /// such bound.
    ///
    /// ```
    /// use lexigram_cache::{Cache, ErrorKind, Memory, Ttl};
    ///
    /// let memory = Memory::builder().max_bytes(1_000).build()?;
    /// let cache = Cache::builder().backend(memory).build()?;
    /// cache.set("page", &"x".repeat(900), Ttl::NEVER)?;
    /// cache.set("other", &"y".repeat(900), Ttl::NEVER)?; // takes the place of the first
    /// assert_eq!(cache.stats().entries, Some(1));
    /// let error = cache.set("large", &"z".repeat(1_000), Ttl::NEVER).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TooLarge);
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub fn max_bytes(mut self, max_bytes: u64) -> MemoryBuilder {
        self.plan.max_bytes = Some(max_bytes);
        self
    }

    /// What an entry weighs, in bytes or in whatever [`max_bytes`](MemoryBuilder::max_bytes) is meant in. It is asked once
    /// for each value that is to be stored, outside all locks; without `max_bytes` it is not asked. Defaults to the
    /// bytes of the key and of the value: a text and a byte vector know their length, all else is serialised
    /// to learn it, so give a weigher where such values are written often.
    ///
    /// ```
    /// use lexigram_cache::{Memory, Weighing};
    ///
    /// let rows = |entry: &Weighing<'_>| match entry.value::<Vec<u64>>() {
    ///     Some(rows) => 8 * rows.len() as u64,
    ///     None => entry.key_len() + entry.value_len(),
    /// };
    /// let memory = Memory::builder().max_bytes(1 << 20).weigher(rows).build()?;
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub fn weigher(mut self, weigh: impl Fn(&Weighing<'_>) -> u64 + Send + Sync + 'static) -> MemoryBuilder {
        self.plan.weigher = Weigher::own(weigh);
        self
    }

    /// Which entry leaves when there is no room. Defaults to [`Eviction::Default`].
    pub fn eviction(mut self, eviction: Eviction) -> MemoryBuilder {
        self.plan.eviction = eviction;
        self
    }

    /// How keys are hashed, for keys that an attacker may choose. Defaults to a fast hash under a random seed, which
    /// resists collisions that were computed beforehand but makes no cryptographic promise;
    /// `std::hash::RandomState` makes more of one, at several times the cost.
    pub fn hasher(mut self, hasher: impl BuildHasher + Send + Sync + 'static) -> MemoryBuilder {
        self.plan.hasher = KeyHasher::own(hasher);
        self
    }

    /// Who is told of each entry that leaves, with its key, its value and the [cause](crate::RemovalCause): on the thread
    /// or task whose call displaced it, or on the sweeper's, outside all locks, before the value is dropped. Be
    /// quick: the caller waits. If it panics, that goes on in the caller once the call has done its work. Entries that leave
    /// with the backend itself are not told of. Defaults to nobody.
    ///
    /// ```
    /// use lexigram_cache::{Cache, Memory, Removal, Ttl};
    /// use std::sync::mpsc;
    ///
    /// let (left, leaving) = mpsc::channel();
    /// let told = move |removal: &Removal<'_>| drop(left.send((removal.key().to_owned(), removal.cause())));
    /// let cache = Cache::builder().backend(Memory::builder().on_removal(told).build()?).build()?;
    /// cache.set("k", &1, Ttl::NEVER)?;
    /// cache.delete("k")?;
    /// assert_eq!(leaving.recv().unwrap(), ("k".to_owned(), lexigram_cache::RemovalCause::Deleted));
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub fn on_removal(mut self, listener: impl Fn(&Removal<'_>) + Send + Sync + 'static) -> MemoryBuilder {
        self.plan.listener = Some(Arc::new(listener));
        self
    }

    /// How often expired entries are removed. They are never returned in between. Defaults to 60 s.
    pub fn cleanup_interval(mut self, cleanup_interval: Duration) -> MemoryBuilder {
        self.cleanup_interval = cleanup_interval;
        self
    }

    /// The clock that lifetimes are measured by. Defaults to the system's monotonic one.
    pub fn clock(mut self, clock: Clock) -> MemoryBuilder {
        self.plan.clock = clock;
        self
    }

    /// Makes the backend.
    ///
    /// # Errors
    /// `Config` if `max_entries`, `max_bytes` or `cleanup_interval` is zero.
    pub fn build(self) -> Result<Memory> {
        let refuse = |text| Err(Error::new(ErrorKind::Config, text));
        if self.plan.max_entries == 0 {
            return refuse("max_entries is 0, which could hold nothing; give at least 1");
        }
        if self.plan.max_bytes == Some(0) {
            return refuse("max_bytes is 0, which could hold nothing; leave it out to bound entries only");
        }
        if self.cleanup_interval.is_zero() {
            return refuse("cleanup_interval is zero, which would sweep without end; give for instance 60 s");
        }
        Ok(self.finish())
    }

    /// Makes the backend of settings that are known to be good.
    fn finish(self) -> Memory {
        let flights = Arc::new(Flights::new(self.plan.clock.clone()));
        let leases = Leases::new(self.plan.clock.clone());
        let store = Arc::new(Store::new(self.plan));
        let cleanup_interval = self.cleanup_interval;
        let (permits, sweeper) = (Table::default(), OnceLock::new());
        Memory { shared: Arc::new(Shared { store, flights, permits, leases, cleanup_interval, sweeper }) }
    }
}

impl fmt::Debug for MemoryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBuilder")
            .field("max_entries", &self.plan.max_entries)
            .field("max_bytes", &self.plan.max_bytes)
            .field("eviction", &self.plan.eviction)
            .field("hasher", &self.plan.hasher)
            .field("weigher", &self.plan.weigher)
            .field("cleanup_interval", &self.cleanup_interval)
            .finish_non_exhaustive()
    }
}
