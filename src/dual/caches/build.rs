//! From what a configuration says to the cache that does it.

use super::{BackendHandle, Cache, CacheBuilder};

use std::time::Duration;

#[cfg(feature = "memcached")]
use crate::config::MemcachedConfig;
use crate::config::{BackendConfig, BackendKind, Config, MemoryConfig, Serializer, ServiceConfig};
#[cfg(feature = "redis")]
use crate::config::{RedisConfig, RedisMode, Secret};
use crate::error::Result;
#[cfg(not(all(feature = "redis", feature = "cluster", feature = "memcached")))]
use crate::error::{Error, ErrorKind};
#[cfg(feature = "memcached")]
use crate::handle::memcached::Memcached;
use crate::handle::memory::Memory;
#[cfg(feature = "redis")]
use crate::handle::redis::Redis;
use crate::policy::{PolicyBuilder, Rules};
use crate::ttl::Lifetime;

/// The cache of one backend.
pub(super) fn cache(config: &Config, backend: &BackendConfig, handles: &mut Handles) -> Result<Cache> {
    let service = &config.service;
    let serializer = backend.serializer.unwrap_or(service.default_serializer);
    let handle = match config.enabled {
        true => handles.handle(&backend.kind, service)?,
        false => BackendHandle::off(),
    };
    let mut cache = Cache::builder()
        .backend(handle)
        .prefix(&backend.key_prefix)
        .timeout(backend.timeout)
        .degrade(backend.degrade)
        .protection(service.enable_protection)
        .stale_for(if config.enabled { service.stale_for } else { Duration::ZERO })
        .policy(|policy| protect(policy, service))
        .metrics(service.enable_metrics)
        .backend_metrics(config.enable_metrics);
    if let Some(ttl) = backend.default_ttl {
        cache = cache.default_ttl(ttl);
    }
    serialize(cache, serializer).build()
}

/// How loads are protected.
pub(super) fn rules(service: &ServiceConfig) -> Rules {
    let rules = Rules { enabled: service.enable_protection, ..Rules::default() };
    protect(PolicyBuilder::new(rules, Lifetime::Never, Duration::ZERO), service).rules
}

/// # Errors
/// `InvalidTtl` for none that a validated configuration has.
pub(super) fn default_ttl(backend: &BackendConfig) -> Result<Lifetime> {
    backend.default_ttl.map_or(Ok(Lifetime::Never), Lifetime::new)
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

/// The servers that were named so far. Who names one again, in the same way, gets the same connections.
#[derive(Default)]
pub(super) struct Handles {
    #[cfg(feature = "redis")]
    redis: Vec<(RedisConfig, Redis)>,
    #[cfg(feature = "memcached")]
    memcached: Vec<Memcached>,
}

impl Handles {
    fn handle(&mut self, kind: &BackendKind, service: &ServiceConfig) -> Result<BackendHandle> {
        #[cfg(any(feature = "redis", feature = "memcached"))]
        let breaker = service.circuit_breaker_enabled.then_some(service.circuit_breaker_threshold);
        #[cfg(not(any(feature = "redis", feature = "memcached")))]
        let _ = service;
        match kind {
            BackendKind::Memory(memory) => Ok(self::memory(memory)?.into()),
            #[cfg(feature = "redis")]
            BackendKind::Redis(redis) => Ok(self.redis(redis, breaker)?.into()),
            #[cfg(feature = "memcached")]
            BackendKind::Memcached(memcached) => Ok(self.memcached(memcached, breaker)?.into()),
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
    fn redis(&mut self, config: &RedisConfig, breaker: Option<u32>) -> Result<Redis> {
        let redis = redis(config, breaker)?;
        let certificates = |config: &RedisConfig| {
            (config.ca_file.clone(), config.cert_file.clone(), config.key_file.clone())
        };
        let is_known = |(known, handle): &&(RedisConfig, Redis)| {
            handle.is_alike(&redis) && certificates(known) == certificates(config)
        };
        if let Some((_, known)) = self.redis.iter().find(is_known) {
            return Ok(known.clone());
        }
        self.redis.push((config.clone(), redis.clone()));
        Ok(redis)
    }

    #[cfg(feature = "memcached")]
    fn memcached(&mut self, config: &MemcachedConfig, breaker: Option<u32>) -> Result<Memcached> {
        let builder = Memcached::builder(config.addresses()).pool_size(config.pool_size);
        let memcached = builder.clearable(config.clearable).breaker(breaker).build()?;
        if let Some(known) = self.memcached.iter().find(|known| known.is_alike(&memcached)) {
            return Ok(known.clone());
        }
        self.memcached.push(memcached.clone());
        Ok(memcached)
    }
}

fn memory(memory: &MemoryConfig) -> Result<Memory> {
    let mut builder = Memory::builder()
        .max_entries(memory.max_size)
        .eviction(memory.eviction)
        .cleanup_interval(memory.cleanup_interval);
    if let Some(max_bytes) = memory.max_bytes {
        builder = builder.max_bytes(max_bytes);
    }
    builder.build()
}

#[cfg(feature = "redis")]
fn redis(redis: &RedisConfig, breaker: Option<u32>) -> Result<Redis> {
    let mut builder = Redis::builder(redis.address().expose());
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
