//! How often a call asks its server, counted on the wire.

use lexigram_cache::{Cache, Memcached, Redis, Ttl};

use crate::bench::{Bench, Kind, Vault, only, secrets, state};
use crate::support::{MemcachedServer, RedisServer, Wire};

/// A verb, and how many round trips it takes on Redis and on Memcached.
struct Verb(&'static str, usize, usize, fn(&Vault) -> bool);

const VERBS: &[Verb] = &[
    Verb("set", 1, 1, |v| state!(v, s => s.set("k", &1_u64, Ttl::NEVER)).is_ok()),
    Verb("get", 1, 1, |v| state!(v, s => s.get::<u64>("k")).is_ok()),
    Verb("exists", 1, 1, |v| state!(v, s => s.exists("k")).unwrap()),
    Verb("ttl", 1, 1, |v| state!(v, s => s.ttl("k")).is_ok()),
    Verb("expire", 1, 2, |v| state!(v, s => s.expire("k", Ttl::NEVER)).unwrap()),
    Verb("replace", 1, 2, |v| state!(v, s => s.replace("k", &1_u64, Ttl::NEVER)).unwrap()),
    Verb("compare_and_set", 2, 2, |v| {
        state!(v, s => s.compare_and_set("k", Some(&1_u64), &1, Ttl::NEVER)).unwrap()
    }),
    Verb("compare_and_set in vain", 1, 1, |v| {
        !state!(v, s => s.compare_and_set("k", Some(&7_u64), &1, Ttl::NEVER)).unwrap()
    }),
    Verb("compare_and_set from nothing", 1, 1, |v| {
        !state!(v, s => s.compare_and_set("k", None, &1_u64, Ttl::NEVER)).unwrap()
    }),
    Verb("update", 2, 2, |v| {
        state!(v, s => s.update("k", Ttl::NEVER, |old: Option<u64>| old)).unwrap().is_some()
    }),
    Verb("get_many", 1, 1, |v| state!(v, s => s.get_many::<u64>(["k", "l"])).is_ok()),
    Verb("set_many", 1, 1, |v| state!(v, s => s.set_many([("k", 1_u64), ("l", 2)], Ttl::NEVER)).is_ok()),
    Verb("delete", 1, 1, |v| state!(v, s => s.delete("k")).unwrap()),
    Verb("set_secret", 1, 1, |v| secrets!(v, s => s.set_secret("k", "x", Ttl::NEVER)).is_ok()),
    Verb("get_secret", 1, 1, |v| secrets!(v, s => s.get_secret("k")).unwrap().is_some()),
    Verb("has_secret", 1, 1, |v| secrets!(v, s => s.has_secret("k")).unwrap()),
    Verb("rewrap of what is new", 1, 1, |v| !secrets!(v, s => s.rewrap("k")).unwrap()),
    Verb("delete_secret", 1, 1, |v| secrets!(v, s => s.delete_secret("k")).unwrap()),
];

fn count(wire: &Wire, benches: &[Bench], expected: impl Fn(&Verb) -> usize) {
    for bench in benches {
        // The first round dials and makes scripts known, the second is counted.
        VERBS.iter().for_each(|verb| assert!(verb.3(&bench.vault), "{} in {bench:?}", verb.0));
        for verb in VERBS {
            wire.take();
            assert!(verb.3(&bench.vault), "{} in {bench:?}", verb.0);
            let trips = wire.round_trips();
            assert_eq!(trips, expected(verb), "{} in {bench:?}: {:?}", verb.0, wire.take());
        }
        let old = bench.with(only("old"));
        for _ in 0..2 {
            secrets!(&old, s => s.set_secret("k", "x", Ttl::NEVER)).unwrap();
            wire.take();
            assert!(secrets!(&bench.vault, s => s.rewrap("k")).unwrap());
        }
        assert_eq!(wire.round_trips(), 3, "rewrap in {bench:?}");
    }
}

#[test]
fn a_verb_of_a_store_takes_the_round_trips_that_its_documentation_says() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    let wire = Wire::before(redis.addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    count(&wire, &Bench::on(Kind::Redis, &redis), |verb| verb.1);
    // A page of a walk: a step, and a look at what it has found.
    let cache = Cache::builder().backend(redis).build().unwrap();
    // The first makes the script known.
    for (glob, trips) in [("*", 3), ("*", 2), ("none*", 1)] {
        wire.take();
        cache.keys(glob).next_page().unwrap();
        assert_eq!(wire.round_trips(), trips, "{glob}: {:?}", wire.take());
    }
    let wire = Wire::before(memcached.addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).build().unwrap();
    count(&wire, &Bench::on(Kind::Memcached, &memcached), |verb| verb.2);
}
