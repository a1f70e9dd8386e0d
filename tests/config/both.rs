//! The caches that a configuration makes, in both worlds.

use std::net::SocketAddr;

use lexigram_cache::config::ConfigLoader;
use lexigram_cache::{Caches, Config, Error, Result, Ttl, aio};

use super::support::{Wire, World, block_on, call};

/// Read in an empty environment, so that what is set around the tests changes nothing.
pub fn config(yaml: &str) -> Config {
    read(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"))
}

pub fn read(yaml: &str) -> Result<Config> {
    ConfigLoader::new().variables([("", ""); 0]).yaml_str(yaml)
}

pub fn threads(yaml: &str) -> Caches {
    Caches::from_config(config(yaml)).unwrap()
}

pub fn tasks(yaml: &str) -> aio::Caches {
    block_on(async { aio::Caches::from_config(config(yaml)).unwrap() })
}

/// The default caches.
pub fn worlds(yaml: &str) -> [World; 2] {
    [World::Threads(threads(yaml).default()), World::Tasks(tasks(yaml).default())]
}

/// What building the caches is refused with.
pub fn refusals(yaml: &str) -> [Error; 2] {
    let config = config(yaml);
    [Caches::from_config(config.clone()).unwrap_err(), aio::Caches::from_config(config).unwrap_err()]
}

/// One backend of this type with these further keys, `, key: value`.
pub fn one(kind: &str, keys: &str) -> String {
    format!("backends: [{{name: a, type: {kind}{keys}}}]\n")
}

pub fn memory(keys: &str) -> String {
    one("memory", keys)
}

pub fn redis_at(addr: SocketAddr, keys: &str) -> String {
    one("redis", &format!(", redis_host: {}, redis_port: {}{keys}", addr.ip(), addr.port()))
}

pub fn memcached_at(addr: SocketAddr, keys: &str) -> String {
    one("memcached", &format!(", memcached_host: {}, memcached_port: {}{keys}", addr.ip(), addr.port()))
}

pub fn with_service(yaml: &str, keys: &str) -> String {
    format!("{yaml}service: {{{keys}}}\n")
}

/// What was sent since the last look, as text.
pub fn sent(wire: &Wire) -> String {
    let sent = String::from_utf8_lossy(&wire.requests()).into_owned();
    wire.take();
    sent
}

pub fn set(world: &World, key: &str, value: &str) {
    call!(world, cache => cache.set(key, value, Ttl::DEFAULT)).unwrap();
}

pub fn get(world: &World, key: &str) -> Result<Option<String>> {
    call!(world, cache => cache.get::<String>(key))
}
