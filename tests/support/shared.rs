use std::sync::LazyLock;

use super::{MemcachedServer, RedisServer};

/// One Redis for all tests of this process that keep apart by their prefixes. Never stop, kill or flush it.
pub fn redis() -> &'static RedisServer {
    static SERVER: LazyLock<RedisServer> = LazyLock::new(RedisServer::start);
    &SERVER
}

/// One Memcached for all tests of this process that keep apart by their prefixes. Never stop, kill or flush it.
pub fn memcached() -> &'static MemcachedServer {
    static SERVER: LazyLock<MemcachedServer> = LazyLock::new(MemcachedServer::start);
    &SERVER
}
