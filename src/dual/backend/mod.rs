//! The backends behind one set of verbs: memory keeps objects, every other one holds bytes.
//!
//! The two sit in an enum, so that the path to memory boxes no future and makes no virtual call.

use super::{maybe_async, rt};

mod bytes;
mod from;
mod lease;
mod limit;
mod lock;
mod memory;
mod off;
mod verbs;
mod walk;

#[cfg(feature = "memcached")]
mod memcached;
#[cfg(feature = "redis")]
mod redis;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::bytes::Backend;
#[cfg(feature = "testing")]
pub(super) use self::bytes::plus;
pub(super) use self::bytes::{again, late};
pub(super) use self::memory::Local;
pub(super) use self::walk::Walk;
use crate::clock::Moment;
use crate::codec::ValueCodec;
use crate::engine::flight::{Boarding, Flight, Flights, Listing};
use crate::engine::throttle::Throttle;
use crate::engine::turns::Turns;
use crate::entry::{Item, Lease, Storable, Version};
use crate::error::Result;
use crate::key::{Key, KeyText};
use crate::stats::Stats;
use crate::ttl::Lifetime;

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

impl BackendHandle {
    /// A backend that holds nothing: every read misses, every write is forgotten.
    pub(super) fn off() -> BackendHandle {
        off::Off.into()
    }

    /// Whether it is the one that holds nothing, on which nobody may rely.
    pub(super) fn is_off(&self) -> bool {
        self.name() == off::NAME
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
            Kind::Bytes(_) => self.flights.strike(key.kept().as_str(), flight),
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

    /// A value as this backend keeps it.
    ///
    /// # Errors
    /// `Encode`, where it keeps bytes.
    pub(super) fn pack<T: Storable + ?Sized>(&self, value: &T, codec: &ValueCodec) -> Result<Item> {
        match self.keeps_objects() {
            true => Ok(Item::Object(Arc::new(value.to_owned()))),
            false => codec.encode::<T, T::Owned>(value).map(Item::Bytes),
        }
    }

    /// What can be told without the server about storing this.
    pub(super) fn check(&self, key: &Key<'_>, item: &Item, lifetime: Lifetime) -> Result<()> {
        match (&self.kind, item) {
            (Kind::Bytes(backend), Item::Bytes(bytes)) => backend.check(key, bytes, lifetime),
            _ => Ok(()),
        }
    }

    /// Tells the backend that loaders of these joined keys begin.
    pub(super) fn loading(&self, keys: &[KeyText]) {
        if let Kind::Bytes(backend) = &self.kind {
            keys.iter().for_each(|key| backend.loading(key.as_str()));
        }
    }

    /// Forgets a lease in memory that its holder dropped.
    pub(super) fn drop_lease(&self, key: &Key<'_>, lease: &Lease) {
        if let Kind::Memory(memory) = &self.kind {
            // Within a view nothing can be given back; the next load takes the lease over.
            let _ = memory.abandon(key, lease);
        }
    }

    /// Who waits for locks on this backend, in this process.
    pub(super) fn turns(&self) -> &Turns {
        &self.flights.turns
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
