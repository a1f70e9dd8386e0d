//! Which write a value on Redis came from, and values that are kept past their time.
#![cfg(all(feature = "redis", feature = "async", feature = "testing"))]

mod support;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use lexigram_cache::{Ask, Condition, Key, Lifetime, Lookup, Pattern, Prefix, Redis, Remaining};
use support::{RedisServer, Side, ask, ask_raw, sides, soon};

const MINUTE: Duration = Duration::from_secs(60);
const FOR_A_MINUTE: Lifetime = Lifetime::For(MINUTE);

/// A server of one's own with both worlds' backends.
fn each(test: impl Fn(&Side, SocketAddr)) {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    sides(&redis).iter().for_each(|side| test(side, server.addr()));
}

fn is_over(left: Option<Remaining>, than: Duration) -> bool {
    matches!(left, Some(Remaining::For(left)) if left > than)
}

/// The version that a look at the age shows.
fn seen(side: &Side, key: &Key<'_>) -> Condition {
    match side.lookup(key, Ask::Age) {
        Lookup::Hit(entry) => Condition::Unchanged(entry.into_version()),
        other => panic!("no value, but {other:?}"),
    }
}

#[test]
fn a_version_belongs_to_one_write_even_of_the_same_bytes() {
    let app = Prefix::new("app");
    let key = app.key("k").unwrap();
    each(|side, _| {
        for bytes in [b"same".as_slice(), b"\xff17\nsame", b""] {
            let set = || assert!(side.store(&key, bytes, FOR_A_MINUTE, &Condition::Always));
            let swapped = |version| side.store(&key, b"new", FOR_A_MINUTE, version);
            set();
            let version = seen(side, &key);
            assert!(swapped(&version) && !swapped(&version));
            set();
            let version = seen(side, &key);
            thread::sleep(Duration::from_millis(5));
            side.remove(&key);
            set();
            assert!(!swapped(&version), "deleted and set again");
            let version = seen(side, &key);
            thread::sleep(Duration::from_millis(5));
            assert!(ask!(side, b => b.touch(&key, FOR_A_MINUTE, soon())).unwrap());
            assert!(!swapped(&version), "touched");
            assert_eq!(side.get(&key).as_deref(), Some(bytes));
        }
    });
}

#[test]
fn a_value_past_its_time_is_there_for_who_asks_its_age_and_for_nobody_else() {
    let app = Prefix::new("app").keeping(MINUTE);
    let key = app.key("k").unwrap();
    // What a cache hands down for ten milliseconds: that much longer.
    let lifetime = Lifetime::For(MINUTE + Duration::from_millis(10));
    each(|side, addr| {
        let stale = || {
            assert!(side.store(&key, b"1", lifetime, &Condition::Always));
            thread::sleep(Duration::from_millis(20));
        };
        stale();
        assert!(side.get(&key).is_none() && matches!(side.lookup(&key, Ask::Value), Lookup::Absent));
        assert_eq!(ask!(side, b => b.get_many(&[key], soon())).unwrap(), [None]);
        assert!(!ask!(side, b => b.exists(&key, soon())).unwrap());
        assert_eq!(ask!(side, b => b.remaining(&key, soon())).unwrap(), None);
        assert!(!ask!(side, b => b.touch(&key, lifetime, soon())).unwrap());
        assert!(!side.store(&key, b"2", lifetime, &Condition::Present));
        for look in [Ask::Age, Ask::Lease(MINUTE)] {
            let Lookup::Hit(entry) = side.lookup(&key, look) else { panic!("it is not kept") };
            assert!(is_over(entry.remaining, MINUTE / 2) && !is_over(entry.remaining, MINUTE), "{entry:?}");
            let many = ask!(side, b => b.lookup_many(&[key], look, soon())).unwrap();
            assert!(matches!(&many[..], [Lookup::Hit(one)] if one.bytes == b"1"));
        }
        let same = seen(side, &key);
        assert!(side.store(&key, b"3", Lifetime::For(2 * MINUTE), &same), "a load may replace it");
        let left = ask!(side, b => b.remaining(&key, soon())).unwrap();
        assert!(is_over(left, MINUTE / 2) && !is_over(left, MINUTE), "{left:?}");
        stale();
        assert!(side.store(&key, b"2", lifetime, &Condition::Absent));
        stale();
        assert_eq!(ask!(side, b => b.add(&key, 5, Lifetime::For(2 * MINUTE), soon())).unwrap(), 5);
        assert_eq!(ask!(side, b => b.add(&key, 5, lifetime, soon())).unwrap(), 10);
        stale();
        assert_eq!(ask!(side, b => b.take(&key, soon())).unwrap(), None);
        let gone = || assert_eq!(ask_raw(addr, b"EXISTS app:k\r\n"), ":0\r\n");
        gone();
        stale();
        assert!(!side.remove(&key));
        gone();
        stale();
        assert_eq!(ask!(side, b => b.remove_many(&[key], soon())).unwrap(), 0);
        stale();
        assert_eq!(ask!(side, b => b.remove_matching(&app, &Pattern::all(), soon())).unwrap(), 0);
        gone();
        side.store(&key, b"1", Lifetime::Never, &Condition::Always);
        assert_eq!(ask!(side, b => b.remaining(&key, soon())).unwrap(), Some(Remaining::Never));
        assert_eq!(ask!(side, b => b.take(&key, soon())).unwrap().unwrap().bytes, b"1");
    });
}

#[test]
fn a_server_before_redis_7_tells_writes_apart_by_their_bytes() {
    let server = RedisServer::start_with(&["--rename-command", "PEXPIRETIME", ""]);
    let redis = Redis::builder(server.url()).build().unwrap();
    let app = Prefix::new("app").keeping(MINUTE);
    let key = app.key("k").unwrap();
    for side in &sides(&redis) {
        let lease = side.lease(&key, MINUTE);
        assert!(side.fill(&key, &lease, b"1", FOR_A_MINUTE));
        for look in [Ask::Age, Ask::Lease(MINUTE)] {
            let Lookup::Hit(entry) = side.lookup(&key, look) else { panic!("it is not there") };
            assert!(is_over(entry.remaining, MINUTE / 2) && entry.version.is_none(), "{entry:?}");
        }
        let same = seen(side, &key);
        assert!(side.store(&key, b"2", FOR_A_MINUTE, &same));
        assert!(!side.store(&key, b"3", FOR_A_MINUTE, &same));
        side.remove(&key);
    }
}
