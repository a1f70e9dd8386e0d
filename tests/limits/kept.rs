//! What is kept of subjects, for how long, and what a check costs on the wire.

use std::time::Duration;

use lexigram_cache::{Cache, ErrorKind, Memory, Outage, Quota, RateLimiter, Ttl};

use crate::limiter::{Ground, Setting, kinds};
use crate::support::{MemcachedServer, RedisServer, Wire, ask_raw, eventually, memcached, redis};

fn keys(server: &RedisServer) -> String {
    ask_raw(server.addr(), b"DBSIZE\r\n")
}

#[test]
fn a_subject_that_has_all_its_permits_is_forgotten_by_redis() {
    let server = RedisServer::start();
    for quota in kinds(Quota::new(3, Duration::from_millis(300))) {
        for limiter in Ground::redis(server.url()).separate(quota, &Setting::default()) {
            assert!(limiter.peek("s").unwrap().allowed);
            assert_eq!(keys(&server), ":0\r\n", "a look keeps nothing");
            let told = limiter.check("s").unwrap();
            assert_eq!(keys(&server), ":1\r\n");
            eventually("it is gone", told.reset_after + Duration::from_secs(5), || keys(&server) == ":0\r\n");
        }
    }
}

#[test]
fn a_check_is_one_round_trip_on_redis_and_two_on_memcached_where_it_takes() {
    let wires = [Wire::before(redis().addr()), Wire::before(memcached().addr())];
    let grounds = [
        Ground::redis(format!("redis://{}", wires[0].addr())),
        Ground::memcached(wires[1].addr().to_string()),
    ];
    for ((wire, ground), taking) in wires.iter().zip(&grounds).zip([1, 2]) {
        for quota in kinds(Quota::per_hour(2)) {
            for limiter in ground.separate(quota, &Setting::default()) {
                assert!(limiter.check("s").unwrap().allowed);
                limiter.reset("s").unwrap();
                let trips = |call: &dyn Fn()| {
                    wire.take();
                    call();
                    wire.round_trips()
                };
                assert_eq!(
                    trips(&|| assert!(limiter.check("s").unwrap().allowed)),
                    taking,
                    "{}",
                    ground.name
                );
                assert_eq!(trips(&|| assert!(limiter.check_n("s", 1).unwrap().allowed)), taking);
                assert_eq!(
                    trips(&|| assert!(!limiter.check("s").unwrap().allowed)),
                    1,
                    "a refusal writes nothing"
                );
                assert_eq!(trips(&|| assert!(!limiter.peek("s").unwrap().allowed)), 1);
                assert_eq!(trips(&|| assert!(limiter.reset("s").unwrap())), 1);
            }
        }
    }
}

#[test]
fn a_server_that_comes_back_empty_begins_anew_without_an_error() {
    let redis = RedisServer::start();
    let memcached = MemcachedServer::start();
    let restart: [(&dyn Fn(), Ground); 2] = [
        (&|| redis.restart(), Ground::redis(redis.url())),
        (&|| memcached.restart(), Ground::memcached(memcached.url())),
    ];
    for (restart, ground) in restart {
        for quota in kinds(Quota::per_hour(3)) {
            for limiter in ground.separate(quota, &Setting::default()) {
                assert_eq!(limiter.admitted("s", 5), 3);
                restart();
                assert_eq!(limiter.admitted("s", 5), 3, "{} knows nothing of before", ground.name);
            }
        }
    }
}

#[test]
fn a_limit_in_memory_is_not_evicted_with_the_entries_of_caches() {
    let memory = Memory::builder().max_entries(10).build().unwrap();
    let cache = Cache::builder().backend(memory.clone()).build().unwrap();
    let limiter = RateLimiter::new(&memory, "l", Quota::per_hour(1)).unwrap();
    assert!(limiter.check("s").unwrap().allowed);
    (0..1_000).for_each(|n| cache.set(n.to_string(), &n, Ttl::NEVER).unwrap());
    cache.clear().unwrap();
    assert!(!limiter.check("s").unwrap().allowed);
    assert_eq!(cache.stats().entries, Some(0), "nor does it take their place");
}

#[test]
fn a_limiter_on_a_cache_shares_its_prefix_with_no_entry_of_it() {
    let cache = Cache::builder().prefix("app").build().unwrap();
    let (a, b) = (
        RateLimiter::new(&cache, "l", Quota::per_hour(1)).unwrap(),
        RateLimiter::new(&cache, "l", Quota::per_hour(1)).unwrap(),
    );
    assert!(a.check("s").unwrap().allowed && !b.check("s").unwrap().allowed);
    assert_eq!(cache.get::<String>("s").unwrap(), None);
}

#[test]
fn the_text_of_an_error_names_no_subject() {
    let nowhere = format!("redis://127.0.0.1:{}", crate::support::closed_port());
    for limiter in Ground::redis(nowhere).limiters(Quota::per_hour(1), &Setting::default()) {
        let error = limiter.check("canary@example.org").unwrap_err();
        assert_eq!((error.operation(), error.backend()), (Some("check"), Some("redis")));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn another_type_under_the_key_is_an_error_that_no_policy_hides() {
    let ground = Ground::redis(redis().url()).namespace("list");
    ask_raw(redis().addr(), b"LPUSH lexigram%limit:list:l:gcra:s x\r\n");
    for outage in [Outage::Error, Outage::Open, Outage::Closed] {
        for limiter in ground.limiters(Quota::per_hour(1), &Setting { outage, ..Setting::default() }) {
            assert_eq!(limiter.check("s").unwrap_err().kind(), ErrorKind::Decode);
        }
    }
}
