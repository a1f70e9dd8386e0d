//! How often a call asks its server, counted on the wire.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::time::Duration;

use lexigram_cache::{BoxError, Memcached, PolicyBuilder, Redis, Ttl};
use support::{MemcachedServer, Wire, World, block_on, call, eventually, worlds};

const MINUTE: Duration = Duration::from_secs(60);

/// A verb on the keys `k` and `n`, and how many round trips it takes on Redis and on Memcached.
struct Verb(&'static str, usize, usize, fn(&World) -> bool);

const VERBS: &[Verb] = &[
    Verb("get", 1, 1, |w| call!(w, c => c.get::<u64>("k")).is_ok()),
    Verb("get_arc", 1, 1, |w| call!(w, c => c.get_arc::<u64>("k")).is_ok()),
    Verb("get_with", 1, 1, |w| call!(w, c => c.get_with("k", |n: &u64| n + 1)).is_ok()),
    Verb("set", 1, 1, |w| call!(w, c => c.set("k", &1_u64, MINUTE)).is_ok()),
    Verb("add", 1, 1, |w| call!(w, c => c.add("k", &1_u64, MINUTE)).is_ok()),
    Verb("replace", 1, 2, |w| call!(w, c => c.replace("k", &1_u64, MINUTE)).is_ok()),
    Verb("exists", 1, 1, |w| call!(w, c => c.exists("k")).is_ok()),
    Verb("touch", 1, 2, |w| call!(w, c => c.touch("k", MINUTE)).is_ok()),
    Verb("touch for ever", 1, 2, |w| call!(w, c => c.touch("k", Ttl::NEVER)).is_ok()),
    Verb("ttl", 1, 1, |w| call!(w, c => c.ttl("k")).is_ok()),
    Verb("incr", 1, 2, |w| call!(w, c => c.incr("n", 1, MINUTE)).is_ok()),
    Verb("decr", 1, 2, |w| call!(w, c => c.decr("n", 1, MINUTE)).is_ok()),
    Verb("update", 2, 2, |w| call!(w, c => c.update("k", MINUTE, |_: Option<u64>| 1)).is_ok()),
    Verb("get_or_compute, hit", 1, 1, |w| w.compute("k", 1_u64).is_ok()),
    Verb("get_or_compute_arc, hit", 1, 1, |w| w.compute_arc("k", 1_u64).is_ok()),
    Verb("take", 1, 2, |w| call!(w, c => c.take::<u64>("k")).is_ok()),
    Verb("delete", 1, 1, |w| call!(w, c => c.delete("k")).is_ok()),
    Verb("get_or_compute, miss", 3, 3, |w| w.compute("missing", 1_u64).is_ok()),
    Verb("delete", 1, 1, |w| call!(w, c => c.delete("missing")).unwrap()),
    Verb("health", 1, 1, |w| w.health().0),
];

/// Every verb twice: the first round dials and makes scripts known, the second is counted.
fn count(wire: &Wire, worlds: &[World], expected: impl Fn(&Verb) -> usize) {
    for world in worlds {
        VERBS.iter().for_each(|verb| assert!(verb.3(world), "{} in {world:?}", verb.0));
        for verb in VERBS {
            wire.take();
            assert!(verb.3(world));
            let exchanges = wire.round_trips();
            assert_eq!(exchanges, expected(verb), "{} in {world:?}: {:?}", verb.0, wire.take());
        }
    }
}

#[test]
fn a_verb_takes_the_round_trips_that_its_documentation_says_on_redis() {
    let wire = Wire::before(support::redis().addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    count(&wire, &worlds!(redis, prefix("single")), |verb| verb.1);
}

#[test]
fn a_verb_takes_the_round_trips_that_its_documentation_says_on_memcached() {
    let wire = Wire::before(support::memcached().addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).build().unwrap();
    count(&wire, &worlds!(memcached, prefix("single")), |verb| verb.2);
}

/// Three verbs on a hundred keys, each of which asks each server once, and the answers to them.
fn a_hundred_keys(wires: &[&Wire], world: &World) {
    let keys = || (0..100_u64).map(|n| format!("key {n}"));
    let once = |verb: &str| {
        for wire in wires {
            assert_eq!(wire.round_trips(), 1, "{verb} in {world:?}");
            wire.take();
        }
    };
    // Dials, and makes the script known.
    call!(world, cache => cache.delete_many(keys())).unwrap();
    wires.iter().for_each(|wire| drop(wire.take()));
    call!(world, cache => cache.set_many(keys().zip(0_u64..), MINUTE)).unwrap();
    once("set_many");
    let values = call!(world, cache => cache.get_many::<u64>(keys())).unwrap();
    once("get_many");
    assert_eq!(values, keys().zip(0_u64..).collect());
    assert_eq!(call!(world, cache => cache.delete_many(keys())).unwrap(), 100);
    once("delete_many");
    assert!(call!(world, cache => cache.get_many::<u64>(keys())).unwrap().is_empty());
}

#[test]
fn a_batch_is_one_round_trip_on_redis() {
    let wire = Wire::before(support::redis().addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    worlds!(redis, prefix("batch")).iter().for_each(|world| a_hundred_keys(&[&wire], world));
}

#[test]
fn a_batch_is_one_round_trip_to_each_memcached() {
    let second = MemcachedServer::start();
    let wires = [Wire::before(support::memcached().addr()), Wire::before(second.addr())];
    let servers = wires.each_ref().map(|wire| wire.addr().to_string());
    let memcached = Memcached::builder(servers).build().unwrap();
    for world in worlds!(memcached, prefix("batch")) {
        a_hundred_keys(&wires.each_ref(), &world);
    }
}

#[test]
fn a_batch_of_none_asks_nobody() {
    let wire = Wire::before(support::redis().addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    for world in worlds!(redis) {
        assert!(call!(&world, cache => cache.get_many::<u64>([""; 0])).unwrap().is_empty());
        call!(&world, cache => cache.set_many([("", 1_u64); 0], MINUTE)).unwrap();
        assert_eq!(call!(&world, cache => cache.delete_many([""; 0])).unwrap(), 0);
    }
    assert_eq!(wire.connections(), 0);
}

/// What a fetch finds is a value with ten seconds left of a minute.
struct Fetch(&'static str, usize, fn(PolicyBuilder) -> PolicyBuilder);

const FETCHES: &[Fetch] = &[
    Fetch("a hit", 1, |policy| policy),
    Fetch("a hit whose age is asked for", 1, |policy| policy.refresh_ahead(0.1)),
    Fetch("a reload", 4, |policy| policy.refresh_ahead(0.5)),
    Fetch("a forced load", 3, PolicyBuilder::force),
];

fn fetch(world: &World, set: fn(PolicyBuilder) -> PolicyBuilder, later: bool) -> u64 {
    let load = || Ok::<_, BoxError>(2_u64);
    let fetched = match world {
        World::Threads(cache) => {
            let policy = set(cache.policy().ttl(MINUTE)).build().unwrap();
            if later { cache.fetch_in_background("k", policy, load) } else { cache.fetch("k", policy, load) }
        }
        World::Tasks(cache) => {
            let policy = set(cache.policy().ttl(MINUTE)).build().unwrap();
            block_on(async {
                match later {
                    true => cache.fetch_in_background("k", policy, move || async move { load() }).await,
                    false => cache.fetch("k", policy, async || load()).await,
                }
            })
        }
    };
    fetched.unwrap().value
}

fn count_fetches(wire: &Wire, worlds: &[World]) {
    for world in worlds {
        for later in [false, true] {
            for Fetch(name, trips, set) in FETCHES {
                // The first round dials and makes scripts known.
                for counted in [false, true] {
                    call!(world, cache => cache.set("k", &1_u64, Duration::from_secs(10))).unwrap();
                    wire.take();
                    fetch(world, *set, later);
                    // What goes on beside the caller comes last.
                    eventually(name, MINUTE, || wire.round_trips() >= *trips);
                    std::thread::sleep(SETTLED);
                    assert!(
                        !counted || wire.round_trips() == *trips,
                        "{name} in {world:?}: {:?}",
                        wire.take()
                    );
                }
            }
        }
    }
}

/// More than a round trip takes here, so that one too many is seen.
const SETTLED: Duration = Duration::from_millis(50);

#[test]
fn a_fetch_takes_the_round_trips_that_its_documentation_says_on_redis() {
    let wire = Wire::before(support::redis().addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    count_fetches(&wire, &worlds!(redis, prefix("fetch")));
}

#[test]
fn a_fetch_takes_the_round_trips_that_its_documentation_says_on_memcached() {
    let wire = Wire::before(support::memcached().addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).build().unwrap();
    count_fetches(&wire, &worlds!(memcached, prefix("fetch")));
}
