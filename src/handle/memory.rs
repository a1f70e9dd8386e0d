//! The in-process backend as users build it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::engine::flight::Flights;
use crate::engine::memory::Store;
use crate::error::{Error, ErrorKind, Result};

/// Values in this process: bounded, least recently used out first, kept as they are (a hit decodes nothing).
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
        let MemoryBuilder { max_entries, cleanup_interval, clock } = MemoryBuilder::default();
        Memory::new(max_entries, cleanup_interval, clock)
    }
}

impl Memory {
    fn new(max_entries: usize, cleanup_interval: Duration, clock: Clock) -> Memory {
        let flights = Arc::new(Flights::new(clock.clone()));
        let store = Arc::new(Store::new(max_entries, clock));
        let shared = Shared { store, flights, cleanup_interval, sweeper: OnceLock::new() };
        Memory { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("stats", &self.shared.store.stats()).finish_non_exhaustive()
    }
}

/// Settings of a [`Memory`].
#[derive(Clone, Debug)]
#[must_use = "nothing is made before build()"]
pub struct MemoryBuilder {
    max_entries: usize,
    cleanup_interval: Duration,
    clock: Clock,
}

impl Default for MemoryBuilder {
    fn default() -> MemoryBuilder {
        MemoryBuilder {
            max_entries: 10_000,
            cleanup_interval: Duration::from_secs(60),
            clock: Clock::default(),
        }
    }
}

impl MemoryBuilder {
    /// The most entries held at any instant; room is reserved only as it is needed. Defaults to 10,000.
    pub fn max_entries(mut self, max_entries: usize) -> MemoryBuilder {
        self.max_entries = max_entries;
        self
    }

    /// How often expired entries are removed. They are never returned in between. Defaults to 60 s.
    pub fn cleanup_interval(mut self, cleanup_interval: Duration) -> MemoryBuilder {
        self.cleanup_interval = cleanup_interval;
        self
    }

    /// The clock that lifetimes are measured by. Defaults to the system's monotonic one.
    pub fn clock(mut self, clock: Clock) -> MemoryBuilder {
        self.clock = clock;
        self
    }

    /// Makes the backend.
    ///
    /// # Errors
    /// `Config` if `max_entries` or `cleanup_interval` is zero.
    pub fn build(self) -> Result<Memory> {
        if self.max_entries == 0 {
            let text = "max_entries is 0, which could hold nothing; give at least 1";
            return Err(Error::new(ErrorKind::Config, text));
        }
        if self.cleanup_interval.is_zero() {
            let text = "cleanup_interval is zero, which would sweep without end; give for instance 60 s";
            return Err(Error::new(ErrorKind::Config, text));
        }
        Ok(Memory::new(self.max_entries, self.cleanup_interval, self.clock))
    }
}
