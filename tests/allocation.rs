//! What a hit in memory costs: no allocation, no decoding, and through `get_arc` no clone.

mod support;

use std::sync::Arc;
use std::time::Duration;

use lexigram_cache::{Cache, Memory, Ttl};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use support::allocations;

/// A value that can be kept and handed out, and nothing else.
#[derive(Debug)]
struct Untouchable(u64);

impl Clone for Untouchable {
    fn clone(&self) -> Untouchable {
        // `set` is given a reference and has to make the value its own once.
        assert!(self.0 == NEW, "a hit must not clone");
        Untouchable(KEPT)
    }
}

impl Serialize for Untouchable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("memory must not encode")
    }
}

impl<'de> Deserialize<'de> for Untouchable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Untouchable, D::Error> {
        panic!("memory must not decode")
    }
}

/// A value whose clone is cheap, as `get` hands it out.
#[derive(Clone, Debug)]
struct Shared(Arc<Untouchable>);

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shared, D::Error> {
        Untouchable::deserialize(deserializer).map(|value| Shared(Arc::new(value)))
    }
}

const NEW: u64 = 1;
const KEPT: u64 = 2;

/// Caches with and without a prefix, and lifetimes with and without an end.
fn cases() -> impl Iterator<Item = (Cache, Ttl)> {
    ["", "app"].into_iter().flat_map(|prefix| {
        let cache = Cache::builder().backend(Memory::default()).prefix(prefix).build().unwrap();
        [Ttl::NEVER, Duration::from_secs(60).into()].map(|ttl| (cache.clone(), ttl))
    })
}

#[test]
fn a_hit_through_get_arc_allocates_decodes_and_clones_nothing() {
    for (cache, ttl) in cases() {
        cache.set("key", &Untouchable(NEW), ttl).unwrap();
        let hit = || assert_eq!(cache.get_arc::<Untouchable>("key").unwrap().unwrap().0, KEPT);
        hit();
        assert_eq!(allocations(hit), 0, "{cache:?} {ttl:?}");
    }
}

#[test]
fn a_hit_through_get_with_allocates_decodes_and_clones_nothing() {
    for (cache, ttl) in cases() {
        cache.set("key", &Untouchable(NEW), ttl).unwrap();
        let hit = || assert_eq!(cache.get_with("key", |value: &Untouchable| value.0).unwrap(), Some(KEPT));
        hit();
        assert_eq!(allocations(hit), 0, "{cache:?} {ttl:?}");
    }
}

#[test]
fn a_hit_through_get_costs_the_values_own_clone_and_nothing_else() {
    for (cache, ttl) in cases() {
        cache.set("key", &Shared(Arc::new(Untouchable(KEPT))), ttl).unwrap();
        let hit = || assert_eq!(cache.get::<Shared>("key").unwrap().unwrap().0.0, KEPT);
        hit();
        assert_eq!(allocations(hit), 0, "{cache:?} {ttl:?}");
    }
}

#[test]
fn a_hit_through_get_or_compute_allocates_nothing() {
    for (cache, ttl) in cases() {
        cache.set("key", &Shared(Arc::new(Untouchable(KEPT))), ttl).unwrap();
        let hit = || {
            let load = || -> Result<Shared, std::io::Error> { panic!("there is a value") };
            assert_eq!(cache.get_or_compute("key", ttl, load).unwrap().0.0, KEPT);
        };
        hit();
        assert_eq!(allocations(hit), 0, "{cache:?} {ttl:?}");
    }
}

#[test]
fn a_hit_through_get_or_compute_arc_is_the_very_value_that_a_miss_gave() {
    for (cache, ttl) in cases() {
        let loaded =
            cache.get_or_compute_arc("key", ttl, || Ok::<_, std::io::Error>(Untouchable(KEPT))).unwrap();
        let hit = || {
            let load = || -> Result<Untouchable, std::io::Error> { panic!("there is a value") };
            assert!(Arc::ptr_eq(&cache.get_or_compute_arc("key", ttl, load).unwrap(), &loaded));
        };
        hit();
        assert_eq!(allocations(hit), 0, "{cache:?} {ttl:?}");
    }
}

#[cfg(feature = "async")]
#[test]
fn a_hit_of_a_task_allocates_nothing_either() {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    for prefix in ["", "app"] {
        let memory = Memory::default();
        let filler = Cache::builder().backend(memory.clone()).prefix(prefix).build().unwrap();
        filler.set("key", &Untouchable(NEW), Duration::from_secs(60)).unwrap();
        let cache = lexigram_cache::aio::Cache::builder().backend(memory).prefix(prefix).build().unwrap();
        let hit = || {
            let future = pin!(cache.get_arc::<Untouchable>("key"));
            let Poll::Ready(value) = future.poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("a hit in memory never waits")
            };
            assert_eq!(value.unwrap().unwrap().0, KEPT);
        };
        hit();
        assert_eq!(allocations(hit), 0, "prefix {prefix:?}");
    }
}
