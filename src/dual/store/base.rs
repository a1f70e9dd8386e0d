//! What a store is built on: a backend, a namespace, and how long a call may take.

use super::super::backend::BackendHandle;
use super::super::cache::Cache;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::{Format, ValueCodec};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::memory::Memory;
use crate::key::Prefix;

/// What a store is built on. Made of a `&Memory`, `&Redis`, `&Memcached`, of a [`BackendHandle`], or of a `&Cache`, whose
/// prefix, format and timeout it takes over.
#[derive(Clone)]
pub struct StoreBase {
    pub(super) backend: BackendHandle,
    /// The backend's name, as errors carry it.
    name: Arc<str>,
    namespace: Prefix,
    pub(super) codec: ValueCodec,
    timeout: Duration,
}

impl StoreBase {
    /// The same in a namespace of its own: stores of one kind share their names only within one. Defaults to the prefix of
    /// the cache, or to none.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> StoreBase {
        StoreBase { namespace: Prefix::new(namespace), ..self }
    }

    /// The same with another timeout: how long a call may take in all, as
    /// [`CacheBuilder::timeout`](crate::CacheBuilder::timeout). Defaults to that of the cache, or to 1 s.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> StoreBase {
        StoreBase { timeout, ..self }
    }

    /// The namespace of the keys of one kind of store.
    ///
    /// # Errors
    /// `Config` for a timeout of zero, with which no call could succeed; `Unsupported` for a backend that is switched off,
    /// which forgets what a program relies on.
    pub(super) fn keys(&self, kind: &str) -> Result<Prefix> {
        if self.backend.is_off() {
            let text = "the cache is switched off: it would forget what a store has to keep; build the store on a backend";
            return Err(self.place("new", Error::new(ErrorKind::Unsupported, text)));
        }
        if self.timeout.is_zero() {
            let text = "timeout is zero, so no call could ever succeed; give for instance 1 s";
            return Err(self.place("new", Error::new(ErrorKind::Config, text)));
        }
        Ok(Prefix::of_store(kind, &self.namespace))
    }

    /// The end of a call that begins now. Memory never waits, so its calls need not look at the clock.
    pub(super) fn deadline(&self) -> Deadline {
        match self.backend.keeps_objects() {
            true => Deadline::unneeded(),
            false => Deadline::after(self.timeout),
        }
    }

    /// The same for a call that may not take longer than this either.
    pub(super) fn deadline_within(&self, limit: Duration) -> Deadline {
        match self.backend.keeps_objects() {
            true => Deadline::unneeded(),
            false => Deadline::after(self.timeout.min(limit)),
        }
    }

    /// The same for a call that the server is to answer only after so long.
    pub(super) fn deadline_after(&self, patience: Duration) -> Deadline {
        Deadline::after(patience.saturating_add(self.timeout))
    }

    /// Says of an error where it happened.
    pub(super) fn place(&self, operation: &'static str, error: Error) -> Error {
        error.at(operation, &self.name)
    }
}

impl From<BackendHandle> for StoreBase {
    fn from(backend: BackendHandle) -> StoreBase {
        StoreBase {
            name: backend.name().into(),
            backend,
            namespace: Prefix::default(),
            codec: ValueCodec::new(Format::default()),
            timeout: Duration::from_secs(1),
        }
    }
}

impl From<&BackendHandle> for StoreBase {
    fn from(backend: &BackendHandle) -> StoreBase {
        backend.clone().into()
    }
}

impl From<&Memory> for StoreBase {
    fn from(memory: &Memory) -> StoreBase {
        BackendHandle::from(memory.clone()).into()
    }
}

#[cfg(feature = "redis")]
impl From<&crate::handle::redis::Redis> for StoreBase {
    fn from(redis: &crate::handle::redis::Redis) -> StoreBase {
        BackendHandle::from(redis.clone()).into()
    }
}

#[cfg(feature = "memcached")]
impl From<&crate::handle::memcached::Memcached> for StoreBase {
    fn from(memcached: &crate::handle::memcached::Memcached) -> StoreBase {
        BackendHandle::from(memcached.clone()).into()
    }
}

impl From<&Cache> for StoreBase {
    fn from(cache: &Cache) -> StoreBase {
        let (namespace, codec, timeout) = cache.setting();
        StoreBase { namespace, codec, timeout, ..StoreBase::from(cache.backend()) }
    }
}

impl fmt::Debug for StoreBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreBase")
            .field("backend", &self.name)
            .field("namespace", &self.namespace.as_str())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
