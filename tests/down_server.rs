//! A server that is not there, comes back, comes back empty, or dies under a call.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Result, Ttl};
use support::{Remote, Wire, World, call, closed_port, eventually};

const TIMEOUT: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_cache_is_built_at_once_with_its_server_down_and_says_so_in_time() {
    Remote::each(|remote| {
        let nowhere = ([127, 0, 0, 1], closed_port()).into();
        let start = Instant::now();
        let worlds = remote.worlds_at(nowhere, 2, TIMEOUT);
        assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
        for world in worlds {
            let start = Instant::now();
            let error = call!(&world, cache => cache.get::<u64>("k")).unwrap_err();
            assert!(start.elapsed() < TIMEOUT + Duration::from_millis(100));
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.to_string().contains(&nowhere.to_string()), "it names the server: {error}");
            let error = call!(&world, cache => cache.set("k", &1_u64, Ttl::NEVER)).unwrap_err();
            assert!(
                error.kind() == ErrorKind::Unavailable && error.is_retryable(),
                "nothing was sent: {error}"
            );
            let (is_up, detail) = world.health();
            assert!(!is_up && detail.contains("connect"), "{detail}");
        }
    });
}

/// Opens all ten connections of a pool by ten reads at once.
fn open_all(world: &World, wire: &Wire) {
    wire.delay_replies(Duration::from_millis(50));
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| call!(world, cache => cache.get::<u64>("k")).unwrap());
        }
    });
    wire.delay_replies(Duration::ZERO);
}

#[test]
fn after_a_restart_no_read_fails_on_connections_from_before_and_there_is_no_data() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        for world in remote.worlds_at(wire.addr(), 10, Duration::from_secs(2)) {
            call!(&world, cache => cache.set("k", &1_u64, Ttl::NEVER)).unwrap();
            open_all(&world, &wire);
            let (before, open) = (wire.connections(), wire.open_connections());
            remote.restart();
            let read = |n| match call!(&world, cache => cache.get::<u64>("k")) {
                Ok(value) => assert_eq!(value, None, "a restarted server is empty"),
                Err(error) => panic!("read {n}: {error:?}"),
            };
            thread::scope(|scope| (0..10).for_each(|_| drop(scope.spawn(|| (0..100).for_each(read)))));
            let redials = wire.connections() - before;
            println!("1,000 reads and {redials} redials in place of {open}: {} {world:?}", remote.name());
            assert!(redials <= open.min(10), "{redials} redials");
        }
    });
}

#[test]
fn the_first_write_after_a_restart_works() {
    Remote::each(|remote| {
        for world in remote.worlds(Duration::from_secs(2)) {
            for round in 0..5_u64 {
                call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap();
                remote.restart();
                call!(&world, cache => cache.set("k", &round, Ttl::NEVER)).unwrap();
                assert_eq!(call!(&world, cache => cache.incr("n", 5, Ttl::NEVER)).unwrap(), 5);
                assert_eq!(call!(&world, cache => cache.get::<u64>("k")).unwrap(), Some(round));
            }
        }
    });
}

#[test]
fn a_server_that_comes_back_is_used_again_by_itself() {
    Remote::each(|remote| {
        let worlds = remote.worlds(TIMEOUT);
        worlds.iter().for_each(|world| assert!(world.health().0));
        remote.kill();
        for world in &worlds {
            let error = call!(world, cache => cache.get::<u64>("k")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        }
        remote.restart();
        for world in &worlds {
            let start = Instant::now();
            eventually("the first success", SOON, || call!(world, cache => cache.get::<u64>("k")).is_ok());
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        }
    });
}

#[test]
fn a_server_killed_under_a_call_fails_a_read_harmlessly_and_leaves_a_write_unknown() {
    Remote::each(|remote| {
        let wire = Wire::prompt(remote.addr());
        for world in remote.worlds_at(wire.addr(), 2, 2 * SOON) {
            // Warm, so that the calls below find a connection, and scripts known.
            (0..20).for_each(|_| assert!(call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).is_ok()));
            let die_under = |call: &(dyn Fn() + Sync)| {
                remote.stop();
                wire.take();
                thread::scope(|scope| {
                    let calling = scope.spawn(call);
                    eventually("the request leaves", SOON, || !wire.requests().is_empty());
                    remote.restart();
                    calling.join().unwrap();
                });
            };
            // Asked again on a fresh connection, which is refused until the server is back.
            let harmless = |read: Result<bool>| match read {
                Ok(found) => assert!(!found, "a restarted server is empty"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}"),
            };
            die_under(&|| harmless(call!(&world, cache => cache.get::<u64>("n")).map(|n| n.is_some())));
            die_under(&|| {
                harmless(call!(&world, cache => cache.get_many::<u64>(["n"])).map(|n| !n.is_empty()));
            });
            eventually("it works", SOON, || world.health().0);
            die_under(&|| {
                let error = call!(&world, cache => cache.set("k", &1_u64, Ttl::NEVER)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error:?}");
            });
            let stored = call!(&world, cache => cache.get::<u64>("k")).unwrap();
            assert_eq!(stored, None, "a write is not sent again");
        }
    });
}

#[test]
fn a_server_killed_under_its_callers_gives_honest_errors_and_no_wrong_value() {
    Remote::each(|remote| {
        for world in remote.worlds(TIMEOUT) {
            let (over, answers) = (AtomicBool::new(false), AtomicU64::new(0));
            let caller = |own: u64| {
                let key = format!("of caller {own}");
                while !over.load(Ordering::Relaxed) {
                    match call!(&world, cache => cache.set(&key, &own, Ttl::NEVER)) {
                        Ok(()) => drop(answers.fetch_add(1, Ordering::Relaxed)),
                        Err(e) => assert!(e.is_ambiguous() || e.is_retryable(), "a write said {e:?}"),
                    }
                    match call!(&world, cache => cache.get::<u64>(&key)) {
                        Ok(value) => assert!(value.is_none_or(|value| value == own), "{value:?} of {own}"),
                        Err(e) => assert!(e.is_retryable(), "a read said {e:?}"),
                    }
                }
            };
            thread::scope(|scope| {
                (0..8).for_each(|own| {
                    drop(scope.spawn({
                        let caller = &caller;
                        move || caller(own)
                    }));
                });
                for _ in 0..3 {
                    remote.restart();
                    let seen = answers.load(Ordering::Relaxed);
                    let more = || answers.load(Ordering::Relaxed) > seen + 100;
                    eventually("the callers go on", SOON, more);
                }
                over.store(true, Ordering::Relaxed);
            });
        }
    });
}
