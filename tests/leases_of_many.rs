//! Leases on several Memcached servers, one of which does not answer: those of the others are not lost.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "testing"))]

mod support;

use std::time::Duration;

use lexigram_cache::{Ask, BackendHandle, Deadline, Lookup, Memcached, Prefix, aio};
use support::{MemcachedServer, block_on, eventually};

const TIMEOUT: Duration = Duration::from_millis(300);
/// Longer than any test waits.
const HOLD: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(5);

/// Two servers, the second of which hangs, and a key that lives on each.
struct Pair {
    servers: [MemcachedServer; 2],
    living: String,
    hanging: String,
}

impl Pair {
    fn start() -> Pair {
        let servers = [MemcachedServer::start(), MemcachedServer::start()];
        let backend = BackendHandle::from(both(&servers)).backend().unwrap();
        let prefix = Prefix::default();
        let names: Vec<String> = (0..40).map(|n| format!("key {n}")).collect();
        let keys: Vec<_> = names.iter().map(|name| prefix.key(name).unwrap()).collect();
        // The second hangs, so that its keys are those that cannot be read.
        servers[1].stop();
        let lives = |wanted: bool| {
            let key =
                keys.iter().find(|key| backend.get(key, Deadline::after(TIMEOUT / 5)).is_ok() == wanted);
            key.expect("each server has some of forty keys").name().to_owned()
        };
        let (living, hanging) = (lives(true), lives(false));
        Pair { servers, living, hanging }
    }

    /// A lease of the living server's key is to be had, as nobody has one.
    fn is_free(&self) {
        let backend = BackendHandle::from(both(&self.servers)).backend().unwrap();
        let prefix = Prefix::default();
        let key = prefix.key(&self.living).unwrap();
        eventually("the lease was given back", SOON, || {
            let seen = backend.lookup(&key, Ask::Lease(HOLD), Deadline::after(TIMEOUT)).unwrap();
            matches!(seen, Lookup::Lease(_))
        });
    }
}

fn both(servers: &[MemcachedServer; 2]) -> Memcached {
    Memcached::builder(servers.each_ref().map(MemcachedServer::url)).breaker(None).build().unwrap()
}

#[test]
fn leases_that_a_thread_took_before_another_server_failed_are_given_back() {
    let pair = Pair::start();
    let backend = BackendHandle::from(both(&pair.servers)).backend().unwrap();
    let prefix = Prefix::default();
    let keys = [&pair.living, &pair.hanging].map(|name| prefix.key(name).unwrap());
    assert!(backend.lookup_many(&keys, Ask::Lease(HOLD), Deadline::after(TIMEOUT)).is_err());
    pair.is_free();
}

#[test]
fn leases_that_a_task_took_before_another_server_failed_are_given_back() {
    let pair = Pair::start();
    let backend = aio::BackendHandle::from(both(&pair.servers)).backend().unwrap();
    let prefix = Prefix::default();
    let keys = [&pair.living, &pair.hanging].map(|name| prefix.key(name).unwrap());
    let look = || backend.lookup_many(&keys, Ask::Lease(HOLD), Deadline::after(TIMEOUT));
    assert!(block_on(look()).is_err());
    pair.is_free();
}

#[test]
fn leases_that_a_task_took_before_it_was_dropped_are_given_back() {
    let pair = Pair::start();
    let backend = aio::BackendHandle::from(both(&pair.servers)).backend().unwrap();
    let prefix = Prefix::default();
    let keys = [&pair.living, &pair.hanging].map(|name| prefix.key(name).unwrap());
    let look = backend.lookup_many(&keys, Ask::Lease(HOLD), Deadline::after(TIMEOUT));
    assert!(block_on(async { tokio::time::timeout(TIMEOUT / 3, look).await }).is_err(), "it was dropped");
    pair.is_free();
}
