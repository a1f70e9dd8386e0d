//! The right to fill a key on Redis: whoever writes or removes the key ends it, whatever client that is, and nobody
//! takes what stands for it for a value.
#![cfg(all(feature = "redis", feature = "async", feature = "testing", feature = "json"))]

mod support;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use lexigram_cache::{
    Ask, Condition, Deadline, Fill, Lease, Lifetime, Lookup, Prefix, Redis, Remaining, Ttl, Version,
};
use support::{RedisServer, Side, Wire, World, ask, ask_raw, call, eventually, sides, soon, worlds};

const MINUTE: Duration = Duration::from_secs(60);
const FOR_A_MINUTE: Lifetime = Lifetime::For(MINUTE);

/// A server of one's own with both worlds' backends and caches, all in the namespace `app`.
fn each(test: impl Fn(&Side, &World, SocketAddr)) {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    for (side, world) in sides(&redis).iter().zip(worlds!(redis, prefix("app"))) {
        assert!(ask_raw(server.addr(), b"FLUSHDB\r\n").starts_with("+OK"));
        test(side, &world, server.addr());
    }
}

type Act = fn(&World, SocketAddr);

fn raw(addr: SocketAddr, command: &str) {
    let answer = ask_raw(addr, format!("{command}\r\n").as_bytes());
    assert!(!answer.starts_with('-'), "{command}: {answer}");
}

/// What somebody does to `app:k` while it is being loaded, and what the key holds then.
const INTERFERENCES: &[(&str, Option<&str>, Act)] = &[
    ("set", Some("7"), |w, _| call!(w, c => c.set("k", &7_u64, MINUTE)).unwrap()),
    ("set_many", Some("7"), |w, _| call!(w, c => c.set_many([("k", 7_u64)], MINUTE)).unwrap()),
    ("add", Some("7"), |w, _| assert!(call!(w, c => c.add("k", &7_u64, MINUTE)).unwrap())),
    ("update", Some("7"), |w, _| {
        assert_eq!(call!(w, c => c.update("k", MINUTE, |_: Option<u64>| 7)).unwrap(), 7);
    }),
    ("incr", Some("7"), |w, _| assert_eq!(call!(w, c => c.incr("k", 7, MINUTE)).unwrap(), 7)),
    ("delete", None, |w, _| assert!(!call!(w, c => c.delete("k")).unwrap())),
    ("delete_many", None, |w, _| assert_eq!(call!(w, c => c.delete_many(["k"])).unwrap(), 0)),
    ("take", None, |w, _| assert_eq!(call!(w, c => c.take::<u64>("k")).unwrap(), None)),
    ("delete_prefix", None, |w, _| assert_eq!(call!(w, c => c.delete_prefix("k")).unwrap(), 0)),
    ("delete_pattern", None, |w, _| assert_eq!(call!(w, c => c.delete_pattern("?")).unwrap(), 0)),
    ("clear", None, |w, _| call!(w, c => c.clear()).unwrap()),
    ("a set and a delete", None, |w, _| {
        call!(w, c => c.set("k", &7_u64, MINUTE)).unwrap();
        assert!(call!(w, c => c.delete("k")).unwrap());
    }),
    ("a foreign DEL", None, |_, addr| raw(addr, "DEL app:k")),
    ("a foreign UNLINK", None, |_, addr| raw(addr, "UNLINK app:k")),
    ("a foreign SET", Some("7"), |_, addr| raw(addr, "SET app:k 7")),
    ("a foreign FLUSHDB", None, |_, addr| raw(addr, "FLUSHDB")),
    ("a foreign list", Some("list"), |_, addr| {
        raw(addr, "EVAL \"redis.call('DEL','app:k') redis.call('RPUSH','app:k','x')\" 0");
    }),
];

#[test]
fn whatever_happens_to_the_key_beats_a_load_that_began_before() {
    let app = Prefix::new("app");
    let key = app.key("k").unwrap();
    each(|side, world, addr| {
        for (name, left, act) in INTERFERENCES {
            side.remove(&key);
            let lease = side.lease(&key, MINUTE);
            act(world, addr);
            assert!(!side.fill(&key, &lease, b"old", FOR_A_MINUTE), "a fill after {name}");
            match *left {
                Some("list") => assert_eq!(ask_raw(addr, b"TYPE app:k\r\n"), "+list\r\n"),
                left => assert_eq!(side.get(&key).as_deref(), left.map(str::as_bytes), "after {name}"),
            }
        }
    });
}

#[test]
fn a_second_lease_is_not_the_first() {
    let app = Prefix::new("app");
    let key = app.key("k").unwrap();
    each(|side, _, _| {
        let first = side.lease(&key, MINUTE);
        assert_eq!(side.lookup(&key, Ask::Lease(MINUTE)), Lookup::Busy(first.token.clone().unwrap()));
        side.remove(&key);
        let second = side.lease(&key, MINUTE);
        ask!(side, b => b.abandon(&key, &first, soon())).unwrap();
        assert!(!side.fill(&key, &first, b"old", FOR_A_MINUTE));
        assert!(side.fill(&key, &second, b"new", FOR_A_MINUTE));
        assert!(!side.fill(&key, &second, b"late", FOR_A_MINUTE));
        assert_eq!(side.get(&key).as_deref(), Some(b"new".as_slice()));
    });
}

type Verb = fn(&World) -> bool;

/// A verb on `app:k`, which holds a placeholder, and whether it answers as over nothing.
const VERBS: &[(&str, Verb)] = &[
    ("get", |w| call!(w, c => c.get::<Option<u64>>("k")).unwrap().is_none()),
    ("get_many", |w| call!(w, c => c.get_many::<Option<u64>>(["k"])).unwrap().is_empty()),
    ("exists", |w| !call!(w, c => c.exists("k")).unwrap()),
    ("ttl", |w| call!(w, c => c.ttl("k")).unwrap().is_none()),
    ("touch", |w| !call!(w, c => c.touch("k", MINUTE)).unwrap()),
    ("touch for ever", |w| !call!(w, c => c.touch("k", Ttl::NEVER)).unwrap()),
    ("replace", |w| !call!(w, c => c.replace("k", &1_u64, MINUTE)).unwrap()),
    ("add", |w| call!(w, c => c.add("k", &1_u64, MINUTE)).unwrap()),
    ("update", |w| {
        call!(w, c => c.update("k", MINUTE, |old: Option<Option<u64>>| old.unwrap_or(Some(1)))).unwrap()
            == Some(1)
    }),
    ("incr", |w| call!(w, c => c.incr("k", 2, MINUTE)).unwrap() == 2),
    ("take", |w| call!(w, c => c.take::<Option<u64>>("k")).unwrap().is_none()),
    ("delete", |w| !call!(w, c => c.delete("k")).unwrap()),
    ("delete_many", |w| call!(w, c => c.delete_many(["k", "k2"])).unwrap() == 0),
    ("delete_prefix", |w| call!(w, c => c.delete_prefix("")).unwrap() == 0),
    ("delete_pattern", |w| call!(w, c => c.delete_pattern("*")).unwrap() == 0),
];

#[test]
fn no_verb_takes_a_lease_for_a_value() {
    let app = Prefix::new("app");
    let key = app.key("k").unwrap();
    each(|side, world, _| {
        for (name, as_over_nothing) in VERBS {
            side.remove(&key);
            let lease = side.lease(&key, MINUTE);
            assert!(as_over_nothing(world), "{name}");
            assert_eq!(world.stats().decode_rejected, 0, "{name}");
            let reads =
                ["get", "get_many", "exists", "ttl", "touch", "touch for ever", "replace"].contains(name);
            assert_eq!(side.fill(&key, &lease, b"1", FOR_A_MINUTE), reads, "a fill after {name}");
        }
        side.remove(&key);
        side.lease(&key, Duration::from_secs(1));
        call!(world, c => c.incr("k", 1, MINUTE)).unwrap();
        let left = call!(world, c => c.ttl("k")).unwrap();
        assert!(
            matches!(left, Some(Remaining::For(left)) if left > MINUTE / 2),
            "a counter has its own lifetime: {left:?}"
        );
    });
}

#[test]
fn a_lease_ends_by_itself_unless_it_is_renewed() {
    let app = Prefix::new("app");
    let [short, held] = ["short", "held"].map(|name| app.key(name).unwrap());
    each(|side, _, addr| {
        let hold = Duration::from_millis(150);
        let (ended, renewed) = (side.lease(&short, hold), side.lease(&held, hold));
        assert!(ask!(side, b => b.renew(&held, &renewed, MINUTE, soon())).unwrap());
        thread::sleep(2 * hold);
        assert!(!ask!(side, b => b.renew(&short, &ended, MINUTE, soon())).unwrap());
        assert!(!side.fill(&short, &ended, b"old", FOR_A_MINUTE));
        side.lease(&short, MINUTE);
        raw(addr, "SET app:other 1");
        assert!(!ask!(side, b => b.renew(&app.key("other").unwrap(), &ended, MINUTE, soon())).unwrap());
        assert!(side.fill(&held, &renewed, b"new", FOR_A_MINUTE));
    });
}

#[test]
fn a_lease_that_is_given_back_leaves_nothing() {
    let app = Prefix::new("app");
    let keys = ["a", "b", "c"].map(|name| app.key(name).unwrap());
    each(|side, _, addr| {
        let lease = side.lease(&keys[0], MINUTE);
        ask!(side, b => b.abandon(&keys[0], &lease, soon())).unwrap();
        assert_eq!(ask_raw(addr, b"DBSIZE\r\n"), ":0\r\n");
        let mut leases: Vec<_> = keys.iter().map(|key| (*key, side.lease(key, MINUTE))).collect();
        leases[1].1 = Lease { token: None };
        assert!(side.store(&keys[2], b"7", FOR_A_MINUTE, &Condition::Always));
        ask!(side, b => b.abandon_many(&leases, soon())).unwrap();
        assert!(matches!(side.lookup(&keys[0], Ask::Value), Lookup::Absent));
        assert!(
            matches!(side.lookup(&keys[1], Ask::Value), Lookup::Busy(_)),
            "no token, nothing to give back"
        );
        assert_eq!(side.get(&keys[2]).as_deref(), Some(b"7".as_slice()), "the lease was broken");
    });
}

#[test]
fn many_are_looked_at_leased_and_filled_together() {
    let app = Prefix::new("app");
    let keys = ["hit", "busy", "free", "list", "lost"].map(|name| app.key(name).unwrap());
    each(|side, _, addr| {
        side.store(&keys[0], b"1", FOR_A_MINUTE, &Condition::Always);
        let other = side.lease(&keys[1], MINUTE);
        raw(addr, "RPUSH app:list x");
        let seen = ask!(side, b => b.lookup_many(&keys, Ask::Lease(MINUTE), soon())).unwrap();
        let [hit, busy, free, list, lost] = seen.try_into().unwrap();
        assert!(matches!(hit, Lookup::Hit(entry) if entry.bytes == b"1"));
        assert_eq!(busy, Lookup::Busy(other.token.unwrap()));
        assert_eq!(list, Lookup::Lease(Lease { token: None }), "it stays what it is");
        let leases = [(free, keys[2]), (list, keys[3]), (lost, keys[4])].map(|(seen, key)| match seen {
            Lookup::Lease(lease) => Fill { key, lease, bytes: b"new".to_vec(), lifetime: FOR_A_MINUTE },
            other => panic!("{other:?}"),
        });
        raw(addr, "DEL app:lost");
        raw(addr, "SCRIPT FLUSH");
        ask!(side, b => b.fill_many(&leases, soon())).unwrap();
        assert_eq!(side.get(&keys[2]).as_deref(), Some(b"new".as_slice()));
        assert_eq!(side.get(&keys[4]), None, "an invalidation wins here too");
        assert_eq!(ask_raw(addr, b"TYPE app:list\r\n"), "+list\r\n");
        let none = ask!(side, b => b.lookup_many(&[], Ask::Age, soon())).unwrap();
        assert!(none.is_empty());
    });
}

#[test]
fn who_reads_json_sees_null() {
    let app = Prefix::new("app");
    let key = app.key("k").unwrap();
    each(|side, _, addr| {
        let Some(Version::Bytes(token)) = side.lease(&key, MINUTE).token else { panic!("no token") };
        let held = ask_raw(addr, b"GET app:k\r\n");
        assert_eq!(held.strip_prefix("$132\r\n").unwrap().trim_end_matches("\r\n").as_bytes(), token);
        assert_eq!(String::from_utf8(token).unwrap().trim_end(), "null", "blanks are nothing in JSON");
    });
}

#[test]
fn a_server_without_room_for_a_lease_says_so() {
    let app = Prefix::new("app");
    let key = app.key("k").unwrap();
    each(|side, _, addr| {
        raw(addr, "CONFIG SET maxmemory 1");
        let single = ask!(side, b => b.lookup(&key, Ask::Lease(MINUTE), soon())).unwrap_err();
        let many = ask!(side, b => b.lookup_many(&[key], Ask::Lease(MINUTE), soon())).unwrap_err();
        assert_eq!((single.code(), many.code()), (Some("OOM"), Some("OOM")));
        assert_eq!(side.lookup(&key, Ask::Value), Lookup::Absent);
        raw(addr, "CONFIG SET maxmemory 0");
    });
}

#[test]
fn a_lease_whose_grant_comes_too_late_is_taken_back() {
    let server = RedisServer::start();
    let wire = Wire::before(server.addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    let app = Prefix::new("app");
    let key = app.key("k").unwrap();
    for side in &sides(&redis) {
        // The connection and the script are there by now, so that nothing but the reply is late.
        let known = side.lease(&key, MINUTE);
        ask!(side, b => b.abandon(&key, &known, soon())).unwrap();
        wire.delay_replies(Duration::from_millis(200));
        let in_a_hurry = || Deadline::after(Duration::from_millis(100));
        let late = ask!(side, b => b.lookup(&key, Ask::Lease(MINUTE), in_a_hurry()));
        assert!(late.unwrap_err().is_timeout());
        wire.delay_replies(Duration::ZERO);
        let is_free = || ask_raw(server.addr(), b"EXISTS app:k\r\n") == ":0\r\n";
        eventually("the key is free again", Duration::from_secs(5), is_free);
    }
}
