//! Values at the limit of what Memcached takes: refused before a byte is sent, or stored.
#![cfg(all(feature = "memcached", feature = "async"))]

mod support;

use lexigram_cache::{ErrorKind, Memcached, Ttl};
use support::{MemcachedServer, Wire, World, call, worlds};

const MIB: usize = 1024 * 1024;

#[test]
fn a_value_over_a_megabyte_is_refused_before_a_byte_is_sent() {
    let wire = Wire::before(support::memcached().addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).build().unwrap();
    for world in worlds!(memcached, prefix("large")) {
        call!(&world, cache => cache.set("k", "old", Ttl::NEVER)).unwrap();
        wire.take();
        let large = "x".repeat(MIB + 1);
        let pair = [("small", "v".to_owned()), ("k", large.clone())];
        for refused in [
            call!(&world, cache => cache.set("k", large.as_str(), Ttl::NEVER)),
            call!(&world, cache => cache.add("new", large.as_str(), Ttl::NEVER)).map(drop),
            call!(&world, cache => cache.replace("k", large.as_str(), Ttl::NEVER)).map(drop),
            call!(&world, cache => cache.set_many(pair, Ttl::NEVER)),
        ] {
            let error = refused.unwrap_err();
            assert_eq!((error.kind(), error.backend()), (ErrorKind::TooLarge, Some("memcached")));
            assert!(error.to_string().contains("1048579 bytes"), "{error}");
            assert!(error.to_string().contains("raise max_value_size"), "{error}");
        }
        assert_eq!(wire.requests(), b"");
        assert_eq!(call!(&world, cache => cache.get::<String>("k")).unwrap().as_deref(), Some("old"));
        assert!(
            !call!(&world, cache => cache.exists("small")).unwrap(),
            "nothing of a refused batch is stored"
        );
    }
}

/// The longest text that is let through under this key, as the refusal of a longer one says.
fn longest(world: &World, key: &str) -> usize {
    let too_long = "x".repeat(MIB);
    let refused =
        call!(world, cache => cache.set(key, too_long.as_str(), Ttl::NEVER)).unwrap_err().to_string();
    let limit = refused.split("takes ").nth(1).and_then(|rest| rest.split(';').next());
    limit.and_then(|limit| limit.parse::<usize>().ok()).expect(&refused) - r#""""#.len()
}

#[test]
fn the_largest_value_that_is_let_through_is_stored() {
    let server = MemcachedServer::start_with(&["-m", "128"]);
    for clearable in [false, true] {
        let servers = [server.addr().to_string()];
        let memcached = Memcached::builder(servers).clearable(clearable).build().unwrap();
        for world in worlds!(memcached) {
            for key in ["k".to_owned(), "k".repeat(250), "k".repeat(1_000), "blank key".to_owned()] {
                let largest = "x".repeat(longest(&world, &key));
                assert!(largest.len() > MIB - 1_024, "{} bytes", largest.len());
                call!(&world, cache => cache.set(&key, largest.as_str(), Ttl::NEVER)).unwrap();
                let stored = call!(&world, cache => cache.get::<String>(&key)).unwrap();
                assert!(
                    stored.is_some_and(|stored| stored == largest),
                    "{} bytes under {key}",
                    largest.len()
                );
                let one_more = largest + "x";
                let refused = call!(&world, cache => cache.set(&key, one_more.as_str(), Ttl::NEVER));
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
            }
        }
    }
}

#[test]
fn a_server_that_takes_less_than_it_was_said_to_is_named_as_the_cause() {
    let server = MemcachedServer::start_with(&["-I", "512k"]);
    let memcached = Memcached::builder([server.addr().to_string()]).build().unwrap();
    for world in worlds!(memcached) {
        call!(&world, cache => cache.set("k", "old", Ttl::NEVER)).unwrap();
        let large = "x".repeat(MIB / 4 * 3);
        let error = call!(&world, cache => cache.set("k", large.as_str(), Ttl::NEVER)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("-I"), "{error}");
        assert!(error.to_string().contains("dropped the old one"), "{error}");
        assert!(
            !call!(&world, cache => cache.exists("k")).unwrap(),
            "memcached drops what it cannot replace"
        );
        // The refused data block must not be read as commands.
        call!(&world, cache => cache.set("k", "small", Ttl::NEVER)).unwrap();
        assert_eq!(call!(&world, cache => cache.get::<String>("k")).unwrap().as_deref(), Some("small"));
    }
}
