//! Every key there is, one row each: name, field, default, range, meaning.
//!
//! The reader, the near-match search, `validate` and `Config::keys` all live on these tables, so no key
//! can be accepted that is not in them.

use super::fault::{Report, Text};
use super::range::{
    any, below_one, each_server, host_name, label, lease, lifetime, moment, optional, path, pool, port,
    positive, redis_host, redis_url, some,
};
use super::shape::Shape;
use super::tree::Node;
use super::value::Fill;
use super::{BackendConfig, Config, MemcachedConfig, MemoryConfig, RedisConfig, ServiceConfig};

/// One key of a section that is held as a `T`.
pub(super) struct Key<T> {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) meaning: &'static str,
    /// Whether it can be changed while caches run.
    pub(super) live: bool,
    /// Fills the field from a written value.
    pub(super) read: fn(&mut T, &Node, &mut Report),
    /// What a value looks like that `read` takes.
    pub(super) shape: fn() -> Shape,
    /// Whether the field is in its range, however it was filled.
    pub(super) check: fn(&T) -> Result<(), Text>,
    /// Whether two sections have the same in this field.
    pub(super) same: fn(&T, &T) -> bool,
}

macro_rules! table {
    ($section:ty: $($name:literal, $field:ident, $default:literal, $check:expr, $($live:ident,)? $meaning:literal;)*) => {
        &[$(Key {
            name: $name,
            default: $default,
            meaning: $meaning,
            live: false $(|| $live)?,
            read: |section: &mut $section, node, report| section.$field.fill(node, report),
            shape: || shape_of(|section: &$section| &section.$field),
            check: |section: &$section| ($check)(&section.$field),
            same: |one: &$section, other: &$section| one.$field == other.$field,
        }),*]
    };
}

/// Marks a key that [`Caches::reload`](crate::Caches::reload) can change.
const LIVE: bool = true;

fn shape_of<T, F: Fill>(_field: fn(&T) -> &F) -> Shape {
    F::shape()
}

pub(super) const ROOT: &[Key<Config>] = table! { Config:
    "enabled", enabled, "true", any, "false: every read is a miss, every write does nothing, loaders run";
    "env", env, "", any, "development, staging, production or test";
    "backends", backends, "", any, "the list of named backends";
    "service", service, "", any, "what holds for all backends";
    "enable_metrics", enable_metrics, "true", any, "whether backends report their counters";
    "health_check_interval", health_check_interval, "0", moment, "how often health is looked at unasked; 0: never";
};

pub(super) const SERVICE: &[Key<ServiceConfig>] = table! { ServiceConfig:
    "enable_protection", enable_protection, "true", any, LIVE, "whether concurrent loads of one key become one";
    "protection_lock_ttl", protection_lock_ttl, "30s", lease, LIVE, "how long a lease outlives its process";
    "protection_max_wait", protection_max_wait, "10s", positive, LIVE, "how long the others wait for its result";
    "protection_retry_interval", protection_retry_interval, "100ms", positive, LIVE, "the longest pause between looks";
    "on_wait_timeout", on_wait_timeout, "compute", any, LIVE, "compute, stale or error: what follows a wait in vain";
    "default_backend", default_backend, "", any, "the name of the default backend; overrides the flags";
    "default_serializer", default_serializer, "json", any, "json, postcard, either with +compression, compression";
    "ttl_jitter", ttl_jitter, "0", moment, LIVE, "up to this much is added to a loaded value's life; 0: off";
    "stale_for", stale_for, "0", moment, "how long values are kept past their lifetime; 0: off";
    "refresh_ahead", refresh_ahead, "0", below_one, LIVE, "the last fraction of a lifetime that reloads; 0: off";
    "negative_ttl", negative_ttl, "0", moment, LIVE, "how long a loaded None is kept; 0: as any value";
    "circuit_breaker_enabled", circuit_breaker_enabled, "true", any, "whether a failing backend is left alone";
    "circuit_breaker_threshold", circuit_breaker_threshold, "5", some, "failures in a row that open the breaker";
    "enable_metrics", enable_metrics, "true", any, "whether hits, misses and loads are counted";
    "enable_health_checks", enable_health_checks, "true", any, "whether the service answers for health";
};

/// Keys that every type of backend has.
pub(super) const BACKEND: &[Key<BackendConfig>] = table! { BackendConfig:
    "name", name, "", label, "the name it is asked for by; unique";
    "type", kind, "", any, "memory, redis or memcached";
    "default", default, "false", any, "whether it is the default; a lone backend is by itself";
    "enabled", enabled, "true", any, "whether it is built at all";
    "default_ttl", default_ttl, "", lifetime, LIVE, "the lifetime of values stored without one; none: for ever";
    "key_prefix", key_prefix, "", any, "stands before every key, joined by `:`";
    "serializer", serializer, "", any, "the form of values; none: the service's";
    "timeout", timeout, "1s", positive, "the time limit of one call";
    "degrade", degrade, "false", any, "whether an unreachable server makes misses instead of errors";
};

pub(super) const MEMORY: &[Key<MemoryConfig>] = table! { MemoryConfig:
    "max_size", max_size, "10000", some, "entries it holds at most";
    "cleanup_interval", cleanup_interval, "60s", positive, "how often expired entries are swept out";
    "max_bytes", max_bytes, "", |bytes| optional(bytes, some), "bytes it holds at most; none: no such limit";
    "eviction", eviction, "default", any, "default or lru";
};

pub(super) const REDIS: &[Key<RedisConfig>] = table! { RedisConfig:
    "redis_url", url, "", |url| optional(url, redis_url), "the whole address; wins over the parts";
    "redis_host", host, "localhost", redis_host, "a name, an address, or the path of a Unix socket";
    "redis_port", port, "6379", port, "the TCP port, also of nodes of a cluster that name none";
    "redis_db", db, "0", any, "the number of the database";
    "redis_username", username, "", any, "the user of an ACL; needs a password";
    "redis_password", password, "", any, "the password";
    "redis_ssl", ssl, "false", any, "whether to connect with TLS";
    "redis_pool_size", pool_size, "10", pool, "connections at most";
    "redis_ca_file", ca_file, "", |file| optional(file, path), "certificate authorities to trust, PEM";
    "redis_cert_file", cert_file, "", |file| optional(file, path), "our certificate, PEM";
    "redis_key_file", key_file, "", |file| optional(file, path), "the key of our certificate, PEM";
    "redis_mode", mode, "standalone", any, "standalone, cluster or sentinel";
    "redis_nodes", nodes, "[]", each_server, "nodes of a cluster, or the sentinels; in place of host and port";
    "redis_sentinel_master", sentinel_master, "", |name| optional(name, label), "the master's name";
    "redis_sentinel_username", sentinel_username, "", any, "our user at the sentinels; needs a password";
    "redis_sentinel_password", sentinel_password, "", any, "our password at the sentinels";
};

pub(super) const MEMCACHED: &[Key<MemcachedConfig>] = table! { MemcachedConfig:
    "memcached_host", host, "localhost", host_name, "a name or an address";
    "memcached_port", port, "11211", port, "the TCP port, also of servers that name none";
    "memcached_servers", servers, "[]", each_server, "several servers, host or host:port";
    "memcached_pool_size", pool_size, "10", pool, "connections at most, to each server";
    "memcached_clearable", clearable, "false", any, "whether `clear` works; all who share the keys must agree";
};

/// A key as documentation and tools see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConfigKey {
    /// Where it stands: `""` for the top (or under `cache`), `service`, or `backends[]`.
    pub section: &'static str,
    /// The type of backend it belongs to, if to one only.
    pub backend: Option<&'static str>,
    /// The key itself.
    pub name: &'static str,
    /// What holds without it, as it would be written; empty if there is none.
    pub default: &'static str,
    /// What it is for, in a line.
    pub meaning: &'static str,
    /// Whether its value is never shown, may be given as `file:/path`, and should not stand in a file at all.
    pub secret: bool,
    /// Whether [`Caches::reload`](crate::Caches::reload) can change it.
    pub live: bool,
}

/// The words that this key can have, if it has any.
pub(super) fn words(key: &ConfigKey) -> impl Iterator<Item = &'static str> {
    let shapes = shapes().find(|(row, _)| row == key).map(|(_, shape)| shape());
    shapes.map(Shape::words).unwrap_or_default().into_iter()
}

/// All rows of all tables.
pub(super) fn all() -> impl Iterator<Item = ConfigKey> {
    shapes().map(|(key, _)| key)
}

/// All rows, each with what its value looks like.
fn shapes() -> impl Iterator<Item = (ConfigKey, fn() -> Shape)> {
    rows(ROOT, "", None)
        .chain(rows(SERVICE, "service", None))
        .chain(rows(BACKEND, "backends[]", None))
        .chain(rows(MEMORY, "backends[]", Some("memory")))
        .chain(rows(REDIS, "backends[]", Some("redis")))
        .chain(rows(MEMCACHED, "backends[]", Some("memcached")))
}

fn rows<T>(
    table: &'static [Key<T>],
    section: &'static str,
    backend: Option<&'static str>,
) -> impl Iterator<Item = (ConfigKey, fn() -> Shape)> {
    table.iter().map(move |row| {
        let key = ConfigKey {
            section,
            backend,
            name: row.name,
            default: row.default,
            meaning: row.meaning,
            secret: (row.shape)().is_secret(),
            live: row.live,
        };
        (key, row.shape)
    })
}
