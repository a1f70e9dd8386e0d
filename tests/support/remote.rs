use std::net::SocketAddr;

use lexigram_cache::{Memcached, Redis};

use super::{MemcachedServer, RedisServer, World, worlds};

/// A server of either kind and the caches on it, for promises that hold on both.
#[derive(Debug)]
pub enum Remote {
    Redis(RedisServer),
    Memcached(MemcachedServer),
}

/// What `Server` and its kinds have in common.
macro_rules! either {
    ($remote:expr, $server:ident => $act:expr) => {
        match $remote {
            Remote::Redis($server) => $act,
            Remote::Memcached($server) => $act,
        }
    };
}

impl Remote {
    /// One of each kind.
    pub fn both() -> [Remote; 2] {
        [Remote::Redis(RedisServer::start()), Remote::Memcached(MemcachedServer::start())]
    }

    pub fn addr(&self) -> SocketAddr {
        either!(self, server => server.addr())
    }

    pub fn stop(&self) {
        either!(self, server => server.stop());
    }

    pub fn cont(&self) {
        either!(self, server => server.cont());
    }

    pub fn kill(&self) {
        either!(self, server => server.kill());
    }

    pub fn restart(&self) {
        either!(self, server => server.restart());
    }

    /// Fresh caches of both worlds with connections of their own, behind whatever listens at `addr`.
    pub fn worlds_at(&self, addr: SocketAddr, timeout: std::time::Duration) -> [World; 2] {
        match self {
            Remote::Redis(_) => {
                let redis = Redis::builder(format!("redis://{addr}/0")).pool_size(2).build().unwrap();
                worlds!(redis, prefix("app"), timeout(timeout))
            }
            Remote::Memcached(_) => {
                let servers = [addr.to_string()];
                let memcached = Memcached::builder(servers).pool_size(2).clearable(true).build().unwrap();
                worlds!(memcached, prefix("app"), timeout(timeout))
            }
        }
    }

    /// As [`Remote::worlds_at`], on the server itself.
    pub fn worlds(&self, timeout: std::time::Duration) -> [World; 2] {
        self.worlds_at(self.addr(), timeout)
    }
}
