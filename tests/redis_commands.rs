//! What Redis is asked for, read from the wire: nothing that stops the server for others, nothing beyond
//! the cache's own keys.
#![cfg(all(feature = "redis", feature = "async"))]

mod support;

use std::time::Duration;

#[cfg(feature = "testing")]
use lexigram_cache::{Ask, Fill, Key, Lifetime, Lookup, Prefix};
use lexigram_cache::{Redis, Remaining, Ttl};
use support::{RedisServer, Wire, World, ask_raw, call, worlds};
#[cfg(feature = "testing")]
use support::{Side, ask, sides, soon};

#[test]
fn a_clear_walks_and_unlinks_and_neither_lists_nor_flushes() {
    let server = RedisServer::start();
    let wire = Wire::before(server.addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    let others = worlds!(redis, prefix("other"));
    let caches = worlds!(redis, prefix("mine"));
    call!(&others[0], cache => cache.set("kept", &1_u64, Ttl::NEVER)).unwrap();
    for world in &caches {
        for remove in [clear, by_prefix, by_pattern] {
            let keys = (0..5_000_u64).map(|n| (n.to_string(), n));
            call!(world, cache => cache.set_many(keys, Ttl::NEVER)).unwrap();
            wire.take();
            remove(world);
            let commands = commands(&wire.requests());
            assert!(commands.iter().all(|(name, _)| name == "SCAN" || is_script(name)), "{commands:?}");
            let largest = commands.iter().filter(|(name, _)| is_script(name)).map(|(_, keys)| *keys).max();
            // The script, the number of its keys and its argument are no keys.
            assert!((4..=1_003).contains(&largest.unwrap()), "{largest:?} arguments in one step");
        }
    }
    assert_eq!(ask_raw(server.addr(), b"DBSIZE\r\n"), ":1\r\n");
    let ran = ask_raw(server.addr(), b"INFO commandstats\r\n");
    assert!(
        ran.contains("cmdstat_unlink:") && !ran.contains("cmdstat_flush") && !ran.contains("cmdstat_keys:")
    );
    assert_eq!(call!(&others[1], cache => cache.get::<u64>("kept")).unwrap(), Some(1));
}

fn is_script(name: &str) -> bool {
    name == "EVALSHA" || name == "EVAL"
}

fn clear(world: &World) {
    call!(world, cache => cache.clear()).unwrap();
}

fn by_prefix(world: &World) {
    assert_eq!(call!(world, cache => cache.delete_prefix("")).unwrap(), 5_000);
}

fn by_pattern(world: &World) {
    assert_eq!(call!(world, cache => cache.delete_pattern("*")).unwrap(), 5_000);
}

/// Name and number of arguments of each command in these bytes, which hold no line breaks but the protocol's.
fn commands(requests: &[u8]) -> Vec<(String, usize)> {
    let text = String::from_utf8_lossy(requests);
    let starts = text.split('*').filter(|piece| piece.contains("\r\n$"));
    let command = |piece: &str| {
        let mut lines = piece.split("\r\n");
        let arguments: usize = lines.next()?.parse().ok()?;
        Some((lines.nth(1)?.to_owned(), arguments - 1))
    };
    starts.filter_map(command).collect()
}

#[test]
fn what_means_something_in_a_glob_means_itself_in_a_prefix() {
    let prefixes = ["a*", "ab", "a?", "[ab]b", "a[b]", "a\\b", "a\\*", "*", "?b", "a", "[", "a^b", "a-z"];
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    let caches: Vec<_> = prefixes.iter().map(|prefix| worlds!(redis, prefix(*prefix))).collect();
    let fill = || {
        for [threads, _] in &caches {
            call!(threads, cache => cache.set_many([("x", 1_u64), ("[x]*", 2)], Ttl::NEVER)).unwrap();
        }
    };
    let count = |world: &World| call!(world, cache => cache.get_many::<u64>(["x", "[x]*"])).unwrap().len();
    for cleared in 0..caches.len() {
        for side in 0..2 {
            fill();
            call!(&caches[cleared][side], cache => cache.clear()).unwrap();
            let left: usize = caches.iter().map(|worlds| count(&worlds[side])).sum();
            assert_eq!((count(&caches[cleared][side]), left), (0, 2 * (caches.len() - 1)));
            fill();
            let world = &caches[cleared][side];
            assert_eq!(call!(world, cache => cache.delete_prefix("[x]")).unwrap(), 1, "{world:?}");
        }
    }
}

#[test]
fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    for (world, round) in worlds!(redis).iter().zip(1..) {
        assert_eq!(call!(world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap(), 2 * round - 1);
        call!(world, cache => cache.set("k", &round, Ttl::NEVER)).unwrap();
        let forget = || assert_eq!(ask_raw(server.addr(), b"SCRIPT FLUSH\r\n"), "+OK\r\n");
        forget();
        assert_eq!(call!(world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap(), 2 * round);
        forget();
        let double = |old: Option<i64>| 2 * old.unwrap();
        assert_eq!(call!(world, cache => cache.update("k", Ttl::NEVER, double)).unwrap(), 2 * round);
        forget();
        assert!(call!(world, cache => cache.touch("k", Duration::from_secs(9))).unwrap());
        assert_ne!(call!(world, cache => cache.ttl("k")).unwrap(), Some(Remaining::Never));
    }
}

#[test]
fn a_lifetime_goes_over_the_wire_in_milliseconds() {
    let wire = Wire::before(support::redis().addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    for world in worlds!(redis, prefix("ms")) {
        wire.take();
        call!(&world, cache => cache.set("k", "v", Duration::from_micros(90_000_500))).unwrap();
        assert!(String::from_utf8_lossy(&wire.requests()).contains("PX\r\n$5\r\n90001\r\n"));
        let Some(Remaining::For(left)) = call!(&world, cache => cache.ttl("k")).unwrap() else {
            panic!("the lifetime is lost")
        };
        assert!(left > Duration::from_secs(80) && left <= Duration::from_millis(90_001), "{left:?}");
    }
}

/// The names of the commands since the last look, and in how many round trips they went.
#[cfg(feature = "testing")]
fn asked(wire: &Wire, act: impl FnOnce()) -> (Vec<String>, usize) {
    wire.take();
    act();
    let names = commands(&wire.requests()).into_iter().map(|(name, _)| name);
    (names.collect(), wire.round_trips())
}

#[cfg(feature = "testing")]
fn expect(wire: &Wire, trips: usize, names: &[&str], act: impl FnOnce()) {
    let asked = asked(wire, act);
    assert_eq!((asked.0.iter().map(String::as_str).collect::<Vec<_>>(), asked.1), (names.to_vec(), trips));
}

#[cfg(feature = "testing")]
#[test]
fn a_lease_is_one_script_and_so_is_each_use_of_it() {
    let wire = Wire::before(support::redis().addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    let app = Prefix::new("leased");
    let keys = ["a", "b", "c"].map(|name| app.key(name).unwrap());
    let (key, minute) = (keys[0], Duration::from_secs(60));
    let forever = Lifetime::Never;
    for side in &sides(&redis) {
        let lease = || side.lease(&key, minute);
        let every_script = || {
            side.fill(&key, &lease(), b"1", forever);
            side.remove(&key);
            let unused = lease();
            ask!(side, b => b.renew(&key, &unused, minute, soon())).unwrap();
            ask!(side, b => b.abandon(&key, &unused, soon())).unwrap();
        };
        every_script();
        let mut held = None;
        expect(&wire, 1, &["EVALSHA"], || held = Some(lease()));
        let held = held.unwrap();
        expect(&wire, 1, &["EVALSHA"], || drop(side.lookup(&key, Ask::Lease(minute))));
        expect(&wire, 1, &["EVALSHA"], || {
            assert!(ask!(side, b => b.renew(&key, &held, minute, soon())).unwrap());
        });
        expect(&wire, 1, &["EVALSHA"], || assert!(side.fill(&key, &held, b"1", forever)));
        expect(&wire, 1, &["EVALSHA"], || drop(side.lookup(&key, Ask::Lease(minute))));
        expect(&wire, 1, &["GET"], || drop(side.lookup(&key, Ask::Value)));
        expect(&wire, 1, &["GET", "PTTL", "PEXPIRETIME"], || drop(side.lookup(&key, Ask::Age)));
        expect(&wire, 1, &["EVALSHA"], || assert!(side.remove(&key)));
        let unused = lease();
        expect(&wire, 1, &["EVALSHA"], || ask!(side, b => b.abandon(&key, &unused, soon())).unwrap());
        batches(&wire, side, &keys);
    }
}

#[cfg(feature = "testing")]
fn batches(wire: &Wire, side: &Side, keys: &[Key<'_>]) {
    let minute = Duration::from_secs(60);
    let mut seen = Vec::new();
    expect(wire, 1, &["EVALSHA"; 3], || {
        seen = ask!(side, b => b.lookup_many(keys, Ask::Lease(minute), soon())).unwrap();
    });
    let lease = |seen| match seen {
        Lookup::Lease(lease) => lease,
        other => panic!("no lease, but {other:?}"),
    };
    let leases: Vec<_> = keys.iter().copied().zip(seen.into_iter().map(lease)).collect();
    expect(wire, 1, &["EVALSHA"; 2], || ask!(side, b => b.abandon_many(&leases[1..], soon())).unwrap());
    let (key, lease) = leases[0].clone();
    let items = [Fill { key, lease, bytes: b"1".to_vec(), lifetime: Lifetime::Never }];
    expect(wire, 1, &["EVALSHA"], || {
        ask!(side, b => b.fill_many(&items, soon())).unwrap();
    });
    expect(wire, 1, &["MGET"], || drop(ask!(side, b => b.lookup_many(keys, Ask::Value, soon())).unwrap()));
    let aged = ["MGET", "PTTL", "PTTL", "PTTL", "PEXPIRETIME", "PEXPIRETIME", "PEXPIRETIME"];
    expect(wire, 1, &aged, || drop(ask!(side, b => b.lookup_many(keys, Ask::Age, soon())).unwrap()));
    expect(wire, 1, &["EVALSHA"], || {
        assert_eq!(ask!(side, b => b.remove_many(keys, soon())).unwrap(), 1);
    });
}
