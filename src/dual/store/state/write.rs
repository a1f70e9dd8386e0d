//! Writes that do not depend on the value that is there.

use super::{StateStore, maybe_async, settled};

use std::collections::HashMap;

use crate::entry::{Condition, Storable};
use crate::error::Result;
use crate::ttl::Ttl;

#[maybe_async]
impl StateStore {
    /// Stores a value, whatever was there. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidTtl`, `Encode`, `TooLarge`, before anything is sent; the backend's failures, of which
    /// `Ambiguous` leaves open whether it was stored.
    pub async fn set<T: Storable + ?Sized>(
        &self,
        name: impl AsRef<str>,
        value: &T,
        ttl: impl Into<Ttl>,
    ) -> Result<()> {
        let stored = self.store(name.as_ref(), value, ttl.into(), Condition::Always).await;
        self.end("set", stored.map(drop))
    }

    /// Stores a value only if the name still holds one; says whether it did. Atomic: never brings back what was deleted.
    /// One round trip; two on Memcached.
    ///
    /// # Errors
    /// As [`set`](StateStore::set).
    pub async fn replace<T: Storable + ?Sized>(
        &self,
        name: impl AsRef<str>,
        value: &T,
        ttl: impl Into<Ttl>,
    ) -> Result<bool> {
        let stored = self.store(name.as_ref(), value, ttl.into(), Condition::Present).await;
        self.end("replace", stored)
    }

    async fn store<T: Storable + ?Sized>(
        &self,
        name: &str,
        value: &T,
        ttl: Ttl,
        condition: Condition,
    ) -> Result<bool> {
        let (key, lifetime, item) = (self.keys.key(name)?, settled(ttl)?, self.pack(value)?);
        self.backend().store(&key, item, lifetime, &condition, self.base.deadline()).await
    }

    /// Stores all values with one lifetime. Of a name given twice the last value counts. All names, sizes and encodings
    /// are checked before anything is written; the writes themselves are not one step. One round trip per server.
    ///
    /// # Errors
    /// As [`set`](StateStore::set). After a failure some of the values may be stored.
    pub async fn set_many<K: AsRef<str>, T: Storable>(
        &self,
        items: impl IntoIterator<Item = (K, T)>,
        ttl: impl Into<Ttl>,
    ) -> Result<()> {
        let items = items.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value)).collect();
        let stored = self.store_all(items, ttl.into()).await;
        self.end("set_many", stored)
    }

    async fn store_all<T: Storable>(&self, items: HashMap<String, T>, ttl: Ttl) -> Result<()> {
        let lifetime = settled(ttl)?;
        let packed = items.iter().map(|(name, value)| Ok((self.keys.key(name)?, self.pack(value)?)));
        let packed = packed.collect::<Result<Vec<_>>>()?;
        self.backend().store_many(packed, lifetime, &Condition::Always, self.base.deadline()).await
    }

    /// Removes the value; says whether there was one. What only writes over a value ([`replace`](StateStore::replace),
    /// [`expire`](StateStore::expire), [`update`](StateStore::update) of what is there,
    /// [`compare_and_set`](StateStore::compare_and_set) from a value) does not bring it back, however it raced with this.
    /// One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures. After `Ambiguous` it may still be there: delete it again.
    pub async fn delete(&self, name: impl AsRef<str>) -> Result<bool> {
        let key = self.end("delete", self.keys.key(name.as_ref()))?;
        let removed = self.backend().remove(&key, None, self.base.deadline()).await;
        self.end("delete", removed)
    }

    /// Gives the value a new lifetime from now, as each use of a session does; says whether there was one. One round trip;
    /// two on Memcached, where the value is written anew unless it changes meanwhile.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidTtl`; the backend's failures.
    pub async fn expire(&self, name: impl AsRef<str>, ttl: impl Into<Ttl>) -> Result<bool> {
        let key = self.end("expire", self.keys.key(name.as_ref()))?;
        let lifetime = self.end("expire", settled(ttl.into()))?;
        let touched = self.backend().touch(&key, lifetime, self.base.deadline()).await;
        self.end("expire", touched)
    }
}
