//! What locks send, and what becomes of them where replies do not come.

use lexigram_cache::{Memcached, Redis, Released};

use super::side::{Guard, Locks, both};
use super::support::{self, Wire, eventually};
use super::{LONG, SOON};

/// A call on a lock that nobody holds or somebody does, and how many round trips it takes on Redis and on Memcached.
struct Verb(&'static str, usize, usize, fn(&Wire, &Locks) -> usize);

/// Each prepares by itself, and tells what it took beyond that.
const VERBS: &[Verb] = &[
    Verb("try_acquire", 1, 4, |wire, locks| {
        let (guard, trips) = counted(wire, || locks.take("k", LONG));
        released(guard, trips)
    }),
    Verb("try_acquire of what is held", 1, 1, |wire, locks| {
        let guard = locks.take("k", LONG);
        let (other, trips) = counted(wire, || locks.attempt("k", LONG).unwrap());
        assert!(other.is_none());
        released(guard, trips)
    }),
    Verb("extend", 1, 2, |wire, locks| {
        let guard = locks.take("k", LONG);
        let ((), trips) = counted(wire, || guard.extend(LONG).unwrap());
        released(guard, trips)
    }),
    Verb("resume", 1, 2, |wire, locks| {
        let token = locks.take("k", LONG).into_token();
        let (guard, trips) = counted(wire, || locks.resume("k", &token, LONG).unwrap());
        released(guard, trips)
    }),
    Verb("release", 1, 2, |wire, locks| {
        let guard = locks.take("k", LONG);
        counted(wire, || released(guard, 0)).1
    }),
    Verb("is_locked", 1, 1, |wire, locks| {
        let (is_free, trips) = counted(wire, || locks.is_free("k"));
        assert!(is_free);
        trips
    }),
];

fn counted<R>(wire: &Wire, call: impl FnOnce() -> R) -> (R, usize) {
    wire.take();
    let answer = call();
    (answer, wire.round_trips())
}

fn released(guard: Guard, trips: usize) -> usize {
    assert_eq!(guard.release().unwrap(), Released::Released);
    trips
}

/// Every verb twice: the first round dials and makes scripts known, the second is counted.
fn count(wire: &Wire, stores: &[Locks], expected: impl Fn(&Verb) -> usize) {
    for locks in stores {
        VERBS.iter().for_each(|verb| assert!((verb.3)(wire, locks) > 0));
        for verb in VERBS {
            assert_eq!((verb.3)(wire, locks), expected(verb), "{} in {locks:?}: {:?}", verb.0, wire.take());
        }
    }
}

#[test]
fn a_lock_takes_the_round_trips_that_its_documentation_says_on_redis() {
    let wire = Wire::before(support::redis().addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).build().unwrap();
    count(&wire, &both!(redis, namespace("trips")), |verb| verb.1);
}

#[test]
fn a_lock_takes_the_round_trips_that_its_documentation_says_on_memcached() {
    let wire = Wire::before(support::memcached().addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).build().unwrap();
    count(&wire, &both!(memcached, namespace("trips")), |verb| verb.2);
}

/// The connection ends at each byte of the replies: a lock is had, or there is an error and the lock is free.
fn cut_at_each_byte(wire: &Wire, stores: &[Locks], direct: &Locks) {
    for locks in stores {
        drop(locks.take("k", LONG));
        eventually("it is given back", SOON, || direct.is_free("k"));
        wire.take();
        assert_eq!(locks.take("k", LONG).release().unwrap(), Released::Released);
        let length: usize = wire.take().iter().map(|exchange| exchange.reply.len()).sum();
        let (mut had, mut failed) = (0, 0);
        for bytes in 0..length {
            wire.reset_after(bytes);
            match locks.attempt("k", LONG) {
                Ok(guard) => {
                    let guard = guard.expect("nobody else wants it");
                    assert!(guard.is_valid() && !direct.is_free("k"));
                    had += 1;
                    wire.reset_after(usize::MAX);
                    drop(guard.release());
                }
                Err(error) => {
                    assert!(error.is_retryable() || error.is_ambiguous(), "{error}");
                    failed += 1;
                    wire.reset_after(usize::MAX);
                }
            }
            eventually("the lock is free", SOON, || direct.is_free("k"));
        }
        println!("{length} cuts: {had} locks had, {failed} calls failed");
    }
}

#[test]
fn a_cut_reply_leaves_no_lock_behind_on_redis() {
    let wire = Wire::prompt(support::redis().addr());
    let redis = |at: String| Redis::builder(format!("redis://{at}/0")).breaker(None).build().unwrap();
    let [direct, _] = both!(redis(support::redis().addr().to_string()), namespace("cut"));
    cut_at_each_byte(&wire, &both!(redis(wire.addr().to_string()), namespace("cut")), &direct);
}

#[test]
fn a_cut_reply_leaves_no_lock_behind_on_memcached() {
    let wire = Wire::prompt(support::memcached().addr());
    let memcached = |at: String| Memcached::builder([at]).breaker(None).build().unwrap();
    let [direct, _] = both!(memcached(support::memcached().addr().to_string()), namespace("cut"));
    cut_at_each_byte(&wire, &both!(memcached(wire.addr().to_string()), namespace("cut")), &direct);
}
