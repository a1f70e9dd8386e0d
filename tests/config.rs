//! What a configuration does to the caches that it makes: every key, and all of them together.
#![cfg(all(
    feature = "async",
    feature = "cluster",
    feature = "memcached",
    feature = "postcard",
    feature = "tls",
    feature = "yaml"
))]

#[path = "config/backends.rs"]
mod backends;
#[path = "config/both.rs"]
mod both;
#[path = "config/health.rs"]
mod health;
#[path = "config/memcached.rs"]
mod memcached;
#[path = "config/memory.rs"]
mod memory;
#[path = "config/redis.rs"]
mod redis;
#[path = "config/reload.rs"]
mod reload;
#[path = "config/root.rs"]
mod root;
#[path = "config/service.rs"]
mod service;
#[path = "config/shared.rs"]
mod shared;
mod support;

use lexigram_cache::Config;

/// Section, type of backend, key, and the test that changes it and sees what it does.
type Effect = (&'static str, Option<&'static str>, &'static str, fn());

const ALL: &str = "backends[]";

const EFFECTS: &[Effect] = &[
    ("", None, "enabled", root::enabled),
    ("", None, "env", root::env),
    ("", None, "backends", root::backends),
    ("", None, "service", root::service),
    ("", None, "enable_metrics", root::enable_metrics),
    ("", None, "health_check_interval", health::health_check_interval),
    ("service", None, "enable_protection", service::enable_protection),
    ("service", None, "protection_lock_ttl", service::protection_lock_ttl),
    ("service", None, "protection_max_wait", service::protection_max_wait),
    ("service", None, "protection_retry_interval", service::protection_retry_interval),
    ("service", None, "on_wait_timeout", service::on_wait_timeout),
    ("service", None, "default_backend", service::default_backend),
    ("service", None, "default_serializer", service::default_serializer),
    ("service", None, "ttl_jitter", service::ttl_jitter),
    ("service", None, "stale_for", service::stale_for),
    ("service", None, "refresh_ahead", service::refresh_ahead),
    ("service", None, "negative_ttl", service::negative_ttl),
    ("service", None, "circuit_breaker_enabled", service::circuit_breaker_enabled),
    ("service", None, "circuit_breaker_threshold", service::circuit_breaker_threshold),
    ("service", None, "enable_metrics", service::enable_metrics),
    ("service", None, "enable_health_checks", health::enable_health_checks),
    (ALL, None, "name", backends::name),
    (ALL, None, "type", backends::kind),
    (ALL, None, "default", backends::default),
    (ALL, None, "enabled", backends::enabled),
    (ALL, None, "default_ttl", backends::default_ttl),
    (ALL, None, "key_prefix", backends::key_prefix),
    (ALL, None, "serializer", backends::serializer),
    (ALL, None, "timeout", backends::timeout),
    (ALL, None, "degrade", backends::degrade),
    (ALL, Some("memory"), "max_size", memory::max_size),
    (ALL, Some("memory"), "cleanup_interval", memory::cleanup_interval),
    (ALL, Some("memory"), "max_bytes", memory::max_bytes),
    (ALL, Some("memory"), "eviction", memory::eviction),
    (ALL, Some("redis"), "redis_url", redis::redis_url),
    (ALL, Some("redis"), "redis_host", redis::redis_host),
    (ALL, Some("redis"), "redis_port", redis::redis_port),
    (ALL, Some("redis"), "redis_db", redis::redis_db),
    (ALL, Some("redis"), "redis_username", redis::redis_username),
    (ALL, Some("redis"), "redis_password", redis::redis_password),
    (ALL, Some("redis"), "redis_ssl", redis::redis_ssl),
    (ALL, Some("redis"), "redis_pool_size", redis::redis_pool_size),
    (ALL, Some("redis"), "redis_ca_file", redis::redis_ca_file),
    (ALL, Some("redis"), "redis_cert_file", redis::redis_cert_file),
    (ALL, Some("redis"), "redis_key_file", redis::redis_key_file),
    (ALL, Some("redis"), "redis_mode", redis::redis_mode),
    (ALL, Some("redis"), "redis_nodes", redis::redis_nodes),
    (ALL, Some("redis"), "redis_sentinel_master", redis::redis_sentinel_master),
    (ALL, Some("redis"), "redis_sentinel_username", redis::redis_sentinel_username),
    (ALL, Some("redis"), "redis_sentinel_password", redis::redis_sentinel_password),
    (ALL, Some("memcached"), "memcached_host", memcached::memcached_host),
    (ALL, Some("memcached"), "memcached_port", memcached::memcached_port),
    (ALL, Some("memcached"), "memcached_servers", memcached::memcached_servers),
    (ALL, Some("memcached"), "memcached_pool_size", memcached::memcached_pool_size),
    (ALL, Some("memcached"), "memcached_clearable", memcached::memcached_clearable),
];

#[test]
fn every_key_has_an_effect_that_is_tested() {
    let keys: Vec<_> = Config::keys().map(|key| (key.section, key.backend, key.name)).collect();
    let tested: Vec<_> =
        EFFECTS.iter().map(|(section, backend, name, _)| (*section, *backend, *name)).collect();
    let lacking: Vec<_> = keys.iter().filter(|key| !tested.contains(key)).collect();
    assert!(
        lacking.is_empty(),
        "change these keys in a test, see what they do, and give them a row: {lacking:?}"
    );
    let strange: Vec<_> = tested.iter().filter(|key| !keys.contains(key)).collect();
    assert!(strange.is_empty() && tested.len() == keys.len(), "no such keys, or twice: {strange:?}");
}
