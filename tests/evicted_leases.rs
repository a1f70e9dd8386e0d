//! A lease whose key the server has evicted for want of room: it is lost at the next renewal, and nothing is stored by it.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "testing"))]

mod support;

use std::time::Duration;

use lexigram_cache::{
    Ask, BackendHandle, Condition, Deadline, Lifetime, Lookup, Memcached, Prefix, Redis, aio,
};
use support::{MemcachedServer, RedisServer, block_on};

const HOLD: Duration = Duration::from_secs(60);
const ROUNDS: usize = 240;
const LOOK_EVERY: usize = 60;
const BATCH: usize = 2_000;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

macro_rules! threads {
    ($call:expr) => {
        $call
    };
}

macro_rules! tasks {
    ($call:expr) => {
        block_on($call)
    };
}

/// The same steps on a backend of either world.
macro_rules! a_lease_is_lost_with_its_key {
    ($backend:expr, $wait:ident) => {{
        let backend = $backend;
        let prefix = Prefix::default();
        let key = prefix.key("leased").unwrap();
        let Lookup::Lease(lease) = $wait!(backend.lookup(&key, Ask::Lease(HOLD), soon())).unwrap() else {
            panic!("nobody else has it")
        };
        assert!($wait!(backend.renew(&key, &lease, HOLD, soon())).unwrap(), "it is good until then");
        let stands = || matches!($wait!(backend.lookup(&key, Ask::Value, soon())).unwrap(), Lookup::Busy(_));
        let evicted = (0..ROUNDS).any(|round| {
            let names: Vec<_> = (0..BATCH).map(|n| format!("{round} {n}")).collect();
            let items: Vec<_> = names
                .iter()
                .map(|name| (prefix.key(name).unwrap(), vec![b'x'; 20 + 20 * (round % 6)]))
                .collect();
            $wait!(backend.store_many(&items, Lifetime::Never, &Condition::Always, soon())).unwrap();
            // A look is a use, which keeps it from being evicted: there are few.
            round % LOOK_EVERY == LOOK_EVERY - 1 && !stands()
        });
        assert!(evicted, "there was room for everything");
        assert!(!$wait!(backend.renew(&key, &lease, HOLD, soon())).unwrap(), "renewed what is gone");
        assert!(
            !$wait!(backend.fill(&key, &lease, b"1", Lifetime::Never, soon())).unwrap(),
            "stored without a right"
        );
        assert!($wait!(backend.get(&key, soon())).unwrap().is_none());
    }};
}

fn redis() -> (RedisServer, Redis) {
    let server = RedisServer::start_with(&["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-random"]);
    let redis = Redis::builder(server.url()).build().unwrap();
    (server, redis)
}

fn memcached() -> (MemcachedServer, Memcached) {
    let server = MemcachedServer::start_with(&["-m", "2"]);
    let memcached = Memcached::builder([server.url()]).build().unwrap();
    (server, memcached)
}

#[test]
fn a_lease_that_redis_evicted_is_lost_to_its_thread() {
    let (_server, redis) = redis();
    a_lease_is_lost_with_its_key!(BackendHandle::from(redis).backend().unwrap(), threads);
}

#[test]
fn a_lease_that_redis_evicted_is_lost_to_its_task() {
    let (_server, redis) = redis();
    a_lease_is_lost_with_its_key!(aio::BackendHandle::from(redis).backend().unwrap(), tasks);
}

#[test]
fn a_lease_that_memcached_evicted_is_lost_to_its_thread() {
    let (_server, memcached) = memcached();
    a_lease_is_lost_with_its_key!(BackendHandle::from(memcached).backend().unwrap(), threads);
}

#[test]
fn a_lease_that_memcached_evicted_is_lost_to_its_task() {
    let (_server, memcached) = memcached();
    a_lease_is_lost_with_its_key!(aio::BackendHandle::from(memcached).backend().unwrap(), tasks);
}
