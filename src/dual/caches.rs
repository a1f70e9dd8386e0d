//! Several named caches at once, one of them the default.

use super::backend::BackendHandle;
use super::cache::{Cache, CacheBuilder};
use super::maybe_async;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{BackendConfig, BackendKind, Config, Serializer, ServiceConfig};
#[cfg(feature = "redis")]
use crate::config::{RedisConfig, RedisMode, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::memory::Memory;
use crate::policy::PolicyBuilder;

/// Named caches, as a configuration describes them. A cheap clone.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use lexigram_cache::{Caches, Ttl};
///
/// let caches = Caches::from_yaml_str("
/// backends:
///   - {name: local, type: memory, max_size: 500, default: true}
///   - {name: pages, type: memory, default_ttl: 5m}
/// ")?;
/// caches.get("pages")?.set("home", "<html>", Ttl::DEFAULT)?;
/// assert_eq!(caches.names().collect::<Vec<_>>(), ["local", "pages"]);
/// # }
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Caches {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `None` for a backend that is configured but not enabled.
    caches: BTreeMap<String, Option<Cache>>,
    default: Cache,
}

impl Caches {
    /// Builds the caches of a configuration. Dials nothing.
    ///
    /// # Errors
    /// `Config` for everything that is wrong with it, at once, and for settings that this version holds but
    /// cannot honour.
    pub fn from_config(config: Config) -> Result<Caches> {
        config.validate()?;
        refuse_unheeded(&config)?;
        let default_name = config.default_name()?;
        let mut caches = BTreeMap::new();
        for backend in &config.backends {
            let cache = match backend.enabled {
                true => Some(build(&config, backend)?),
                false => None,
            };
            caches.insert(backend.name.clone(), cache);
        }
        let default = caches.get(default_name).cloned().flatten();
        let default =
            default.ok_or_else(|| Error::new(ErrorKind::Config, "the default cache is not enabled"))?;
        Ok(Caches { inner: Arc::new(Inner { caches, default }) })
    }

    /// Builds the caches that a YAML text describes.
    ///
    /// # Errors
    /// `Config`, naming the path, the line and what is allowed, for all faults of the text at once.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_str(yaml: &str) -> Result<Caches> {
        Caches::from_config(Config::from_yaml_str(yaml)?)
    }

    /// Builds the caches that a YAML file describes. Reads the file in place, so call it at start-up.
    ///
    /// # Errors
    /// `Config`, as [`from_yaml_str`](Caches::from_yaml_str), and if the file cannot be read.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_file(path: impl AsRef<std::path::Path>) -> Result<Caches> {
        Caches::from_config(Config::from_yaml_file(path)?)
    }

    /// The cache of this name.
    ///
    /// # Errors
    /// `Config` if there is none, with the names there are, or if it is not enabled.
    pub fn get(&self, name: &str) -> Result<Cache> {
        match self.inner.caches.get(name) {
            Some(Some(cache)) => Ok(cache.clone()),
            Some(None) => {
                let text = format!("the cache `{name}` is configured with `enabled: false`");
                Err(Error::new(ErrorKind::Config, text))
            }
            None => {
                let known: Vec<_> = self.names().collect();
                let text = format!("no cache is named `{name}`; there are: {}", known.join(", "));
                Err(Error::new(ErrorKind::Config, text))
            }
        }
    }

    /// The default cache.
    pub fn default(&self) -> Cache {
        self.inner.default.clone()
    }

    /// The names of the caches that can be got, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.caches.iter().filter(|(_, cache)| cache.is_some()).map(|(name, _)| name.as_str())
    }
}

#[maybe_async]
impl Caches {
    /// Closes every cache, one after the other; see [`Cache::close`].
    pub async fn close(&self) {
        for cache in self.inner.caches.values().flatten() {
            cache.close().await;
        }
    }
}

fn build(config: &Config, backend: &BackendConfig) -> Result<Cache> {
    let service = &config.service;
    let serializer = backend.serializer.unwrap_or(service.default_serializer);
    let handle = match config.enabled {
        true => handle(&backend.kind, service)?,
        false => BackendHandle::off(),
    };
    let mut cache = Cache::builder()
        .backend(handle)
        .prefix(&backend.key_prefix)
        .timeout(backend.timeout)
        .degrade(backend.degrade)
        .protection(service.enable_protection)
        .stale_for(if config.enabled { service.stale_for } else { Duration::ZERO })
        .policy(|policy| protect(policy, service));
    if let Some(ttl) = backend.default_ttl {
        cache = cache.default_ttl(ttl);
    }
    serialize(cache, serializer).build()
}

/// Zero is off, where a setting can be off.
fn protect(mut policy: PolicyBuilder, service: &ServiceConfig) -> PolicyBuilder {
    if service.refresh_ahead > 0.0 {
        policy = policy.refresh_ahead(service.refresh_ahead);
    }
    if !service.negative_ttl.is_zero() {
        policy = policy.negative_ttl(service.negative_ttl);
    }
    policy
        .jitter(service.ttl_jitter)
        .lock_ttl(service.protection_lock_ttl)
        .max_wait(service.protection_max_wait)
        .retry_interval(service.protection_retry_interval)
        .on_wait_timeout(service.on_wait_timeout)
}

fn handle(kind: &BackendKind, service: &ServiceConfig) -> Result<BackendHandle> {
    #[cfg(any(feature = "redis", feature = "memcached"))]
    let breaker = service.circuit_breaker_enabled.then_some(service.circuit_breaker_threshold);
    #[cfg(not(any(feature = "redis", feature = "memcached")))]
    let _ = service;
    match kind {
        BackendKind::Memory(memory) => {
            let mut builder = Memory::builder()
                .max_entries(memory.max_size)
                .eviction(memory.eviction)
                .cleanup_interval(memory.cleanup_interval);
            if let Some(max_bytes) = memory.max_bytes {
                builder = builder.max_bytes(max_bytes);
            }
            Ok(builder.build()?.into())
        }
        #[cfg(feature = "redis")]
        BackendKind::Redis(redis) => Ok(self::redis(redis, breaker)?.into()),
        #[cfg(feature = "memcached")]
        BackendKind::Memcached(memcached) => {
            let builder = crate::Memcached::builder(memcached.addresses());
            Ok(builder.pool_size(memcached.pool_size).breaker(breaker).build()?.into())
        }
        #[cfg(not(all(feature = "redis", feature = "memcached")))]
        other => {
            let name = other.name();
            let text =
                format!("add features = [\"{name}\"] to lexigram-cache in Cargo.toml for this backend");
            Err(Error::new(ErrorKind::Config, text))
        }
    }
}

#[cfg(feature = "redis")]
fn redis(redis: &RedisConfig, breaker: Option<u32>) -> Result<crate::Redis> {
    let mut builder = crate::Redis::builder(redis.address().expose());
    builder = builder.pool_size(redis.pool_size).breaker(breaker);
    match redis.mode {
        RedisMode::Standalone => {}
        #[cfg(feature = "cluster")]
        RedisMode::Cluster => builder = builder.cluster(redis.further_nodes()),
        #[cfg(not(feature = "cluster"))]
        RedisMode::Cluster => {
            let text =
                "add features = [\"cluster\"] to lexigram-cache in Cargo.toml for `redis_mode: cluster`";
            return Err(Error::new(ErrorKind::Config, text));
        }
        RedisMode::Sentinel => {
            let master = redis.sentinel_master.as_deref().unwrap_or_default();
            builder = builder.sentinel(master, redis.further_nodes());
        }
    }
    if let Some(password) = &redis.sentinel_password {
        let username = redis.sentinel_username.as_ref().map(Secret::expose);
        builder = builder.sentinel_credentials(username, password.expose());
    }
    if let Some(ca_file) = &redis.ca_file {
        builder = builder.ca_file(ca_file);
    }
    if let (Some(chain), Some(key)) = (&redis.cert_file, &redis.key_file) {
        builder = builder.client_certificate(chain, key);
    }
    builder.build()
}

/// The configuration was validated, so what is not compiled in does not come here.
fn serialize(cache: CacheBuilder, serializer: Serializer) -> CacheBuilder {
    #[cfg(feature = "postcard")]
    let cache = match serializer.is_postcard() {
        true => cache.format(crate::codec::Format::Postcard),
        false => cache,
    };
    #[cfg(feature = "compress")]
    let cache = match serializer.is_compressed() {
        true => cache.compression(crate::codec::Compression::new()),
        false => cache,
    };
    let _ = serializer;
    cache
}

/// What can be written in a configuration but has no effect yet must not be taken for working.
fn refuse_unheeded(config: &Config) -> Result<()> {
    let mut unheeded = Vec::new();
    let mut check = |set: bool, name: String| unheeded.extend(set.then_some(name));
    check(config.env.is_some(), "env".into());
    check(!config.enable_metrics, "enable_metrics".into());
    check(!config.health_check_interval.is_zero(), "health_check_interval".into());
    let (service, usual) = (&config.service, ServiceConfig::default());
    let service = [
        (service.enable_metrics != usual.enable_metrics, "enable_metrics"),
        (service.enable_health_checks != usual.enable_health_checks, "enable_health_checks"),
    ];
    service.into_iter().for_each(|(set, name)| check(set, format!("service.{name}")));
    if unheeded.is_empty() {
        return Ok(());
    }
    let text = "this version does not yet heed these keys; take them out, so that nobody relies on them: ";
    Err(Error::new(ErrorKind::Config, text.to_owned() + &unheeded.join(", ")))
}
