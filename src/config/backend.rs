//! One entry of `backends`, and what a memory backend is told.

use std::time::Duration;

use super::{MemcachedConfig, RedisConfig, Serializer};
use crate::eviction::Eviction;

/// One named backend.
///
/// ```
/// use lexigram_cache::config::{BackendConfig, MemoryConfig};
///
/// let mut memory = MemoryConfig::default();
/// memory.max_size = 500;
/// let backend = BackendConfig::new("local", memory);
/// assert!(backend.enabled);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BackendConfig {
    /// The name it is asked for by; unique.
    pub name: String,
    /// Whether it is the default one. A lone backend is that by itself. Defaults to `false`.
    pub default: bool,
    /// Whether it is built at all. Defaults to `true`.
    pub enabled: bool,
    /// The lifetime of values that are stored without one; `None` is for ever, the default.
    pub default_ttl: Option<Duration>,
    /// Stands before every key, joined by `:`. Defaults to none.
    pub key_prefix: String,
    /// The form of values; `None` is the service's default, the default.
    pub serializer: Option<Serializer>,
    /// The time limit of one call. Defaults to 1 s.
    pub timeout: Duration,
    /// Whether the program goes on without a server that is away: reads miss, blind writes are dropped, the rest fails;
    /// see [`CacheBuilder::degrade`](crate::CacheBuilder::degrade). Defaults to `false`.
    pub degrade: bool,
    /// What it is, with the settings of its type.
    pub kind: BackendKind,
}

impl BackendConfig {
    /// A backend with all defaults.
    pub fn new(name: impl Into<String>, kind: impl Into<BackendKind>) -> BackendConfig {
        BackendConfig {
            name: name.into(),
            default: false,
            enabled: true,
            default_ttl: None,
            key_prefix: String::new(),
            serializer: None,
            timeout: Duration::from_secs(1),
            degrade: false,
            kind: kind.into(),
        }
    }
}

/// The type of a backend and the settings that only this type has.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there are a few of them, at start-up")]
pub enum BackendKind {
    /// `type: memory`
    Memory(MemoryConfig),
    /// `type: redis`
    Redis(RedisConfig),
    /// `type: memcached`
    Memcached(MemcachedConfig),
}

impl BackendKind {
    /// The word for it in a file: `memory`, `redis` or `memcached`.
    pub fn name(&self) -> &'static str {
        match self {
            BackendKind::Memory(_) => "memory",
            BackendKind::Redis(_) => "redis",
            BackendKind::Memcached(_) => "memcached",
        }
    }
}

impl From<MemoryConfig> for BackendKind {
    fn from(memory: MemoryConfig) -> BackendKind {
        BackendKind::Memory(memory)
    }
}

impl From<RedisConfig> for BackendKind {
    fn from(redis: RedisConfig) -> BackendKind {
        BackendKind::Redis(redis)
    }
}

impl From<MemcachedConfig> for BackendKind {
    fn from(memcached: MemcachedConfig) -> BackendKind {
        BackendKind::Memcached(memcached)
    }
}

/// The settings of a backend in this process's memory.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MemoryConfig {
    /// Entries it holds at most. Defaults to 10,000.
    pub max_size: usize,
    /// How often expired entries are swept out. Defaults to 60 s.
    pub cleanup_interval: Duration,
    /// Bytes it holds at most. Defaults to no such limit.
    pub max_bytes: Option<u64>,
    /// Who goes when it is full. Defaults to [`Eviction::Default`].
    pub eviction: Eviction,
}

impl Default for MemoryConfig {
    fn default() -> MemoryConfig {
        MemoryConfig {
            max_size: 10_000,
            cleanup_interval: Duration::from_secs(60),
            max_bytes: None,
            eviction: Eviction::Default,
        }
    }
}
