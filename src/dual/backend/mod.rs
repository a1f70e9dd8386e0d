//! The backends behind one set of verbs: memory keeps objects, every other one holds bytes.
//!
//! The two sit in an enum, so that the path to memory boxes no future and makes no virtual call.

use super::{maybe_async, rt};

mod bytes;
mod lease;
mod limit;
mod memory;
mod off;

#[cfg(feature = "memcached")]
mod memcached;
#[cfg(feature = "redis")]
mod redis;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::bytes::Backend;
pub(super) use self::bytes::again;
pub(super) use self::memory::Local;
use crate::clock::Moment;
use crate::codec::ValueCodec;
use crate::deadline::Deadline;
use crate::engine::flight::{Boarding, Flight, Flights, Listing};
use crate::engine::throttle::Throttle;
use crate::entry::{Condition, Entry, Found, Item, Lease, Version};
use crate::error::Result;
use crate::handle::memory::Memory;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::stats::Stats;
use crate::ttl::{Lifetime, Remaining};

/// A backend as a cache uses it: made from `Memory`, `Redis`, `Memcached` or anything that implements
/// [`Backend`]. A cheap clone.
#[derive(Clone)]
pub struct BackendHandle {
    kind: Kind,
    /// The loads in flight over this backend.
    flights: Arc<Flights>,
}

#[derive(Clone)]
enum Kind {
    Memory(Local),
    Bytes(Arc<dyn Backend>),
}

impl From<Memory> for BackendHandle {
    fn from(memory: Memory) -> BackendHandle {
        let flights = Arc::clone(&memory.shared.flights);
        BackendHandle { kind: Kind::Memory(memory.into()), flights }
    }
}

#[cfg(feature = "redis")]
impl From<crate::handle::redis::Redis> for BackendHandle {
    fn from(handle: crate::handle::redis::Redis) -> BackendHandle {
        let flights = Arc::clone(&handle.shared.flights);
        BackendHandle { kind: Kind::Bytes(Arc::new(redis::Remote::new(handle))), flights }
    }
}

#[cfg(feature = "memcached")]
impl From<crate::handle::memcached::Memcached> for BackendHandle {
    fn from(handle: crate::handle::memcached::Memcached) -> BackendHandle {
        let flights = Arc::clone(&handle.shared.flights);
        BackendHandle { kind: Kind::Bytes(Arc::new(memcached::Remote::new(handle))), flights }
    }
}

impl<B: Backend> From<B> for BackendHandle {
    fn from(backend: B) -> BackendHandle {
        BackendHandle { kind: Kind::Bytes(Arc::new(backend)), flights: Arc::default() }
    }
}

impl BackendHandle {
    /// A backend that holds nothing: every read misses, every write is forgotten.
    pub(super) fn off() -> BackendHandle {
        off::Off.into()
    }

    /// The backend's name, as errors and events carry it.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Memory(_) => "memory",
            Kind::Bytes(backend) => backend.name(),
        }
    }

    /// The backend itself, for tests that speak to it without a cache. Memory is none: it holds no bytes.
    #[cfg(feature = "testing")]
    pub fn backend(&self) -> Option<Arc<dyn Backend>> {
        match &self.kind {
            Kind::Memory(_) => None,
            Kind::Bytes(backend) => Some(Arc::clone(backend)),
        }
    }

    /// Whether values are kept as they are, not as bytes; then no call ever waits either.
    pub(super) fn keeps_objects(&self) -> bool {
        matches!(self.kind, Kind::Memory(_))
    }

    /// The store in this process, if that is what this is.
    #[inline]
    pub(super) fn memory(&self) -> Option<&Local> {
        match &self.kind {
            Kind::Memory(memory) => Some(memory),
            Kind::Bytes(_) => None,
        }
    }

    /// When a value stored now for so long ends; of memory only.
    pub(super) fn end_of(&self, lifetime: Lifetime) -> Moment {
        self.memory().map_or(Moment::NEVER, |memory| memory.end_of(lifetime))
    }

    /// Reloads that need not be tried yet.
    pub(super) fn throttle(&self) -> &Throttle {
        &self.flights.throttle
    }

    /// Tells the loads over this backend from those over others.
    pub(super) fn loads_id(&self) -> usize {
        Arc::as_ptr(&self.flights) as usize
    }

    /// Joins the load of this key in this process, or begins it; `shown` as in [`Flights::board`].
    ///
    /// # Errors
    /// As every use of memory within a closure that it shows a value to.
    pub(super) fn board(&self, key: &Key<'_>, shown: Option<&Version>) -> Result<Boarding> {
        match &self.kind {
            Kind::Memory(memory) => memory.store().board(key, shown),
            Kind::Bytes(_) => Ok(self.flights.board(key.kept(), shown)),
        }
    }

    /// Lets whoever comes later begin a load of their own.
    pub(super) fn strike(&self, key: &Key<'_>, flight: &Arc<Flight>) {
        match &self.kind {
            Kind::Memory(memory) => memory.store().strike(key, flight),
            Kind::Bytes(_) => self.flights.strike(&key.kept(), flight),
        }
    }

    /// Takes a load out because its key is written or removed. Memory does so itself, in the same step.
    pub(super) fn detach(&self, key: &Key<'_>) {
        if let Kind::Bytes(_) = &self.kind {
            self.flights.detach(|| key.kept());
        }
    }

    /// [`detach`](BackendHandle::detach) for every key that is meant.
    pub(super) fn detach_all(&self, meant: impl Fn(&str) -> bool) {
        if let Kind::Bytes(_) = &self.kind {
            self.flights.detach_all(meant);
        }
    }

    /// Whether values can be kept past their time without any verb taking them for fresh.
    pub(super) fn keeps_stale(&self) -> bool {
        match &self.kind {
            Kind::Memory(_) => true,
            Kind::Bytes(backend) => backend.keeps_stale(),
        }
    }

    /// The steps in which lifetimes are counted; zero where they are as fine as they are given.
    pub(super) fn resolution(&self) -> Duration {
        match &self.kind {
            Kind::Memory(_) => Duration::ZERO,
            Kind::Bytes(backend) => backend.resolution(),
        }
    }

    /// The positions of these keys by the server they live on.
    pub(super) fn by_server(&self, keys: &[Key<'_>]) -> Vec<Vec<usize>> {
        match &self.kind {
            Kind::Memory(_) => Vec::new(),
            Kind::Bytes(backend) => backend.by_server(keys),
        }
    }

    /// What can be told without the server about storing this.
    pub(super) fn check(&self, key: &Key<'_>, item: &Item, lifetime: Lifetime) -> Result<()> {
        match (&self.kind, item) {
            (Kind::Bytes(backend), Item::Bytes(bytes)) => backend.check(key, bytes, lifetime),
            _ => Ok(()),
        }
    }

    /// Forgets a lease in memory that its holder dropped.
    pub(super) fn drop_lease(&self, key: &Key<'_>, lease: &Lease) {
        if let Kind::Memory(memory) = &self.kind {
            // Within a view nothing can be given back; the next load takes the lease over.
            let _ = memory.abandon(key, lease);
        }
    }

    /// What the backend itself counts.
    pub(super) fn stats(&self) -> Stats {
        match &self.kind {
            Kind::Memory(memory) => memory.stats(),
            Kind::Bytes(_) => Stats::default(),
        }
    }
}

impl fmt::Debug for BackendHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BackendHandle").field(&self.name()).finish()
    }
}

fn found(entry: Option<Entry>) -> Option<Found> {
    entry.map(Found::from)
}

/// Each verb, handed to whoever it is for.
#[maybe_async]
impl BackendHandle {
    pub(super) async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Found>> {
        match &self.kind {
            Kind::Memory(memory) => memory.get(key),
            Kind::Bytes(backend) => backend.get(key, deadline).await.map(found),
        }
    }

    /// One answer per key, in order.
    pub(super) async fn get_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Found>>> {
        match &self.kind {
            Kind::Memory(memory) => memory.get_many(keys),
            Kind::Bytes(backend) => {
                Ok(backend.get_many(keys, deadline).await?.into_iter().map(found).collect())
            }
        }
    }

    pub(super) async fn store(
        &self,
        key: &Key<'_>,
        item: Item,
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.keep(key, item, lifetime, condition),
            Kind::Bytes(backend) => backend.store(key, &item.bytes()?, lifetime, condition, deadline).await,
        }
    }

    /// Checks everything before it writes anything.
    pub(super) async fn store_many(
        &self,
        items: Vec<(Key<'_>, Item)>,
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => memory.store_many(items, lifetime, condition),
            Kind::Bytes(backend) => {
                let bytes = |(key, item): (_, Item)| Ok((key, item.bytes()?));
                let items = items.into_iter().map(bytes).collect::<Result<Vec<_>>>()?;
                backend.store_many(&items, lifetime, condition, deadline).await
            }
        }
    }

    pub(super) async fn remove(
        &self,
        key: &Key<'_>,
        version: Option<&Version>,
        deadline: Deadline,
    ) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.remove(key, version),
            Kind::Bytes(backend) => backend.remove(key, version, deadline).await,
        }
    }

    pub(super) async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        match &self.kind {
            Kind::Memory(memory) => memory.remove_many(keys),
            Kind::Bytes(backend) => backend.remove_many(keys, deadline).await,
        }
    }

    pub(super) async fn take(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Item>> {
        match &self.kind {
            Kind::Memory(memory) => memory.take(key),
            Kind::Bytes(backend) => {
                Ok(backend.take(key, deadline).await?.map(|entry| Item::Bytes(entry.bytes)))
            }
        }
    }

    pub(super) async fn exists(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.exists(key),
            Kind::Bytes(backend) => backend.exists(key, deadline).await,
        }
    }

    pub(super) async fn touch(&self, key: &Key<'_>, lifetime: Lifetime, deadline: Deadline) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.touch(key, lifetime),
            Kind::Bytes(backend) => backend.touch(key, lifetime, deadline).await,
        }
    }

    pub(super) async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        match &self.kind {
            Kind::Memory(memory) => memory.remaining(key),
            Kind::Bytes(backend) => backend.remaining(key, deadline).await,
        }
    }

    /// `codec` reads a counter that memory keeps as another type.
    pub(super) async fn add(
        &self,
        key: &Key<'_>,
        delta: i64,
        lifetime: Lifetime,
        codec: &ValueCodec,
        deadline: Deadline,
    ) -> Result<i64> {
        match &self.kind {
            Kind::Memory(memory) => memory.add(key, delta, lifetime, codec),
            Kind::Bytes(backend) => backend.add(key, delta, lifetime, deadline).await,
        }
    }

    pub(super) async fn remove_matching(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        deadline: Deadline,
    ) -> Result<u64> {
        match &self.kind {
            Kind::Memory(memory) => memory.remove_matching(prefix, pattern),
            Kind::Bytes(backend) => backend.remove_matching(prefix, pattern, deadline).await,
        }
    }

    pub(super) async fn clear(&self, prefix: &Prefix, deadline: Deadline) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => memory.clear(prefix),
            Kind::Bytes(backend) => backend.clear(prefix, deadline).await,
        }
    }

    /// One round trip that touches no value.
    pub(super) async fn ping(&self, deadline: Deadline) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => memory.ping(),
            Kind::Bytes(backend) => backend.ping(deadline).await,
        }
    }
}
