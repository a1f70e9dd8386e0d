//! What is refused, and by which kind of error.

use std::time::Duration;

use lexigram_cache::{BackendHandle, ErrorKind, Lifetime, LockStore, Memcached, Memory, Redis, Strength};

use super::LONG;
use super::shelf::Shelf;
use super::side::everywhere;
use super::support;

fn redis() -> Redis {
    Redis::builder(support::redis().url()).build().unwrap()
}

fn memcached() -> Memcached {
    Memcached::builder([support::memcached().url()]).build().unwrap()
}

#[test]
fn names_and_times_that_cannot_be_kept() {
    everywhere("refused", |locks| {
        let guard = locks.take("k", LONG);
        for ttl in
            [Duration::ZERO, Duration::from_millis(9), Lifetime::MAX + Duration::from_nanos(1), Duration::MAX]
        {
            let kinds = [
                locks.attempt("other", ttl).unwrap_err().kind(),
                locks.acquire("other", ttl, LONG).unwrap_err().kind(),
                locks.resume("other", "token", ttl).unwrap_err().kind(),
                locks.once_per("other", ttl).unwrap_err().kind(),
                guard.extend(ttl).unwrap_err().kind(),
            ];
            assert_eq!(kinds, [ErrorKind::InvalidTtl; 5], "{ttl:?}");
        }
        let kinds = [
            locks.attempt("", LONG).unwrap_err().kind(),
            locks.acquire("", LONG, LONG).unwrap_err().kind(),
            locks.resume("", "token", LONG).unwrap_err().kind(),
            locks.once_per("", LONG).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::InvalidKey; 4]);
        assert!(guard.is_valid(), "a refused extension changes nothing");
        assert!(locks.attempt("brief", Duration::from_millis(10)).unwrap().is_some());
    });
}

#[test]
fn an_error_says_where_it_happened_and_what_to_do() {
    let error = LockStore::new(&Memory::default()).unwrap().try_acquire("k", Duration::ZERO).unwrap_err();
    let text = "memory try_acquire: a lock of less than 10 ms would be over before it could be renewed; give for instance 30 s";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_strength_that_cannot_be_kept() {
    let strength = |locks: LockStore| locks.strength();
    assert_eq!(strength(LockStore::new(&Memory::default()).unwrap()), Strength::Process);
    assert_eq!(strength(LockStore::new(&redis()).unwrap()), Strength::SingleServer);
    assert_eq!(strength(LockStore::new(&memcached()).unwrap()), Strength::SingleServer);
    let custom = || BackendHandle::from(Shelf::default());
    assert_eq!(strength(LockStore::new(custom()).unwrap()), Strength::SingleServer);
    let replicated = LockStore::builder(&redis()).strength(Strength::Replicated(2)).build();
    assert_eq!(strength(replicated.unwrap()), Strength::Replicated(2));
    let refused = [
        LockStore::builder(&Memory::default()).strength(Strength::SingleServer).build(),
        LockStore::builder(&Memory::default()).strength(Strength::Replicated(1)).build(),
        LockStore::builder(&redis()).strength(Strength::Process).build(),
        LockStore::builder(&memcached()).strength(Strength::Replicated(1)).build(),
        LockStore::builder(custom()).strength(Strength::Replicated(1)).build(),
    ];
    for error in refused {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Misconfigured);
    }
    let nobody = LockStore::builder(&redis()).strength(Strength::Replicated(0)).build();
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn permits_and_timeouts_that_make_no_sense() {
    let locks = LockStore::new(&Memory::default()).unwrap();
    for permits in [0, 1_025] {
        assert_eq!(locks.semaphore("k", permits).unwrap_err().kind(), ErrorKind::Config);
    }
    assert_eq!(locks.semaphore("", 1).unwrap_err().kind(), ErrorKind::InvalidKey);
    let hasty = LockStore::builder(&Memory::default()).timeout(Duration::ZERO).build();
    assert_eq!(hasty.unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn what_is_shown_of_a_guard_does_not_open_its_lock() {
    let locks = LockStore::new(&Memory::default()).unwrap();
    let guard = locks.try_acquire("k", LONG).unwrap().unwrap();
    let shown = format!("{guard:?} {locks:?}");
    assert!(shown.contains("\"k\"") && !shown.contains(guard.token()), "{shown}");
}
