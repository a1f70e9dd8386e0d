//! State by name: typed values that a program relies on, not a copy of something.

use super::maybe_async;

mod change;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::super::backend::BackendHandle;
use super::base::StoreBase;
use crate::codec::ValueCodec;
use crate::deadline::Deadline;
use crate::entry::{Found, Item, Storable, Value, Version};
use crate::error::Result;
use crate::key::{Key, Prefix, distinct};
use crate::ttl::{Lifetime, Remaining, Ttl};

/// Typed state by name, over any backend: sessions, progress, flags.
///
/// What is a miss to a [`Cache`](crate::Cache) may be a loss here, so it is told: bytes that are no value of the type asked
/// for are `Decode`, no failure of the server is absorbed, and nothing is loaded. Names are kept apart from those of caches
/// and other stores. [`Ttl::DEFAULT`] never expires. A cheap clone.
///
/// ```
/// use lexigram_cache::{Memory, StateStore, Ttl};
/// use std::time::Duration;
///
/// let carts = StateStore::new(&Memory::default())?;
/// carts.set("c1", &vec![7], Duration::from_secs(3_600))?;
/// assert!(carts.compare_and_set("c1", Some(&vec![7]), &vec![7, 8], Duration::from_secs(3_600))?);
/// let cart = carts.update("c1", Ttl::NEVER, |old: Option<Vec<i32>>| old.map(|cart| [cart, vec![9]].concat()))?;
/// assert_eq!(cart, Some(vec![7, 8, 9]));
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
///
/// # What it does not promise
/// That a value stays: a memory with bounds evicts, and so does a server that is full, unless it is told not to
/// (`maxmemory-policy noeviction`; Memcached always does, and forgets all when it restarts); and `clear` of a cache without a
/// prefix removes what is on its backend, state too. That a write survives the
/// master that took it: Redis replicates after it has answered, so after a failover a value may be older, and one that was
/// deleted may be back. That a batch is one step.
#[derive(Clone)]
pub struct StateStore {
    base: StoreBase,
    keys: Prefix,
}

impl StateStore {
    /// State on a `&Memory`, `&Redis`, `&Memcached`, `&Cache` or [`BackendHandle`](crate::BackendHandle), or on a
    /// [`StoreBase`] with a namespace and a timeout. Dials nothing.
    ///
    /// # Errors
    /// `Config` for a timeout of zero; `Unsupported` on a cache that is switched off, which would forget.
    pub fn new(base: impl Into<StoreBase>) -> Result<StateStore> {
        let base = base.into();
        Ok(StateStore { keys: base.keys("state")?, base })
    }

    fn backend(&self) -> &BackendHandle {
        &self.base.backend
    }

    fn codec(&self) -> &ValueCodec {
        &self.base.codec
    }

    fn pack<T: Storable + ?Sized>(&self, value: &T) -> Result<Item> {
        self.backend().pack(value, self.codec())
    }

    fn open<T: Value>(&self, found: &Found) -> Result<Arc<T>> {
        found.item.open(self.codec())
    }

    /// Passes on what became of a call, with its place in the error.
    fn end<R>(&self, operation: &'static str, result: Result<R>) -> Result<R> {
        result.map_err(|error| self.base.place(operation, error))
    }
}

#[maybe_async]
impl StateStore {
    /// The value, or `None` if there is none. One round trip.
    ///
    /// # Errors
    /// `InvalidKey` for an empty name; `Decode` if there are bytes that are no `T`; the backend's failures.
    pub async fn get<T: Value>(&self, name: impl AsRef<str>) -> Result<Option<T>> {
        let value = self.value(name.as_ref()).await;
        Ok(self.end("get", value)?.map(Arc::unwrap_or_clone))
    }

    async fn value<T: Value>(&self, name: &str) -> Result<Option<Arc<T>>> {
        let seen = self.look(&self.keys.key(name)?, self.base.deadline()).await?;
        Ok(seen.map(|(value, _)| value))
    }

    /// The value, and what to compare the key with later.
    async fn look<T: Value>(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<(Arc<T>, Version)>> {
        let Some(found) = self.backend().get(key, deadline).await? else { return Ok(None) };
        Ok(Some((self.open(&found)?, found.into_version()?)))
    }

    /// Whether there is a value, of whatever type. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn exists(&self, name: impl AsRef<str>) -> Result<bool> {
        let key = self.end("exists", self.keys.key(name.as_ref()))?;
        let exists = self.backend().exists(&key, self.base.deadline()).await;
        self.end("exists", exists)
    }

    /// What is left of the value's lifetime; `None` if there is no value. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn ttl(&self, name: impl AsRef<str>) -> Result<Option<Remaining>> {
        let key = self.end("ttl", self.keys.key(name.as_ref()))?;
        let remaining = self.backend().remaining(&key, self.base.deadline()).await;
        self.end("ttl", remaining)
    }

    /// The values that are there, by name; a name given twice is answered once. One round trip per server. On Redis a
    /// key that another program holds as another type (a list, a set) is absent here, where [`get`](StateStore::get)
    /// fails.
    ///
    /// # Errors
    /// As [`get`](StateStore::get); one bad name or value fails the call.
    pub async fn get_many<T: Value>(
        &self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<HashMap<String, T>> {
        let values = self.values(&distinct(names)).await;
        self.end("get_many", values)
    }

    async fn values<T: Value>(&self, names: &[String]) -> Result<HashMap<String, T>> {
        let keys = names.iter().map(|name| self.keys.key(name)).collect::<Result<Vec<_>>>()?;
        let found = self.backend().get_many(&keys, self.base.deadline()).await?;
        let there = names.iter().zip(&found).filter_map(|(name, found)| Some((name, found.as_ref()?)));
        there.map(|(name, found)| Ok((name.clone(), Arc::unwrap_or_clone(self.open(found)?)))).collect()
    }
}

impl fmt::Debug for StateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StateStore").field(&self.base).finish()
    }
}

/// A store has no lifetime of its own to fall back on.
fn settled(ttl: Ttl) -> Result<Lifetime> {
    ttl.resolve(Lifetime::Never)
}
