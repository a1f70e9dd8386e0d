//! Building a cache.

use super::super::backend::BackendHandle;
use super::{Cache, Inner, rt};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "compress")]
use crate::codec::Compression;
use crate::codec::{Format, ValueCodec};
use crate::engine::memory::FastPath;
use crate::engine::protect::LoadTime;
use crate::engine::tuning::Tuning;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Journal, Observer};
use crate::key::Prefix;
use crate::policy::{PolicyBuilder, Rules};
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
    degrade: bool,
    timeout: Duration,
    rules: Rules,
    stale_for: Duration,
    observer: Option<Arc<dyn Observer>>,
    metrics: bool,
    backend_metrics: bool,
}

impl CacheBuilder {
    pub(in super::super) fn new(backend: BackendHandle) -> CacheBuilder {
        CacheBuilder {
            backend,
            prefix: String::new(),
            default_ttl: Ttl::NEVER,
            format: Format::default(),
            #[cfg(feature = "compress")]
            compression: None,
            strict_decode: false,
            degrade: false,
            timeout: Duration::from_secs(1),
            rules: Rules::default(),
            stale_for: Duration::ZERO,
            observer: None,
            metrics: true,
            backend_metrics: true,
        }
    }

    /// Where values live. Defaults to memory with its defaults.
    pub fn backend(mut self, backend: impl Into<BackendHandle>) -> CacheBuilder {
        self.backend = backend.into();
        self
    }

    /// The namespace: stands before each key with a `:`, and is all that `clear` clears. `:` and `%` inside
    /// it are percent-escaped. Defaults to none: the cache then sees the server's keys as they are, and `clear` clears
    /// all of them but those of stores.
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

    /// Whether the program goes on without its cache while the server is away. Defaults to no: a call that needs the
    /// server fails.
    ///
    /// A cache that degrades absorbs the failures after which nothing was applied (`Unavailable`, `Timeout`, `Refused`,
    /// `Protocol`). A read is a miss; `exists` is `false`, `ttl` is `None`. `set`, `set_many`, `touch`, `delete`,
    /// `delete_many`, `delete_prefix`, `delete_pattern` and `clear` are dropped, and answer `()`, `false` or how many
    /// they removed. Loads run, once per key for all callers of the process, and what they give is not stored. Each
    /// failure is told as [`EventKind::Absorbed`](crate::EventKind::Absorbed) and counted in
    /// [`Stats::absorbed`](crate::Stats::absorbed).
    ///
    /// **An invalidation can be lost:** where a `delete` or a `set` was dropped, the value from before is seen again once
    /// the server is back, until its time is up. Give such values a lifetime. And what others invalidate during a load
    /// is not noticed by it while their server cannot be seen.
    ///
    /// What decides something fails as ever: `add`, `replace`, `take`, `update`, `incr`, `decr`. So does every call on
    /// an error that needs a person (`Auth`, `Misconfigured`, `Config`), that is the caller's own, or that is
    /// `Ambiguous`: a write that may have been applied is never hidden.
    /// [`health`](Cache::health) says `Down`.
    ///
    /// A call that was failed once asks that server no more. So a server that hangs takes a call's timeout once, and one
    /// that begins to hang during a load takes it twice, before the load and after it. A batch over several Memcached
    /// servers, or masters of a cluster, gives each its share of the time, and a dead one costs its own keys only.
    ///
    /// ```
    /// use lexigram_cache::{Cache, Ttl};
    ///
    /// # #[cfg(feature = "redis")] {
    /// use lexigram_cache::Redis;
    ///
    /// let away = Redis::builder("redis://127.0.0.1:1/0").build()?;
    /// let cache = Cache::builder().backend(away).degrade(true).build()?;
    /// cache.set("k", "v", Ttl::NEVER)?;
    /// assert_eq!(cache.get::<String>("k")?, None);
    /// assert_eq!(cache.stats().absorbed, 2);
    /// assert!(cache.incr("n", 1, Ttl::NEVER).is_err());
    /// # }
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub fn degrade(mut self, degrade: bool) -> CacheBuilder {
        self.degrade = degrade;
        self
    }

    /// Whether callers that miss the same key share one load. Defaults to yes.
    pub fn protection(mut self, enabled: bool) -> CacheBuilder {
        self.rules.enabled = enabled;
        self
    }

    /// How long a caller waits for somebody else's load before it does what the policy's
    /// [`on_wait_timeout`](PolicyBuilder::on_wait_timeout) says: by default it loads for itself, without storing
    /// what it got. Defaults to 10 s.
    pub fn max_wait(self, max_wait: Duration) -> CacheBuilder {
        self.policy(|policy| policy.max_wait(max_wait))
    }

    /// How long a load in one process keeps the other processes from loading, should that process die; see
    /// [`PolicyBuilder::lock_ttl`]. Defaults to 30 s.
    pub fn lock_ttl(self, lock_ttl: Duration) -> CacheBuilder {
        self.policy(|policy| policy.lock_ttl(lock_ttl))
    }

    /// How long past its time a value is kept, to be served where a load fails or while one caller reloads it. Every
    /// value of this cache is stored for so much longer than its lifetime, and only loading verbs see it after that:
    /// for all others, and for what [`ttl`](Cache::ttl) tells, it ends with its lifetime. All programs that use the
    /// namespace have to agree on it; those that read the server by other means see values past their time.
    /// Whole seconds on Memcached, rounded up. Defaults to zero.
    pub fn stale_for(mut self, stale_for: Duration) -> CacheBuilder {
        self.stale_for = stale_for;
        self
    }

    /// How loads are protected that bring no policy of their own, and where [`Cache::policy`] begins. Its lifetime
    /// is not taken: see [`default_ttl`](CacheBuilder::default_ttl).
    ///
    /// ```
    /// use lexigram_cache::Cache;
    /// use std::time::Duration;
    ///
    /// let cache = Cache::builder()
    ///     .default_ttl(Duration::from_secs(60))
    ///     .policy(|policy| policy.refresh_ahead(0.1).jitter(Duration::from_secs(5)))
    ///     .build()?;
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub fn policy(mut self, set: impl FnOnce(PolicyBuilder) -> PolicyBuilder) -> CacheBuilder {
        self.rules = set(PolicyBuilder::new(self.rules, Lifetime::Never, Duration::ZERO)).rules;
        self
    }

    /// Who is told of hits, misses, loads and trouble. Defaults to nobody.
    pub fn observer(mut self, observer: impl Observer) -> CacheBuilder {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Whether hits, misses, loads and failures are counted, in [`Cache::stats`] and through the `metrics` facade. An observer
    /// is told of them in any case. Defaults to yes.
    pub fn metrics(mut self, enabled: bool) -> CacheBuilder {
        self.metrics = enabled;
        self
    }

    /// Whether [`Cache::stats`] tells what the backend itself counts: entries, weight, and what has left. Defaults to yes.
    pub fn backend_metrics(mut self, enabled: bool) -> CacheBuilder {
        self.backend_metrics = enabled;
        self
    }

    /// Makes the cache. Dials nothing.
    ///
    /// # Errors
    /// `InvalidTtl` for a `default_ttl` of zero, `Config` for a timeout of zero and for what
    /// [`PolicyBuilder::build`] refuses, `Unsupported` for a `stale_for` on a backend that cannot hide values past
    /// their time.
    pub fn build(self) -> Result<Cache> {
        if self.timeout.is_zero() {
            let text = "timeout is zero, so no call could ever succeed; give for instance 1 s";
            return Err(Error::new(ErrorKind::Config, text));
        }
        if !self.stale_for.is_zero() && !self.backend.keeps_stale() {
            let text = "this backend cannot hide values past their time; leave stale_for out";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        if self.stale_for > Lifetime::MAX / 2 {
            let text =
                "stale_for is over 50 years, which leaves no room for a lifetime; give for instance a day";
            return Err(Error::new(ErrorKind::Config, text));
        }
        self.rules.check(self.kept())?;
        self.default_ttl.resolve(Lifetime::Never)?;
        Ok(self.finish())
    }

    /// How long values are kept past their time, in whole steps of the backend: else, where it tells a whole step
    /// for a part of one, a value would be fresh for longer than its lifetime.
    fn kept(&self) -> Duration {
        let step = self.backend.resolution();
        if step.is_zero() {
            return self.stale_for;
        }
        let steps = self.stale_for.as_nanos().div_ceil(step.as_nanos());
        step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    /// Makes the cache of settings that are known to be good.
    pub(in super::super) fn finish(self) -> Cache {
        let kept = self.kept();
        let codec = ValueCodec::new(self.format);
        #[cfg(feature = "compress")]
        let codec = match self.compression {
            Some(compression) => codec.with_compression(compression),
            None => codec,
        };
        let prefix = Prefix::new(&self.prefix).keeping(kept);
        let memory = self.backend.memory().filter(|_| prefix.stale_for().is_zero());
        let inner = Inner {
            fast_path: memory.and_then(|memory| FastPath::into(memory.store(), &prefix)),
            prefix,
            codec,
            strict_decode: self.strict_decode,
            degrade: self.degrade,
            tuning: Tuning::new(
                self.rules,
                self.default_ttl.resolve(Lifetime::Never).unwrap_or(Lifetime::Never),
            ),
            backend_metrics: self.backend_metrics,
            load_time: LoadTime::default(),
            background: rt::Background::default(),
            journal: Journal::new(self.backend.name(), self.observer, self.metrics),
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
            .field("degrade", &self.degrade)
            .finish_non_exhaustive()
    }
}
