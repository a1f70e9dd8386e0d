//! What a configuration says of memory, at work in the cache that it makes.
#![cfg(all(feature = "async", feature = "yaml"))]

mod support;

use lexigram_cache::{Caches, ErrorKind, Ttl, aio};
use support::{World, call};

fn yaml(settings: &str) -> String {
    format!("backends:\n  - name: hot\n    type: memory\n    {settings}\n")
}

fn worlds(settings: &str) -> [World; 2] {
    let yaml = yaml(settings);
    let threads = Caches::from_yaml_str(&yaml).unwrap().default();
    [World::Threads(threads), World::Tasks(aio::Caches::from_yaml_str(&yaml).unwrap().default())]
}

fn set(world: &World, n: usize, len: usize) {
    call!(world, c => c.set(format!("{n:04}"), &"x".repeat(len), Ttl::NEVER)).unwrap();
}

#[test]
fn max_bytes_bounds_the_cache() {
    for world in worlds("max_bytes: 10000") {
        assert_eq!(world.stats().weight, Some(0));
        (0..500).for_each(|n| set(&world, n, 96));
        assert_eq!((world.stats().entries, world.stats().weight), (Some(100), Some(10_000)));
        let heavy = "x".repeat(10_000);
        let error = call!(&world, c => c.set("heavy", &heavy, Ttl::NEVER)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}

#[test]
fn without_max_bytes_nothing_is_weighed() {
    for world in worlds("max_size: 5") {
        (0..10).for_each(|n| set(&world, n, 1_000_000));
        assert_eq!((world.stats().entries, world.stats().weight), (Some(5), None));
    }
}

/// Whether one that was read often outlives so many that are read once.
fn survives_a_scan(world: &World, scanned: usize) -> bool {
    // Reads count where there is no more room for all: the cache is full once the one is there.
    (9_001..9_100).for_each(|n| set(world, n, 1));
    set(world, 0, 1);
    for _ in 0..10 {
        assert!(call!(world, c => c.get::<String>("0000")).unwrap().is_some());
    }
    (1..=scanned).for_each(|n| set(world, n, 1));
    call!(world, c => c.exists("0000")).unwrap()
}

#[test]
fn eviction_lru_forgets_what_was_not_read_for_longest() {
    for world in worlds("eviction: lru\n    max_size: 100") {
        assert!(survives_a_scan(&world, 99));
        assert!(!survives_a_scan(&world, 100));
    }
}

#[test]
fn eviction_default_keeps_what_was_often_read_and_is_the_default() {
    for settings in ["eviction: default\n    max_size: 100", "max_size: 100"] {
        for world in worlds(settings) {
            assert!(survives_a_scan(&world, 1_000), "{settings}");
        }
    }
}

#[test]
fn wrong_values_are_refused_with_path_and_line() {
    for (settings, says) in [
        ("max_bytes: 0", "must be at least 1"),
        ("max_bytes: -1", "expected a whole number, not negative"),
        ("max_bytes: 1.5", "expected a whole number, not negative"),
        ("max_bytes: \"1GB\"", "expected a whole number, not negative; this is text"),
        ("max_bytes: lots", "expected a whole number, not negative; this is text"),
        ("max_bytes: 99999999999999999999999999", "expected a whole number, not negative"),
        ("max_bytes: []", "expected a whole number, not negative"),
        ("eviction: fifo", "expected default or lru"),
        ("eviction: LRU", "expected default or lru"),
        ("eviction: lur", "expected default or lru; did you mean `lru`?"),
        ("eviction: 1", "expected default or lru"),
    ] {
        let key = settings.split(':').next().unwrap();
        let says = format!("backends[0].{key} (line 4, column 5): {says}");
        let errors = [
            Caches::from_yaml_str(&yaml(settings)).unwrap_err(),
            aio::Caches::from_yaml_str(&yaml(settings)).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(&says), "{says}, not: {error}");
        }
    }
}

#[test]
fn the_words_of_memory_mean_nothing_to_a_server() {
    for key in ["max_bytes: 5", "eviction: lru"] {
        let error = Caches::from_yaml_str(&yaml(key).replace("memory", "redis")).unwrap_err();
        assert!(
            error.to_string().contains("(line 4, column 5): only a backend of type memory has this key"),
            "{error}"
        );
    }
}

#[test]
fn a_disabled_service_is_no_memory_to_bound() {
    let yaml = format!("enabled: false\n{}", yaml("max_bytes: 5"));
    let cache = Caches::from_yaml_str(&yaml).unwrap().default();
    cache.set("k", &"x".repeat(100), Ttl::NEVER).unwrap();
    assert_eq!(cache.get::<String>("k").unwrap(), None);
}
