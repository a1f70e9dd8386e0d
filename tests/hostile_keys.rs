//! Keys of any bytes and any length: one command, one key, no collision.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::collections::HashMap;

use lexigram_cache::{Memcached, Memory, Redis, Ttl};
use support::{Wire, World, ask_raw, call, worlds};

fn keys() -> Vec<String> {
    let long = "x".repeat(300);
    let mut keys: Vec<String> =
        (0..=255).filter_map(char::from_u32).map(|byte| format!("a{byte}b")).collect();
    keys.extend([
        "k\r\nflush_all\r\n".into(),
        "k\r\nFLUSHALL\r\n".into(),
        "k 0 0 1\r\nv\r\nset other 0 0 1".into(),
        "*1\r\n$8\r\nFLUSHALL\r\n".into(),
        " ".into(),
        "\0".into(),
        ":".into(),
        "%3A".into(),
        "ключ".into(),
        "鍵🔑".into(),
        "e\u{301}".into(),
        "\u{e9}".into(),
        format!("{long}a"),
        format!("{long}b"),
        "x".repeat(250),
        "x".repeat(251),
        "x".repeat(100_000),
        // What a long key is called on Memcached must not be another's name.
        format!("{}~{}", &long[..150], "0".repeat(32)),
    ]);
    keys
}

fn round_trip(world: &World) {
    let keys = keys();
    let values: HashMap<_, _> = keys.iter().cloned().zip(0_u64..).collect();
    for (key, value) in &values {
        assert!(
            call!(world, cache => cache.add(key, value, Ttl::NEVER)).unwrap(),
            "{key:?} in {world:?} collides"
        );
    }
    for (key, value) in &values {
        assert_eq!(
            call!(world, cache => cache.get::<u64>(key)).unwrap(),
            Some(*value),
            "{key:?} in {world:?}"
        );
    }
    assert_eq!(call!(world, cache => cache.get_many::<u64>(&keys)).unwrap(), values);
    assert_eq!(call!(world, cache => cache.delete_many(&keys)).unwrap(), values.len() as u64);
}

#[test]
fn every_key_is_its_own_in_memory() {
    worlds!(Memory::default(), prefix("keys")).iter().for_each(round_trip);
}

#[test]
fn every_key_is_its_own_on_redis() {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    worlds!(redis, prefix("keys")).iter().for_each(round_trip);
}

#[test]
fn every_key_is_its_own_on_memcached() {
    for clearable in [false, true] {
        let memcached =
            Memcached::builder([support::memcached().url()]).clearable(clearable).build().unwrap();
        worlds!(memcached, prefix(if clearable { "clearable" } else { "keys" })).iter().for_each(round_trip);
    }
}

#[test]
fn no_key_is_a_second_command() {
    let wire = Wire::before(support::memcached().addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).build().unwrap();
    for world in worlds!(memcached, prefix("inject")) {
        call!(&world, cache => cache.set("kept", "v", Ttl::NEVER)).unwrap();
        for key in keys() {
            wire.take();
            call!(&world, cache => cache.delete(&key)).unwrap();
            let requests = String::from_utf8(wire.requests()).unwrap();
            assert_eq!(requests.lines().count(), 2, "a look and a removal: {requests:?}");
        }
        assert!(call!(&world, cache => cache.exists("kept")).unwrap());
    }
    assert!(ask_raw(wire.addr(), b"stats\r\n").contains("STAT cmd_flush 0\r\n"));
}

#[test]
fn the_same_name_under_two_prefixes_is_two_keys_everywhere() {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    let memcached = Memcached::builder([support::memcached().url()]).build().unwrap();
    let memory = Memory::default();
    let pairs = [("a:b", "c"), ("a", "b:c"), ("a%3Ab", "c"), ("a:", "b:c"), ("a", ":b:c")];
    for side in 0..2 {
        let on = |prefix: &str| {
            [
                worlds!(memory, prefix(prefix)),
                worlds!(redis, prefix(prefix)),
                worlds!(memcached, prefix(prefix)),
            ]
            .map(|worlds| worlds[side].clone())
        };
        for (number, (prefix, name)) in (0_u64..).zip(pairs) {
            for world in on(prefix) {
                assert!(
                    call!(&world, cache => cache.add(name, &number, Ttl::NEVER)).unwrap(),
                    "{world:?} {name}"
                );
            }
        }
        for (prefix, name) in pairs {
            on(prefix).iter().for_each(|world| assert!(call!(world, cache => cache.delete(name)).unwrap()));
        }
    }
}
