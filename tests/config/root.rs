//! The keys at the top.

use std::time::Duration;

use lexigram_cache::{ErrorKind, LockStore, Quota, RateLimiter, Result, Ttl, aio};

use super::both::{config, get, memory, one, read, set, tasks, threads, with_service, worlds};
use super::support::{World, block_on, call};

#[test]
pub fn enabled() {
    for (key, kept) in [("enabled: false\n", None), ("", Some("v".to_owned()))] {
        for world in worlds(&format!("{key}{}", memory(""))) {
            set(&world, "k", "v");
            assert_eq!(get(&world, "k").unwrap(), kept);
            assert_eq!(world.compute("load", 7).unwrap(), 7);
            assert_eq!(world.compute("load", 8).unwrap(), if kept.is_some() { 7 } else { 8 });
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_cache_that_is_switched_off_is_as_if_it_were_always_empty() {
    for world in worlds(&format!("enabled: false\n{}", memory(""))) {
        for _ in 0..2 {
            assert!(call!(&world, c => c.add("k", "v", Ttl::NEVER)).unwrap());
            assert!(!call!(&world, c => c.replace("k", "v", Ttl::NEVER)).unwrap());
            call!(&world, c => c.set_many([("k", 1), ("l", 2)], Ttl::NEVER)).unwrap();
            assert_eq!(call!(&world, c => c.incr("n", 1, Ttl::NEVER)).unwrap(), 1);
            let change = |old: Option<i32>| old.map_or(1, |_| panic!("there is a value"));
            assert_eq!(call!(&world, c => c.update("k", Ttl::NEVER, change)).unwrap(), 1);
            assert!(call!(&world, c => c.get_many::<i32>(["k", "l"])).unwrap().is_empty());
            assert!(!call!(&world, c => c.exists("k")).unwrap());
            assert!(call!(&world, c => c.ttl("k")).unwrap().is_none());
            assert!(!call!(&world, c => c.touch("k", SECOND)).unwrap());
            assert!(call!(&world, c => c.take::<i32>("k")).unwrap().is_none());
            assert!(!call!(&world, c => c.delete("k")).unwrap());
            assert_eq!(call!(&world, c => c.delete_many(["k", "l"])).unwrap(), 0);
            assert_eq!(call!(&world, c => c.delete_pattern("*")).unwrap(), 0);
            assert!(call!(&world, c => c.keys("*").next_key()).unwrap().is_none());
            call!(&world, c => c.clear()).unwrap();
        }
        assert!(world.health().0);
    }
}

/// Who locks or limits relies on it.
#[test]
fn a_cache_that_is_switched_off_neither_locks_nor_limits() {
    let quota = Quota::per_second(1);
    for world in worlds(&format!("enabled: false\n{}", memory(""))) {
        let (locked, limited): (Result<()>, Result<()>) = match &world {
            World::Threads(cache) => (
                LockStore::new(cache).and_then(|locks| locks.try_acquire("k", SECOND)).map(drop),
                RateLimiter::new(cache, "l", quota).and_then(|limiter| limiter.check("s")).map(drop),
            ),
            World::Tasks(cache) => block_on(async {
                let locked = match aio::LockStore::new(cache) {
                    Ok(locks) => locks.try_acquire("k", SECOND).await.map(drop),
                    Err(error) => Err(error),
                };
                let limited = match aio::RateLimiter::new(cache, "l", quota) {
                    Ok(limiter) => limiter.check("s").await.map(drop),
                    Err(error) => Err(error),
                };
                (locked, limited)
            }),
        };
        for refused in [locked, limited] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("switched off"), "{error}");
        }
    }
}

#[test]
pub fn env() {
    let weak = one("redis", ", redis_host: elsewhere, redis_password: weak");
    assert!(read(&format!("env: production\n{weak}")).unwrap_err().to_string().contains("stronger password"));
    assert!(read(&format!("env: staging\n{weak}")).is_ok());
}

#[test]
pub fn backends() {
    let two = "backends: [{name: a, type: memory, default: true}, {name: b, type: memory}]";
    assert_eq!(threads(two).names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(tasks(two).names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(threads(&memory("")).names().collect::<Vec<_>>(), ["a"]);
    // Each is a cache of its own.
    let caches = threads(two);
    caches.default().set("k", &1, Ttl::NEVER).unwrap();
    assert_eq!(caches.get("b").unwrap().get::<i32>("k").unwrap(), None);
    assert!(config(two).default_name().is_ok());
}

#[test]
pub fn service() {
    for (yaml, hits) in [(memory(""), 1), (with_service(&memory(""), "enable_metrics: false"), 0)] {
        for world in worlds(&yaml) {
            set(&world, "k", "v");
            assert!(get(&world, "k").unwrap().is_some());
            assert_eq!(world.stats().hits, hits);
        }
    }
}

#[test]
pub fn enable_metrics() {
    for (key, entries) in [("", Some(1)), ("enable_metrics: false\n", None)] {
        for world in worlds(&format!("{key}{}", memory(""))) {
            set(&world, "k", "v");
            assert!(get(&world, "k").unwrap().is_some());
            assert_eq!((world.stats().entries, world.stats().hits), (entries, 1));
        }
    }
}
