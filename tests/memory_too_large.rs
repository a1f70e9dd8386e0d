//! A value that is heavier than the whole cache: refused by every verb that would store it, and nothing else happens.
#![cfg(feature = "async")]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Error, ErrorKind, Memory, Result, Stats, Ttl};
use support::{World, call, eventually, worlds};

const MOST: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(10);
const WAITERS: u64 = 4;

fn small() -> [World; 2] {
    worlds!(Memory::builder().max_bytes(MOST as u64).build().unwrap())
}

fn heavy() -> String {
    "x".repeat(MOST)
}

#[track_caller]
fn assert_too_large(error: &Error, operation: &str) {
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
    assert_eq!((error.backend(), error.operation()), (Some("memory"), Some(operation)), "{error:?}");
    assert!(error.to_string().contains("raise max_bytes") && !error.is_retryable(), "{error}");
}

type Verb = (&'static str, fn(&World) -> Result<()>);

const OVER_A_VALUE: &[Verb] = &[
    ("set", |w| call!(w, c => c.set("k", &heavy(), Ttl::NEVER))),
    ("replace", |w| call!(w, c => c.replace("k", &heavy(), Ttl::NEVER)).map(drop)),
    ("update", |w| call!(w, c => c.update("k", Ttl::NEVER, |_: Option<String>| heavy())).map(drop)),
    ("set_many", |w| call!(w, c => c.set_many([("k", "light".to_owned()), ("other", heavy())], Ttl::NEVER))),
];

const OVER_NOTHING: &[Verb] = &[
    ("set", |w| call!(w, c => c.set("new", &heavy(), Ttl::NEVER))),
    ("add", |w| call!(w, c => c.add("new", &heavy(), Ttl::NEVER)).map(drop)),
    ("update", |w| call!(w, c => c.update("new", Ttl::NEVER, |_: Option<String>| heavy())).map(drop)),
    ("get_or_compute", |w| w.compute("new", heavy()).map(drop)),
    ("get_or_compute", |w| w.load_arc("new", || Ok::<_, BoxError>(heavy())).map(drop)),
    ("fetch", |w| w.fetch("new", &w.policy(|p| p), || Ok::<_, BoxError>(heavy())).map(drop)),
    ("get_or_compute_many", |w| {
        let loaded = || HashMap::from([("new".to_owned(), heavy())]);
        w.load_many(["new".to_owned()], |_| Ok::<_, BoxError>(loaded())).map(drop)
    }),
];

#[test]
fn what_is_too_large_leaves_the_old_value_in_place() {
    for world in small() {
        call!(&world, c => c.set("k", "old", Ttl::NEVER)).unwrap();
        let before = world.stats();
        for (operation, run) in OVER_A_VALUE.iter().chain(OVER_NOTHING) {
            assert_too_large(&run(&world).unwrap_err(), operation);
            let old = call!(&world, c => c.get::<String>("k")).unwrap();
            assert_eq!(old.as_deref(), Some("old"), "after {operation}");
        }
        let counts =
            |stats: Stats| (stats.entries, stats.weight, stats.evicted, stats.replaced, stats.removed);
        assert_eq!(counts(world.stats()), counts(before));
        assert_eq!(
            (world.stats().entries, world.stats().weight, world.stats().errors),
            (Some(1), Some(4), 0)
        );
    }
}

#[test]
fn a_key_can_be_loaded_after_its_value_was_too_large() {
    for world in small() {
        for (operation, run) in OVER_NOTHING {
            assert_too_large(&run(&world).unwrap_err(), operation);
            assert_eq!(world.compute("new", "light".to_owned()).unwrap(), "light");
            assert!(call!(&world, c => c.delete("new")).unwrap(), "it was stored after {operation}");
        }
    }
}

#[test]
fn those_who_wait_for_a_load_are_told_that_it_is_too_large() {
    for world in small() {
        let leading = AtomicBool::new(false);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                world.load("k", || {
                    leading.store(true, Ordering::SeqCst);
                    eventually("all have missed", PATIENCE, || world.stats().misses > WAITERS);
                    // Between a miss and its seat there is nothing to park on.
                    thread::sleep(Duration::from_millis(50));
                    Ok::<_, BoxError>(heavy())
                })
            });
            eventually("somebody leads", PATIENCE, || leading.load(Ordering::SeqCst));
            let wait = || world.load("k", || Err::<String, BoxError>("nobody else has to load".into()));
            let waiters: Vec<_> = (0..WAITERS).map(|_| scope.spawn(wait)).collect();
            assert_too_large(&leader.join().unwrap().unwrap_err(), "get_or_compute");
            for waiter in waiters {
                assert_too_large(&waiter.join().unwrap().unwrap_err(), "get_or_compute");
            }
        });
        assert_eq!((world.stats().loads, world.stats().entries), (1, Some(0)));
    }
}
