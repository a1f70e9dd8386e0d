//! A server that comes back empty: keys are missing, scripts and leases are unknown, and no call notices more of it.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::time::{Duration, UNIX_EPOCH};

use lexigram_cache::{BoxError, Memcached, Ttl};
use support::{MemcachedServer, Remote, World, ask_raw, call, eventually, worlds};

const TIMEOUT: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);

/// A verb and what it comes to on an empty server.
type Verb = (&'static str, fn(&World));

const VERBS: &[Verb] = &[
    ("get", |w| assert_eq!(call!(w, c => c.get::<u64>("k")).unwrap(), None)),
    ("get_many", |w| assert!(call!(w, c => c.get_many::<u64>(["k", "n"])).unwrap().is_empty())),
    ("exists", |w| assert!(!call!(w, c => c.exists("k")).unwrap())),
    ("ttl", |w| assert!(call!(w, c => c.ttl("k")).unwrap().is_none())),
    ("replace", |w| assert!(!call!(w, c => c.replace("k", &1_u64, MINUTE)).unwrap())),
    ("touch", |w| assert!(!call!(w, c => c.touch("k", MINUTE)).unwrap())),
    ("touch for ever", |w| assert!(!call!(w, c => c.touch("k", Ttl::NEVER)).unwrap())),
    ("take", |w| assert_eq!(call!(w, c => c.take::<u64>("k")).unwrap(), None)),
    ("delete", |w| assert!(!call!(w, c => c.delete("k")).unwrap())),
    ("delete_many", |w| assert_eq!(call!(w, c => c.delete_many(["k", "n"])).unwrap(), 0)),
    ("clear", |w| call!(w, c => c.clear()).unwrap()),
    ("add", |w| assert!(call!(w, c => c.add("k", &1_u64, MINUTE)).unwrap())),
    ("incr", |w| assert_eq!(call!(w, c => c.incr("n", 2, MINUTE)).unwrap(), 2)),
    ("decr", |w| assert_eq!(call!(w, c => c.decr("n", 2, MINUTE)).unwrap(), -2)),
    ("update", |w| {
        let plus_one = |old: Option<u64>| old.unwrap_or(10) + 1;
        assert_eq!(call!(w, c => c.update("k", MINUTE, plus_one)).unwrap(), 11);
    }),
    ("get_or_compute", |w| assert_eq!(w.compute("k", 3_u64).unwrap(), 3)),
    ("get_or_compute_many", |w| {
        let load = |missing: &[String]| {
            assert_eq!(missing.len(), 2);
            Ok::<_, BoxError>(missing.iter().map(|key| (key.clone(), 4_u64)).collect())
        };
        assert_eq!(w.load_many(["k".to_owned(), "n".to_owned()], load).unwrap()["k"], 4);
    }),
    ("a reload", |w| {
        call!(w, c => c.set("k", &5_u64, MINUTE)).unwrap();
        let policy = w.policy(|policy| policy.ttl(MINUTE).force());
        assert_eq!(w.fetch("k", &policy, || Ok::<u64, BoxError>(6)).unwrap().value, 6);
        assert_eq!(call!(w, c => c.get::<u64>("k")).unwrap(), Some(6), "it is stored");
    }),
    ("set_many", |w| call!(w, c => c.set_many([("k", 1_u64), ("n", 2)], MINUTE)).unwrap()),
    ("set", |w| call!(w, c => c.set("k", &1_u64, MINUTE)).unwrap()),
];

#[test]
fn every_verb_works_on_a_server_that_comes_back_empty() {
    Remote::each(|remote| {
        let worlds = remote.worlds(TIMEOUT);
        for (name, verb) in VERBS {
            for world in &worlds {
                // Once on the server before, so that its script counts as known and a connection is open.
                call!(world, cache => cache.delete_many(["k", "n"])).unwrap();
                verb(world);
                remote.restart();
                let errors = world.stats().errors;
                verb(world);
                assert_eq!(world.stats().errors, errors, "{name} in {world:?}");
            }
        }
    });
}

#[test]
fn a_load_under_which_the_server_comes_back_empty_is_had_and_does_not_keep_the_key() {
    Remote::each(|remote| {
        for world in remote.worlds(TIMEOUT) {
            call!(&world, cache => cache.delete("k")).unwrap();
            let load = || {
                remote.restart();
                Ok::<u64, BoxError>(7)
            };
            assert_eq!(world.load("k", load).unwrap(), 7);
            let stored = call!(&world, cache => cache.get::<u64>("k")).unwrap();
            assert_eq!(stored, None, "the lease is gone with the server, and nothing is stored without one");
            assert_eq!(world.compute("k", 8_u64).unwrap(), 8);
            assert_eq!(call!(&world, cache => cache.get::<u64>("k")).unwrap(), Some(8));
        }
    });
}

/// The number by which Memcached knows what is under a key.
fn cas(server: &MemcachedServer, command: &str) -> u64 {
    let answer = ask_raw(server.addr(), command.as_bytes());
    let number = answer.strip_prefix("HD c").and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("{command}: {answer}"))
}

fn second() -> u64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// A Memcached that comes back counts from 1 again, so a value can come to have the number of a lease from before. The generation tells
/// them apart, for those that have one.
#[test]
fn a_load_from_before_a_restart_is_not_read_after_it_in_a_namespace_that_can_be_cleared() {
    let server = MemcachedServer::start();
    let memcached = Memcached::builder([server.url()]).clearable(true).breaker(None).build().unwrap();
    let worlds = worlds!(memcached, prefix("app"), timeout(TIMEOUT));
    let write = |value: u64| call!(&worlds[0], c => c.set("k", &value, MINUTE)).unwrap();
    let count_on = || cas(&server, "ms other 1 c\r\nx\r\n");
    for world in &worlds {
        call!(world, cache => cache.delete("k")).unwrap();
        for _ in 0..50 {
            count_on();
        }
        let load = || {
            let (taken, begun) = (cas(&server, "mg app:k c\r\n"), second());
            server.restart();
            // Generations begin at the time of day.
            eventually("another second has begun", 2 * TIMEOUT, || second() > begun);
            write(1);
            while count_on() < taken - 1 {}
            write(2);
            assert_eq!(cas(&server, "mg app:k c\r\n"), taken, "the number has not come again");
            Ok::<u64, BoxError>(7)
        };
        assert_eq!(world.load("k", load).unwrap(), 7);
        let read = call!(world, cache => cache.get::<u64>("k")).unwrap();
        assert_ne!(read, Some(7), "{world:?}");
    }
}
