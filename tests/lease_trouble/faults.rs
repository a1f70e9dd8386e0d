//! Servers that refuse a lease or go away: each process still loads once, and has its value.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, scope};

use lexigram_cache::{BoxError, Redis};

use crate::support::{RedisServer, Remote, World, ask_raw, call, eventually, worlds};
use crate::{PATIENCE, SECOND};

/// Two processes on this server that cannot agree: each loads once, whoever asks.
fn one_load_per_process(url: &str) {
    let handle = || Redis::builder(url).pool_size(4).build().unwrap();
    let [here, there] = [handle(), handle()].map(|handle| worlds!(handle, timeout(PATIENCE)));
    for (here, there) in here.iter().zip(&there) {
        let loads = AtomicU32::new(0);
        let call = |world: &World| {
            let load = || {
                loads.fetch_add(1, Ordering::SeqCst);
                eventually("all have missed", PATIENCE, || world.stats().misses >= 50);
                Ok::<u64, BoxError>(7)
            };
            assert_eq!(world.load("k", load).unwrap(), 7);
        };
        let call = &call;
        scope(|scope| {
            for n in 0..100 {
                let world = if n % 2 == 0 { here } else { there };
                let thread = Builder::new().stack_size(512 * 1024);
                thread.spawn_scoped(scope, move || call(world)).unwrap();
            }
        });
        // Nothing is stored, so who has missed and comes too late to wait loads anew.
        assert!((2..=10).contains(&loads.load(Ordering::SeqCst)), "{loads:?}");
        let joined = here.stats().joined + there.stats().joined;
        assert_eq!(joined + u64::from(loads.into_inner()), 100);
        assert!(here.stats().errors >= 1 && there.stats().errors >= 1, "it is told");
    }
}

#[test]
fn a_redis_without_memory_for_leases_costs_nobody_a_value() {
    let server = RedisServer::start();
    assert_eq!(ask_raw(server.addr(), b"CONFIG SET maxmemory 1\r\n"), "+OK\r\n");
    one_load_per_process(&server.url());
}

/// Who asks while the load runs has seen the same as it, and waits for it.
#[test]
fn a_batch_whose_leases_are_refused_is_waited_for_where_failures_are_absorbed() {
    let server = RedisServer::start();
    assert_eq!(ask_raw(server.addr(), b"CONFIG SET maxmemory 1\r\n"), "+OK\r\n");
    let redis = Redis::builder(server.url()).pool_size(4).build().unwrap();
    for world in worlds!(redis, timeout(PATIENCE), degrade(true)) {
        let load = |value: u64| Ok::<_, BoxError>(HashMap::from([("k".to_owned(), value)]));
        let ((begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel());
        scope(|scope| {
            let world = &world;
            let leader = scope.spawn(move || {
                let lead = |_: &[String]| {
                    begin.send(()).unwrap();
                    eventually("the other has missed", PATIENCE, || world.stats().misses >= 2);
                    assert!(ended.recv_timeout(SECOND).is_err(), "it has loaded for itself in {world:?}");
                    load(1)
                };
                world.load_many(["k".to_owned()], lead).unwrap()
            });
            begun.recv_timeout(PATIENCE).unwrap();
            let follow = |_: &[String]| {
                end.send(()).unwrap();
                load(2)
            };
            assert_eq!(world.load_many(["k".to_owned()], follow).unwrap()["k"], 1);
            assert_eq!(leader.join().unwrap()["k"], 1);
        });
        assert!(world.stats().absorbed >= 1, "it is told");
    }
}

#[test]
fn a_redis_that_allows_no_scripts_costs_nobody_a_value() {
    let server = RedisServer::start();
    let user = b"ACL SETUSER reader on >secret ~* +@all -eval -evalsha -script\r\n";
    assert_eq!(ask_raw(server.addr(), user), "+OK\r\n");
    one_load_per_process(&format!("redis://reader:secret@{}/0", server.addr()));
}

#[test]
fn a_server_that_goes_away_during_a_load_costs_nobody_the_value() {
    Remote::each(|remote| {
        for world in remote.worlds(SECOND) {
            let load = || {
                remote.kill();
                Ok::<u64, BoxError>(7)
            };
            assert_eq!(world.load("k", load).unwrap(), 7);
            assert!(world.stats().errors >= 1, "it is told");
            remote.restart();
            let works = || call!(&world, cache => cache.get::<u64>("k")).is_ok();
            eventually("the server is back", PATIENCE, works);
            assert_eq!(world.compute("k", 8_u64).unwrap(), 8, "nothing is left of the lease");
            call!(&world, cache => cache.delete("k")).unwrap();
        }
    });
}
