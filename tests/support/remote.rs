use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use lexigram_cache::{Memcached, Redis};

use super::{Backing, Heard, MemcachedServer, RedisServer, World, worlds};

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
    /// A fresh server of this kind.
    pub fn start(kind: Backing) -> Remote {
        match kind {
            Backing::Redis => Remote::Redis(RedisServer::start()),
            _ => Remote::Memcached(MemcachedServer::start()),
        }
    }

    /// Runs a test on one of each kind, side by side.
    pub fn each(test: impl Fn(&Remote) + Sync) {
        thread::scope(|scope| {
            scope.spawn(|| test(&Remote::start(Backing::Redis)));
            scope.spawn(|| test(&Remote::start(Backing::Memcached)));
        });
    }

    /// The backend's name in errors.
    pub fn name(&self) -> &'static str {
        match self {
            Remote::Redis(_) => "redis",
            Remote::Memcached(_) => "memcached",
        }
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

    /// Fresh caches of both worlds, with so many connections of their own to whatever listens at `addr`, which ask it
    /// however often it has failed.
    pub fn worlds_at(&self, addr: SocketAddr, pool: u32, timeout: Duration) -> [World; 2] {
        self.guarded_worlds_at(addr, pool, timeout, None)
    }

    /// The same, which leave it alone after so many failures in a row.
    pub fn guarded_worlds_at(
        &self,
        addr: SocketAddr,
        pool: u32,
        timeout: Duration,
        breaker: Option<u32>,
    ) -> [World; 2] {
        match self {
            Remote::Redis(_) => worlds!(redis(addr, pool, breaker), prefix("app"), timeout(timeout)),
            Remote::Memcached(_) => worlds!(memcached(addr, pool, breaker), prefix("app"), timeout(timeout)),
        }
    }

    /// Two connections in each world, to the server itself.
    pub fn worlds(&self, timeout: Duration) -> [World; 2] {
        self.worlds_at(self.addr(), 2, timeout)
    }

    /// Fresh caches of both worlds that degrade, with so many connections each, and what both tell of failures.
    pub fn degrading(&self, pool: u32, timeout: Duration) -> ([World; 2], Heard) {
        let (addr, heard) = (self.addr(), Heard::default());
        let observer = || heard.observer();
        let worlds = match self {
            Remote::Redis(_) => {
                let redis = redis(addr, pool, None);
                worlds!(redis, prefix("app"), timeout(timeout), degrade(true), observer(observer()))
            }
            Remote::Memcached(_) => {
                let memcached = memcached(addr, pool, None);
                worlds!(memcached, prefix("app"), timeout(timeout), degrade(true), observer(observer()))
            }
        };
        (worlds, heard)
    }
}

fn redis(addr: SocketAddr, pool: u32, breaker: Option<u32>) -> Redis {
    Redis::builder(format!("redis://{addr}/0")).pool_size(pool).breaker(breaker).build().unwrap()
}

fn memcached(addr: SocketAddr, pool: u32, breaker: Option<u32>) -> Memcached {
    let memcached = Memcached::builder([addr.to_string()]).pool_size(pool).breaker(breaker);
    memcached.clearable(true).build().unwrap()
}
