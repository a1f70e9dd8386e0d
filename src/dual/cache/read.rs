//! Verbs that read one key.

use super::at_hand::AtHand;
use super::{Cache, maybe_async};

use std::any::Any;
use std::sync::Arc;

use crate::entry::Value;
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
    pub async fn get<T: Value>(&self, key: impl AsRef<str>) -> Result<Option<T>> {
        match self.at_hand(key.as_ref()) {
            AtHand::Miss => return Ok(self.miss()),
            AtHand::Hit(object) => {
                if let Some(value) = self.hit("get", &object) {
                    return Ok(Some(value));
                }
            }
            AtHand::Elsewhere => {}
        }
        Ok(self.read(key.as_ref()).await?.map(Arc::unwrap_or_clone))
    }

    /// [`get`](Cache::get) without a clone: on memory the very value that was stored, with no allocation.
    ///
    /// # Errors
    /// As [`get`](Cache::get).
    pub async fn get_arc<T: Value>(&self, key: impl AsRef<str>) -> Result<Option<Arc<T>>> {
        match self.at_hand(key.as_ref()) {
            AtHand::Miss => return Ok(self.miss()),
            AtHand::Hit(object) => {
                if let Ok(value) = (object as Arc<dyn Any + Send + Sync>).downcast() {
                    self.inner.journal.record("get", EventKind::Hit(1));
                    return Ok(Some(value));
                }
            }
            AtHand::Elsewhere => {}
        }
        self.read(key.as_ref()).await
    }

    async fn read<T: Value>(&self, name: &str) -> Result<Option<Arc<T>>> {
        let call = self.call("get")?;
        let key = call.key(name)?;
        let found = call.backend().get(&key, call.deadline).await;
        call.open(call.found(found)?)
    }

    /// What `read` makes of the value, without a clone.
    ///
    /// # Errors
    /// As [`get`](Cache::get).
    pub async fn get_with<T: Value, R>(
        &self,
        key: impl AsRef<str>,
        read: impl FnOnce(&T) -> R,
    ) -> Result<Option<R>> {
        Ok(self.get_arc(key).await?.map(|value| read(&value)))
    }

    /// Whether there is a value, of whatever type. Does not count as a hit or a miss. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn exists(&self, key: impl AsRef<str>) -> Result<bool> {
        let call = self.call("exists")?;
        let key = call.key(key.as_ref())?;
        let exists = call.backend().exists(&key, call.deadline).await;
        call.end(exists)
    }

    /// What is left of the value's lifetime; `None` if there is no value. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn ttl(&self, key: impl AsRef<str>) -> Result<Option<Remaining>> {
        let call = self.call("ttl")?;
        let key = call.key(key.as_ref())?;
        let remaining = call.backend().remaining(&key, call.deadline).await;
        call.end(remaining)
    }
}

impl Cache {
    fn miss<R>(&self) -> Option<R> {
        self.inner.journal.record("get", EventKind::Miss(1));
        None
    }
}
