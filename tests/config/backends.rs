//! The keys that every backend has.

use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Remaining, Ttl};

use super::both::{get, memory, redis_at, sent, set, tasks, threads, worlds};
use super::support::{Wire, call, closed_port, eventually, in_time, redis};

const TWO: &str = "backends: [{name: a, type: memory}, {name: b, type: memory, default: true}]";

#[test]
pub fn name() {
    let other = memory("").replace("name: a", "name: other");
    assert!(threads(&other).get("other").is_ok() && tasks(&other).get("other").is_ok());
    assert!(threads(&memory("")).get("other").is_err());
}

#[test]
pub fn kind() {
    let wire = Wire::before(redis().addr());
    for world in worlds(&redis_at(wire.addr(), "")) {
        set(&world, "kind", "v");
        assert!(sent(&wire).contains("kind"));
    }
    for world in worlds(&memory("")) {
        set(&world, "kind", "v");
        assert_eq!(sent(&wire), "");
    }
}

#[test]
pub fn default() {
    let caches = threads(TWO);
    caches.default().set("k", &1, Ttl::NEVER).unwrap();
    assert_eq!(caches.get("b").unwrap().get::<i32>("k").unwrap(), Some(1));
    assert_eq!(caches.get("a").unwrap().get::<i32>("k").unwrap(), None);
}

#[test]
pub fn enabled() {
    let yaml = TWO.replace("type: memory}", "type: memory, enabled: false}");
    let errors = [threads(&yaml).get("a").unwrap_err(), tasks(&yaml).get("a").unwrap_err()];
    for error in errors {
        assert!(error.to_string().contains("`enabled: false`"), "{error}");
    }
    assert_eq!(threads(&yaml).names().collect::<Vec<_>>(), ["b"]);
    assert!(threads(TWO).get("a").is_ok());
}

#[test]
pub fn default_ttl() {
    for world in worlds(&memory(", default_ttl: 5m")) {
        set(&world, "k", "v");
        let left = call!(&world, cache => cache.ttl("k")).unwrap();
        assert!(matches!(left, Some(Remaining::For(left)) if left <= Duration::from_secs(300)), "{left:?}");
    }
    for world in worlds(&memory("")) {
        set(&world, "k", "v");
        assert_eq!(call!(&world, cache => cache.ttl("k")).unwrap(), Some(Remaining::Never));
    }
}

#[test]
pub fn key_prefix() {
    let wire = Wire::before(redis().addr());
    for (keys, key) in [("", "\r\nprefixed\r\n"), (", key_prefix: app", "\r\napp:prefixed\r\n")] {
        for world in worlds(&redis_at(wire.addr(), keys)) {
            set(&world, "prefixed", "v");
            assert!(sent(&wire).contains(key));
        }
    }
}

#[test]
pub fn serializer() {
    let wire = Wire::before(redis().addr());
    for (keys, is_json) in [("", true), (", serializer: postcard", false)] {
        for world in worlds(&redis_at(wire.addr(), keys)) {
            call!(&world, cache => cache.set("serializer", &vec!["text".to_owned()], Ttl::NEVER)).unwrap();
            assert_eq!(sent(&wire).contains("[\"text\"]"), is_json);
        }
    }
}

#[test]
pub fn timeout() {
    const A_SECOND: Duration = Duration::from_secs(1);
    let wire = Wire::before(redis().addr());
    for world in worlds(&redis_at(wire.addr(), ", timeout: 100ms")) {
        eventually("it answers in time", 20 * A_SECOND, || get(&world, "k").is_ok());
        wire.delay_replies(5 * A_SECOND);
        // A second is the default, and this is not it.
        in_time("a call of 100 ms", A_SECOND * 9 / 10, || {
            let start = Instant::now();
            assert_eq!(get(&world, "k").unwrap_err().kind(), ErrorKind::Timeout);
            start.elapsed()
        });
        wire.delay_replies(Duration::ZERO);
    }
}

#[test]
pub fn degrade() {
    let away = || ([127, 0, 0, 1], closed_port()).into();
    for world in worlds(&redis_at(away(), ", degrade: true")) {
        set(&world, "k", "v");
        assert_eq!((get(&world, "k").unwrap(), world.stats().absorbed), (None, 2));
    }
    for world in worlds(&redis_at(away(), "")) {
        assert_eq!(get(&world, "k").unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
