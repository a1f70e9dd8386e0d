//! A reply that ends early, at every byte of it: the right value or an error, never a part of a value.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::collections::HashMap;
use std::time::Duration;

use lexigram_cache::{Error, Result, Ttl};
use support::{Remote, Wire, World, call};

const TIMEOUT: Duration = Duration::from_secs(2);

fn key(n: u64) -> String {
    format!("key {n}")
}

fn value(n: u64) -> String {
    format!("the value {n}")
}

/// Runs a call that is reset at each byte of its replies, on a connection that was used before. What is there before
/// is prepared from elsewhere.
fn at_every_byte(prepare: impl Fn(&World) + Sync, run: impl Fn(&World) + Sync) {
    Remote::each(|remote| {
        let wire = Wire::prompt(remote.addr());
        for (world, direct) in remote.worlds_at(wire.addr(), 2, TIMEOUT).iter().zip(remote.worlds(TIMEOUT)) {
            let length = || {
                prepare(&direct);
                wire.take();
                run(world);
                wire.take().iter().map(|exchange| exchange.reply.len()).sum::<usize>()
            };
            // The first time dials, and makes scripts known.
            let length = length().min(length());
            assert!(length > 2, "{length} bytes");
            for bytes in 0..length {
                prepare(&direct);
                wire.reset_after(bytes);
                run(world);
            }
            wire.reset_after(usize::MAX);
        }
    });
}

fn is_honest(error: &Error) {
    assert!(error.is_retryable() || error.is_ambiguous(), "{error:?}");
    assert!(!error.is_timeout(), "a broken connection is known at once: {error:?}");
}

#[test]
fn a_read_gives_the_whole_value() {
    let prepare = |world: &World| call!(world, cache => cache.set(key(1), &value(1), Ttl::NEVER)).unwrap();
    at_every_byte(prepare, |world| {
        let read = call!(world, cache => cache.get::<String>(key(1)));
        assert_eq!(read.unwrap(), Some(value(1)), "a broken read is asked again");
    });
}

#[test]
fn a_batch_gives_every_whole_value() {
    let all = || (0..3).map(|n| (key(n), value(n)));
    let prepare = |world: &World| call!(world, cache => cache.set_many(all(), Ttl::NEVER)).unwrap();
    at_every_byte(prepare, |world| {
        let read = call!(world, cache => cache.get_many::<String>((0..3).map(key)));
        assert_eq!(read.unwrap(), all().collect::<HashMap<_, _>>());
    });
}

#[test]
fn a_write_is_made_once_or_never_and_says_when_that_is_unknown() {
    let prepare = |world: &World| call!(world, cache => cache.set(key(1), &7_i64, Ttl::NEVER)).unwrap();
    at_every_byte(prepare, |world| {
        let counted = call!(world, cache => cache.incr(key(1), 1, Ttl::NEVER));
        let stored = call!(world, cache => cache.get::<i64>(key(1))).unwrap();
        match counted {
            Ok(sum) => assert_eq!((sum, stored), (8, Some(8))),
            Err(error) => {
                is_honest(&error);
                assert!(matches!(stored, Some(7 | 8)), "{stored:?}");
                assert!(!error.is_retryable() || stored == Some(7), "{error:?} and yet {stored:?}");
            }
        }
    });
}

#[test]
fn a_value_is_taken_whole_or_not_at_all() {
    let prepare = |world: &World| call!(world, cache => cache.set(key(1), &value(1), Ttl::NEVER)).unwrap();
    at_every_byte(prepare, |world| {
        let taken: Result<_> = call!(world, cache => cache.take::<String>(key(1)));
        let left = call!(world, cache => cache.get::<String>(key(1))).unwrap();
        match taken {
            Ok(taken) => assert_eq!((taken, left), (Some(value(1)), None)),
            Err(error) => {
                is_honest(&error);
                assert!(left.as_ref().is_none_or(|left| *left == value(1)), "{left:?}");
                assert!(!error.is_retryable() || left.is_some(), "{error:?} and yet it is gone");
            }
        }
    });
}

#[test]
fn a_load_gives_its_value_whatever_breaks() {
    let prepare = |world: &World| assert!(call!(world, cache => cache.delete(key(1))).is_ok());
    at_every_byte(prepare, |world| {
        assert_eq!(world.compute(&key(1), value(1)).unwrap(), value(1));
        let stored = call!(world, cache => cache.get::<String>(key(1))).unwrap();
        assert!(stored.as_ref().is_none_or(|stored| *stored == value(1)), "{stored:?}");
    });
}
