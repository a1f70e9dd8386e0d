//! Entries that another program wrote, or an older one of ours: a miss and a count, or an error where asked for.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "postcard"))]

mod support;

use lexigram_cache::{ErrorKind, Format, Memcached, Redis, Ttl};
use support::{MemcachedServer, RedisServer, World, ask_raw, call, worlds};

/// The same cache twice, lenient and strict, of each world, on each server, in each format.
fn each(check: impl Fn(&World, &World, &dyn Fn(&[u8]))) {
    // Servers of one's own, since every test writes the same key.
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    let in_redis = |bytes: &[u8]| {
        let head = format!("*3\r\n$3\r\nSET\r\n$9\r\nforeign:k\r\n${}\r\n", bytes.len());
        assert_eq!(ask_raw(redis.addr(), &[head.as_bytes(), bytes, b"\r\n"].concat()), "+OK\r\n");
    };
    let in_memcached = |bytes: &[u8]| {
        let head = format!("set foreign:k 7 0 {}\r\n", bytes.len());
        assert_eq!(ask_raw(memcached.addr(), &[head.as_bytes(), bytes, b"\r\n"].concat()), "STORED\r\n");
    };
    let (redis, memcached) = (
        Redis::builder(redis.url()).build().unwrap(),
        Memcached::builder([memcached.url()]).build().unwrap(),
    );
    for format in [Format::Json, Format::Postcard] {
        for side in 0..2 {
            let lenient = worlds!(redis, prefix("foreign"), format(format.clone()));
            let strict = worlds!(redis, prefix("foreign"), format(format.clone()), strict_decode(true));
            check(&lenient[side], &strict[side], &in_redis);
            let lenient = worlds!(memcached, prefix("foreign"), format(format.clone()));
            let strict = worlds!(memcached, prefix("foreign"), format(format.clone()), strict_decode(true));
            check(&lenient[side], &strict[side], &in_memcached);
        }
    }
}

const GARBAGE: &[&[u8]] =
    &[b"", b"{\"half\": ", b"\xff\xfe\x00", b"[1,2] and more", b"<html>", b"\x00\x00\x00\x00\x00", b"null,"];

#[test]
fn bytes_that_are_no_value_are_a_miss_that_is_counted_and_kept() {
    each(|lenient, _, write| {
        for (garbage, seen) in GARBAGE.iter().zip(0..) {
            write(garbage);
            assert_eq!(call!(lenient, cache => cache.get::<Vec<u8>>("k")).unwrap(), None, "{garbage:?}");
            assert!(call!(lenient, cache => cache.get_many::<Vec<u8>>(["k"])).unwrap().is_empty());
            assert_eq!(lenient.stats().decode_rejected, 2 * (seen + 1));
            assert_eq!((lenient.stats().hits, lenient.stats().errors), (0, 0));
            assert!(call!(lenient, cache => cache.exists("k")).unwrap(), "it is not ours to remove");
        }
    });
}

#[test]
fn the_next_load_overwrites_bytes_that_are_no_value() {
    each(|lenient, _, write| {
        for garbage in GARBAGE {
            write(garbage);
            assert_eq!(lenient.compute("k", vec![7_u8]).unwrap(), [7]);
            assert_eq!(
                call!(lenient, cache => cache.get::<Vec<u8>>("k")).unwrap(),
                Some(vec![7]),
                "{garbage:?}"
            );
        }
    });
}

#[test]
fn the_next_batch_overwrites_bytes_that_are_no_value() {
    each(|lenient, _, write| {
        write(GARBAGE[1]);
        let load = |missing: &[String]| {
            assert_eq!(missing, ["k"]);
            Ok::<_, std::io::Error>([("k".to_owned(), vec![7_u8])].into())
        };
        assert_eq!(lenient.load_many(["k".to_owned()], load).unwrap()["k"], [7]);
        assert_eq!(call!(lenient, cache => cache.get::<Vec<u8>>("k")).unwrap(), Some(vec![7]));
    });
}

#[test]
fn a_strict_cache_says_that_the_bytes_are_no_value() {
    each(|_, strict, write| {
        for garbage in GARBAGE {
            write(garbage);
            let errors = [
                ("get", call!(strict, cache => cache.get::<Vec<u8>>("k")).unwrap_err()),
                ("get_many", call!(strict, cache => cache.get_many::<Vec<u8>>(["k"])).unwrap_err()),
                ("get_or_compute", strict.compute("k", vec![7_u8]).unwrap_err()),
            ];
            for (operation, error) in errors {
                assert_eq!(
                    (error.kind(), error.operation()),
                    (ErrorKind::Decode, Some(operation)),
                    "{garbage:?}"
                );
                assert!(!error.to_string().contains("half"), "no stored bytes in an error: {error}");
                assert!(error.backend().is_some() && !error.is_retryable());
            }
        }
    });
}

#[test]
fn a_counter_over_bytes_that_are_no_number_says_so_and_leaves_them() {
    each(|lenient, _, write| {
        write(b"seven");
        let error = call!(lenient, cache => cache.incr("k", 1, Ttl::NEVER)).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some("incr")), "{error}");
        let error = call!(lenient, cache => cache.decr("k", 1, Ttl::NEVER)).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some("decr")), "{error}");
        write(b"41");
        assert_eq!(call!(lenient, cache => cache.incr("k", 1, Ttl::NEVER)).unwrap(), 42);
        assert_eq!(call!(lenient, cache => cache.get::<i64>("k")).unwrap(), Some(42));
    });
}

#[test]
fn a_redis_list_under_the_key_is_no_value_and_makes_way_for_one() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    let push = b"*3\r\n$5\r\nRPUSH\r\n$9\r\nforeign:k\r\n$1\r\nx\r\n";
    for lenient in &worlds!(redis, prefix("foreign")) {
        assert_eq!(ask_raw(server.addr(), push), ":1\r\n");
        assert_eq!(call!(lenient, cache => cache.get::<String>("k")).unwrap(), None);
        assert_eq!((lenient.stats().decode_rejected, lenient.stats().errors), (1, 0));
        assert_eq!(lenient.compute("k", vec![7_u8]).unwrap(), [7]);
        assert_eq!(call!(lenient, cache => cache.get::<Vec<u8>>("k")).unwrap(), Some(vec![7]));
        assert!(call!(lenient, cache => cache.delete("k")).unwrap());
    }
    for strict in &worlds!(redis, prefix("foreign"), strict_decode(true)) {
        ask_raw(server.addr(), push);
        let error = call!(strict, cache => cache.get::<String>("k")).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Decode, Some("WRONGTYPE")));
    }
}
