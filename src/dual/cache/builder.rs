//! Building a cache.

use super::super::backend::BackendHandle;
use super::{Cache, Inner, Protection};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "compress")]
use crate::codec::Compression;
use crate::codec::{Format, ValueCodec};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Journal, Observer};
use crate::key::Prefix;
use crate::ttl::{Lifetime, Ttl};

/// Settings of a [`Cache`].
#[must_use = "nothing is made before build()"]
pub struct CacheBuilder {
    backend: BackendHandle,
    prefix: String,
    default_ttl: Ttl,
    format: Format,
    #[cfg(feature = "compress")]
    compression: Option<Compression>,
    strict_decode: bool,
    timeout: Duration,
    protection: Protection,
    observer: Option<Arc<dyn Observer>>,
}

impl CacheBuilder {
    pub(super) fn new(backend: BackendHandle) -> CacheBuilder {
        CacheBuilder {
            backend,
            prefix: String::new(),
            default_ttl: Ttl::NEVER,
            format: Format::default(),
            #[cfg(feature = "compress")]
            compression: None,
            strict_decode: false,
            timeout: Duration::from_secs(1),
            protection: Protection { enabled: true, max_wait: Duration::from_secs(10) },
            observer: None,
        }
    }

    /// Where values live. Defaults to memory with its defaults.
    pub fn backend(mut self, backend: impl Into<BackendHandle>) -> CacheBuilder {
        self.backend = backend.into();
        self
    }

    /// The namespace: stands before each key with a `:`, and is all that `clear` clears. `:` and `%` inside
    /// it are percent-escaped. Defaults to none: the cache then sees the server's keys as they are.
    pub fn prefix(mut self, prefix: impl Into<String>) -> CacheBuilder {
        self.prefix = prefix.into();
        self
    }

    /// What [`Ttl::DEFAULT`] means on this cache. Defaults to never expiring.
    pub fn default_ttl(mut self, ttl: impl Into<Ttl>) -> CacheBuilder {
        self.default_ttl = ttl.into();
        self
    }

    /// How values become bytes. Defaults to JSON.
    pub fn format(mut self, format: Format) -> CacheBuilder {
        self.format = format;
        self
    }

    /// Compresses large values. A cache without it reads compressed values as well. Defaults to none.
    #[cfg(feature = "compress")]
    pub fn compression(mut self, compression: Compression) -> CacheBuilder {
        self.compression = Some(compression);
        self
    }

    /// Whether stored bytes that are no value of the type asked for are an error. Defaults to no: they are a
    /// miss, counted as `decode_rejected`, and overwritten by the next load.
    pub fn strict_decode(mut self, strict: bool) -> CacheBuilder {
        self.strict_decode = strict;
        self
    }

    /// How long a call may take in all: waiting for a connection, dialling, and every reply, for one key or a
    /// thousand. Defaults to 1 s.
    pub fn timeout(mut self, timeout: Duration) -> CacheBuilder {
        self.timeout = timeout;
        self
    }

    /// Whether callers that miss the same key share one load. Defaults to yes.
    pub fn protection(mut self, enabled: bool) -> CacheBuilder {
        self.protection.enabled = enabled;
        self
    }

    /// How long a caller waits for somebody else's load before it loads for itself, without storing what it
    /// got. Defaults to 10 s.
    pub fn max_wait(mut self, max_wait: Duration) -> CacheBuilder {
        self.protection.max_wait = max_wait;
        self
    }

    /// Who is told of hits, misses, loads and trouble. Defaults to nobody.
    pub fn observer(mut self, observer: impl Observer) -> CacheBuilder {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Makes the cache. Dials nothing.
    ///
    /// # Errors
    /// `InvalidTtl` for a `default_ttl` of zero, `Config` for a timeout or `max_wait` of zero.
    pub fn build(self) -> Result<Cache> {
        if self.timeout.is_zero() {
            let text = "timeout is zero, so no call could ever succeed; give for instance 1 s";
            return Err(Error::new(ErrorKind::Config, text));
        }
        if self.protection.max_wait.is_zero() {
            let text = "max_wait is zero, so nobody would share a load; switch it off with protection(false)";
            return Err(Error::new(ErrorKind::Config, text));
        }
        self.default_ttl.resolve(Lifetime::Never)?;
        Ok(self.finish())
    }

    /// Makes the cache of settings that are known to be good.
    pub(super) fn finish(self) -> Cache {
        let codec = ValueCodec::new(self.format);
        #[cfg(feature = "compress")]
        let codec = match self.compression {
            Some(compression) => codec.with_compression(compression),
            None => codec,
        };
        let inner = Inner {
            prefix: Prefix::new(&self.prefix),
            codec,
            default_ttl: self.default_ttl.resolve(Lifetime::Never).unwrap_or(Lifetime::Never),
            strict_decode: self.strict_decode,
            protection: self.protection,
            journal: Journal::new(self.backend.name(), self.observer),
            closed: false.into(),
            backend: self.backend,
        };
        Cache { inner: Arc::new(inner), timeout: self.timeout }
    }
}

impl fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("backend", &self.backend)
            .field("prefix", &self.prefix)
            .field("default_ttl", &self.default_ttl)
            .field("format", &self.format.name())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
