//! The keys of memory.

use std::time::Duration;

use lexigram_cache::ErrorKind;

use super::both::{memory, set, worlds};
use super::support::{World, call, eventually};

#[test]
pub fn max_size() {
    for world in worlds(&memory(", max_size: 5")) {
        (0..9).for_each(|n| set(&world, &format!("k{n}"), "v"));
        assert_eq!(world.stats().entries, Some(5));
    }
}

#[test]
pub fn cleanup_interval() {
    for world in worlds(&memory(", cleanup_interval: 20ms")) {
        call!(&world, cache => cache.set("k", "v", Duration::from_millis(1))).unwrap();
        // A minute is the default.
        eventually("what has expired is swept out", Duration::from_secs(20), || {
            world.stats().expired == Some(1)
        });
    }
}

#[test]
pub fn max_bytes() {
    for world in worlds(&memory(", max_bytes: 100")) {
        let large = "x".repeat(100);
        let error = call!(&world, cache => cache.set("k", &large, Duration::from_secs(1))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}

/// Whether a value that was read often outlives a hundred that were not read at all, in a cache of a hundred.
fn outlives(world: &World) -> bool {
    (0..99).for_each(|n| set(world, &format!("old{n}"), "v"));
    set(world, "k", "v");
    for _ in 0..10 {
        assert!(call!(world, cache => cache.get::<String>("k")).unwrap().is_some());
    }
    (0..100).for_each(|n| set(world, &format!("new{n}"), "v"));
    call!(world, cache => cache.exists("k")).unwrap()
}

#[test]
pub fn eviction() {
    for world in worlds(&memory(", max_size: 100")) {
        assert!(outlives(&world));
    }
    for world in worlds(&memory(", max_size: 100, eviction: lru")) {
        assert!(!outlives(&world));
    }
}
