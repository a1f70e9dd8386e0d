//! Verbs that write or remove one key.

use super::super::backend::{Local, again, late};
use super::call::Around;
use super::{Cache, maybe_async};

use std::sync::Arc;

use crate::entry::{Condition, Object, Storable, Value};
use crate::error::Result;
use crate::ttl::Ttl;

#[maybe_async]
impl Cache {
    /// Stores a value, whatever was there. One round trip.
    ///
    /// ```
    /// # use lexigram_cache::{Cache, Ttl};
    /// # use std::time::Duration;
    /// let cache = Cache::memory();
    /// cache.set("greeting", "hello", Duration::from_secs(60))?;
    /// assert_eq!(cache.get::<String>("greeting")?.as_deref(), Some("hello"));
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidTtl`, `Encode`, `TooLarge`, before anything is sent; the backend's failures.
    pub async fn set<T: Storable + ?Sized>(
        &self,
        key: impl AsRef<str>,
        value: &T,
        ttl: impl Into<Ttl>,
    ) -> Result<()> {
        let (key, ttl) = (key.as_ref(), ttl.into());
        if let Some(memory) = self.inner.backend.memory() {
            let object = Arc::new(value.to_owned()) as Arc<dyn Object>;
            return match self.replace_at_hand(key, object, ttl) {
                Ok(()) => Ok(()),
                Err(object) => self.keep("set", memory, key, object, ttl, &Condition::Always).map(drop),
            };
        }
        self.store("set", key, value, ttl, Condition::Always).await.map(drop)
    }

    /// Stores a value only if the key holds none; says whether it did. Atomic. One round trip; two in a clearable
    /// Memcached namespace.
    ///
    /// # Errors
    /// As [`set`](Cache::set).
    pub async fn add<T: Storable + ?Sized>(
        &self,
        key: impl AsRef<str>,
        value: &T,
        ttl: impl Into<Ttl>,
    ) -> Result<bool> {
        self.store("add", key.as_ref(), value, ttl.into(), Condition::Absent).await
    }

    /// Stores a value only if the key holds one; says whether it did. Atomic. One round trip; two on Memcached.
    ///
    /// # Errors
    /// As [`set`](Cache::set).
    pub async fn replace<T: Storable + ?Sized>(
        &self,
        key: impl AsRef<str>,
        value: &T,
        ttl: impl Into<Ttl>,
    ) -> Result<bool> {
        self.store("replace", key.as_ref(), value, ttl.into(), Condition::Present).await
    }

    async fn store<T: Storable + ?Sized>(
        &self,
        operation: &'static str,
        key: &str,
        value: &T,
        ttl: Ttl,
        condition: Condition,
    ) -> Result<bool> {
        if let Some(memory) = self.inner.backend.memory() {
            return self.keep(operation, memory, key, Arc::new(value.to_owned()), ttl, &condition);
        }
        let call = self.call(operation)?;
        let (key, lifetime) = (call.key(key)?, call.lifetime(ttl)?);
        let item = call.pack(value)?;
        let _detach = Around::new(|| call.detach(&key));
        let stored = call.backend().store(&key, item, lifetime, &condition, call.deadline).await;
        match condition {
            Condition::Always => call.absorb_to_nothing(stored),
            // Whoever asks this acts on the answer.
            _ => call.end(stored),
        }
    }

    /// Stores what `change` makes of the value that is there, or of `None`, and returns it. Atomic: if
    /// somebody else writes meanwhile, `change` is asked again with their value. Two round trips, and two
    /// more for each time it lost.
    ///
    /// # Errors
    /// As [`set`](Cache::set); `Conflict` if it kept losing until the deadline, or `Ambiguous` if that came while a write
    /// was under way.
    pub async fn update<T: Value, F: FnMut(Option<T>) -> T>(
        &self,
        key: impl AsRef<str>,
        ttl: impl Into<Ttl>,
        mut change: F,
    ) -> Result<T> {
        let call = self.call("update")?;
        let (key, lifetime) = (call.key(key.as_ref())?, call.lifetime(ttl)?);
        let mut lost = false;
        loop {
            let found = call.backend().get(&key, call.deadline).await;
            let (old, condition) = match call.end(found.map_err(|error| late(error, lost)))? {
                None => (None, Condition::Absent),
                Some(found) => {
                    let old = call.unpack::<T>(&found.item)?;
                    (old, Condition::Unchanged(call.input(found.into_version())?))
                }
            };
            let new = change(old.map(Arc::unwrap_or_clone));
            let item = call.pack(&new)?;
            let _detach = Around::new(|| call.detach(&key));
            let stored = call.backend().store(&key, item, lifetime, &condition, call.deadline).await;
            if call.end(stored.map_err(|error| late(error, lost)))? {
                return Ok(new);
            }
            lost = true;
            call.end(again(call.deadline).await)?;
        }
    }

    /// Removes the value and returns it: of many callers, one gets it. Atomic. One round trip; two on
    /// Memcached.
    ///
    /// # Errors
    /// As [`get`](Cache::get). A value that is no `T` is removed all the same.
    pub async fn take<T: Value>(&self, key: impl AsRef<str>) -> Result<Option<T>> {
        let call = self.call("take")?;
        let key = call.key(key.as_ref())?;
        let _detach = Around::new(|| call.detach(&key));
        let taken = call.backend().take(&key, call.deadline).await;
        let found = call.end(taken)?.map(|item| crate::entry::Found { item, version: None, remaining: None });
        Ok(call.open(found)?.map(Arc::unwrap_or_clone))
    }

    /// Removes the value; says whether there was one. One round trip; two in a clearable Memcached namespace.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn delete(&self, key: impl AsRef<str>) -> Result<bool> {
        let call = self.call("delete")?;
        let key = call.key(key.as_ref())?;
        let _detach = Around::new(|| call.detach(&key));
        let removed = call.backend().remove(&key, None, call.deadline).await;
        call.absorb_to_nothing(removed)
    }

    /// Gives the value a new lifetime from now; says whether there was one. One round trip; two on Memcached, where
    /// the value is written anew.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidTtl`; the backend's failures.
    pub async fn touch(&self, key: impl AsRef<str>, ttl: impl Into<Ttl>) -> Result<bool> {
        let call = self.call("touch")?;
        let (key, lifetime) = (call.key(key.as_ref())?, call.lifetime(ttl)?);
        let touched = call.backend().touch(&key, lifetime, call.deadline).await;
        call.absorb_to_nothing(touched)
    }
}

impl Cache {
    /// Stores in memory, where there is nothing to encode, to detach or to absorb.
    #[inline(never)]
    fn keep(
        &self,
        operation: &'static str,
        memory: &Local,
        name: &str,
        object: Arc<dyn Object>,
        ttl: Ttl,
        condition: &Condition,
    ) -> Result<bool> {
        let call = self.call(operation)?;
        let (key, lifetime) = (call.key(name)?, call.lifetime(ttl)?);
        call.end(memory.keep(&key, object, lifetime, condition))
    }
}
