//! A connection that ends under the first call on it: a read is asked again, once, and a write is not.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::time::Duration;

use lexigram_cache::Ttl;
use support::{Remote, Wire, World, call};

const TIMEOUT: Duration = Duration::from_secs(2);

/// What a new connection brings before the first reply: Redis is told our name, and Memcached is greeted.
fn handshake(remote: &Remote) -> usize {
    match remote {
        Remote::Redis(_) => "+OK\r\n".len(),
        Remote::Memcached(_) => "MN\r\n".len(),
    }
}

/// Each world anew for each of the first bytes of a reply, at which its first connection is reset.
fn on_fresh_connections(run: impl Fn(&World, &World, &Wire) + Sync) {
    Remote::each(|remote| {
        let wire = Wire::prompt(remote.addr());
        for nth in 0..2 {
            for bytes in 0..4 {
                let direct = &remote.worlds(TIMEOUT)[nth];
                call!(direct, cache => cache.set("k", &7_i64, Ttl::NEVER)).unwrap();
                let fresh = &remote.worlds_at(wire.addr(), 2, TIMEOUT)[nth];
                wire.reset_after(handshake(remote) + bytes);
                run(fresh, direct, &wire);
                wire.reset_after(usize::MAX);
            }
        }
    });
}

#[test]
fn a_read_is_asked_again_once() {
    on_fresh_connections(|fresh, _, wire| {
        let before = wire.connections();
        let read = call!(fresh, cache => cache.get::<i64>("k"));
        assert_eq!(read.unwrap_or_else(|error| panic!("{error:?} in {fresh:?}")), Some(7));
        assert_eq!(wire.connections() - before, 2, "one more connection for one more try");
    });
}

#[test]
fn a_batch_is_asked_again_once() {
    on_fresh_connections(|fresh, _, wire| {
        let before = wire.connections();
        let read = call!(fresh, cache => cache.get_many::<i64>(["k", "absent"]));
        assert_eq!(
            read.unwrap_or_else(|error| panic!("{error:?} in {fresh:?}")),
            [("k".to_owned(), 7)].into()
        );
        assert_eq!(wire.connections() - before, 2);
    });
}

#[test]
fn a_write_is_not_sent_again() {
    on_fresh_connections(|fresh, direct, _| {
        let error = call!(fresh, cache => cache.set("k", &8_i64, Ttl::NEVER)).unwrap_err();
        assert!(error.is_ambiguous(), "{error:?}");
        let stored = call!(direct, cache => cache.get::<i64>("k")).unwrap();
        // What was written may be of a generation that is over: a miss.
        assert!(matches!(stored, None | Some(7 | 8)), "{stored:?}");
    });
}
