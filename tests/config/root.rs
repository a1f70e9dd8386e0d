//! The keys at the top.

use super::both::{config, get, memory, one, read, set, tasks, threads, with_service, worlds};

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
    caches.default().set("k", &1, lexigram_cache::Ttl::NEVER).unwrap();
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
