//! A connection that ends under the first call on it: a write is not sent again.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::time::Duration;

use lexigram_cache::Ttl;
use support::{Remote, Wire, World, call};

const TIMEOUT: Duration = Duration::from_secs(2);

/// What a new connection brings before the first reply: Redis is told our name.
fn handshake(remote: &Remote) -> usize {
    match remote {
        Remote::Redis(_) => "+OK\r\n".len(),
        Remote::Memcached(_) => 0,
    }
}

/// Each world anew for each of the first bytes of a reply, at which its first connection is reset.
fn on_fresh_connections(run: impl Fn(&World, &World) + Sync) {
    Remote::each(|remote| {
        let wire = Wire::prompt(remote.addr());
        for nth in 0..2 {
            for bytes in 0..4 {
                let direct = &remote.worlds(TIMEOUT)[nth];
                call!(direct, cache => cache.set("k", &7_i64, Ttl::NEVER)).unwrap();
                let fresh = &remote.worlds_at(wire.addr(), 2, TIMEOUT)[nth];
                wire.reset_after(handshake(remote) + bytes);
                run(fresh, direct);
                wire.reset_after(usize::MAX);
            }
        }
    });
}

#[test]
fn a_write_is_not_sent_again() {
    on_fresh_connections(|fresh, direct| {
        let error = call!(fresh, cache => cache.set("k", &8_i64, Ttl::NEVER)).unwrap_err();
        assert!(error.is_ambiguous(), "{error:?}");
        let stored = call!(direct, cache => cache.get::<i64>("k")).unwrap();
        // What was written may be of a generation that is over: a miss.
        assert!(matches!(stored, None | Some(7 | 8)), "{stored:?}");
    });
}
