//! Verbs that read one key.

use super::at_hand::{Taken, typed};
use super::{Cache, maybe_async};

use std::any::Any;
use std::mem::needs_drop;
use std::sync::Arc;

use crate::engine::memory::{Glance, viewing};
use crate::entry::{Object, Value};
use crate::error::Result;
use crate::event::EventKind;
use crate::ttl::Remaining;

#[maybe_async]
impl Cache {
    /// The value, or `None` for a miss. Clones it on memory; [`get_arc`](Cache::get_arc) does not.
    ///
    /// Bytes that are no `T` are a miss, counted as `decode_rejected`, unless the cache decodes strictly.
    /// Reading a key as another type than was stored works where the format allows it, on every backend.
    /// One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures; `Decode` under `strict_decode(true)`.
    #[inline(always)]
    pub async fn get<T: Value>(&self, key: impl AsRef<str>) -> Result<Option<T>> {
        let glance = match needs_drop::<T>() {
            // A clone that takes more than a copy is made after the lock is released.
            true => self.glance(key.as_ref(), |object| Taken::Shared(Arc::clone(object))),
            false => self.glance(key.as_ref(), |object| viewing(|| Taken::of(object))),
        };
        let found = match glance {
            Glance::Seen(taken) => match taken.open() {
                Some(value) => return Ok(Some(self.hit("get", value))),
                None => self.decode(key.as_ref()).await,
            },
            Glance::Nothing(_) => return Ok(self.miss()),
            Glance::Unclear => self.read(key.as_ref()).await,
        };
        Ok(found?.map(Arc::unwrap_or_clone))
    }

    /// [`get`](Cache::get) without a clone: on memory the very value that was stored, with no allocation.
    ///
    /// # Errors
    /// As [`get`](Cache::get).
    #[inline(always)]
    pub async fn get_arc<T: Value>(&self, key: impl AsRef<str>) -> Result<Option<Arc<T>>> {
        let object = match self.glance(key.as_ref(), Arc::clone) {
            Glance::Seen(object) => object,
            Glance::Nothing(_) => return Ok(self.miss()),
            Glance::Unclear => return self.read(key.as_ref()).await,
        };
        match (object as Arc<dyn Any + Send + Sync>).downcast() {
            Ok(value) => Ok(Some(self.hit("get", value))),
            Err(other) => self.decode_beside(other, key.as_ref()).await,
        }
    }

    /// [`decode`](Cache::decode) by itself, or the other value would lie in memory on the way of all hits.
    #[inline(never)]
    async fn decode_beside<T: Value>(
        &self,
        other: Arc<dyn Any + Send + Sync>,
        name: &str,
    ) -> Result<Option<Arc<T>>> {
        drop(other);
        self.decode(name).await
    }

    /// Where the fast path does not lead.
    #[inline(never)]
    async fn read<T: Value>(&self, name: &str) -> Result<Option<Arc<T>>> {
        match self.within_reach(name) {
            Some(Some(object)) => {
                if let Ok(value) = (object as Arc<dyn Any + Send + Sync>).downcast() {
                    return Ok(Some(self.hit("get", value)));
                }
            }
            Some(None) => return Ok(self.miss()),
            None => {}
        }
        self.decode(name).await
    }

    /// What is elsewhere, or of another type.
    #[inline(never)]
    async fn decode<T: Value>(&self, name: &str) -> Result<Option<Arc<T>>> {
        let call = self.call("get")?;
        let key = call.key(name)?;
        let found = call.backend().get(&key, call.deadline).await;
        call.open(call.found(found)?)
    }

    /// What `read` makes of the value, without a clone and, on memory, without a count of owners: the fastest read.
    ///
    /// On memory `read` may run while a part of the cache is locked: be short, and use no memory cache in it. Such
    /// a call, of whatever cache, is `Unsupported` there, since it could wait for itself.
    ///
    /// ```
    /// # use lexigram_cache::{Cache, Ttl};
    /// let cache = Cache::memory();
    /// cache.set("page", "a long text", Ttl::NEVER)?;
    /// assert_eq!(cache.get_with("page", |page: &String| page.len())?, Some(11));
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Cache::get).
    ///
    /// # Panics
    /// If `read` does.
    #[inline(always)]
    pub async fn get_with<T: Value, R>(
        &self,
        key: impl AsRef<str>,
        read: impl FnOnce(&T) -> R,
    ) -> Result<Option<R>> {
        let mut read = Some(read);
        let view = |object: &Arc<dyn Object>| {
            let value = typed(object)?;
            let read = read.take()?;
            Some(viewing(|| read(value)))
        };
        let found = match self.glance(key.as_ref(), view) {
            Glance::Seen(Some(made)) => return Ok(Some(self.hit("get", made))),
            Glance::Nothing(_) => return Ok(self.miss()),
            // Of another type, or elsewhere; then nobody has been asked to read it.
            Glance::Seen(None) => self.decode(key.as_ref()).await,
            Glance::Unclear => self.read(key.as_ref()).await,
        };
        Ok(found?.and_then(|value| read.take().map(|read| read(&value))))
    }

    /// Whether there is a value, of whatever type. Does not count as a hit or a miss. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn exists(&self, key: impl AsRef<str>) -> Result<bool> {
        let call = self.call("exists")?;
        let key = call.key(key.as_ref())?;
        let exists = call.backend().exists(&key, call.deadline).await;
        call.absorb_to_nothing(exists)
    }

    /// What is left of the value's lifetime; `None` if there is no value. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn ttl(&self, key: impl AsRef<str>) -> Result<Option<Remaining>> {
        let call = self.call("ttl")?;
        let key = call.key(key.as_ref())?;
        let remaining = call.backend().remaining(&key, call.deadline).await;
        call.absorb_to_nothing(remaining)
    }
}

impl Cache {
    fn miss<R>(&self) -> Option<R> {
        self.inner.journal.record("get", EventKind::Miss(1));
        None
    }
}
