//! Locks.

use super::super::LockGuard;
use super::{CROWD, Subject, done, equal, holds, maybe_async, refused, rt};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::ErrorKind;
use crate::lock::Released;

const LONG: Duration = Duration::from_secs(60);

/// The lock, which nobody holds.
fn taken(answer: crate::Result<Option<LockGuard>>) -> LockGuard {
    match done(answer) {
        Some(guard) => guard,
        None => panic!("nobody holds the lock, and it was not given"),
    }
}

/// A lock is held by one until it is released.
#[maybe_async]
pub async fn a_lock_has_one_holder(subject: &Subject) {
    let locks = subject.locks();
    let guard = taken(locks.try_acquire("k", LONG).await);
    equal((guard.name(), guard.token().len()), ("k", 32));
    holds(guard.is_valid() && guard.remaining() > LONG / 2 && guard.remaining() <= LONG);
    holds(done(locks.try_acquire("k", LONG).await).is_none());
    equal(done(guard.release().await), Released::Released);
    let again = taken(locks.try_acquire("k", LONG).await);
    equal(done(again.release().await), Released::Released);
}

/// Of many callers that ask at once, one gets the lock.
#[maybe_async]
pub async fn of_many_callers_one_gets_a_lock(subject: &Subject) {
    let locks = subject.locks();
    let take = |_| {
        let locks = locks.clone();
        async move { done(locks.try_acquire("k", LONG).await) }
    };
    let guards = rt::crowd(CROWD, take).await;
    equal(guards.iter().flatten().count(), 1);
}

/// Locks of other names and in other namespaces are others.
#[maybe_async]
pub async fn locks_keep_apart_by_name_and_namespace(subject: &Subject) {
    let (locks, others) = (subject.locks(), subject.locks());
    let hostile = ["k", "k}", "{k", "{k}", "k%7D", "k}fence", "k fence", "\0\r\n", "ключ"];
    let mut held = Vec::new();
    for name in hostile {
        held.push(taken(locks.try_acquire(name, LONG).await));
        held.push(taken(others.try_acquire(name, LONG).await));
    }
    for guard in held {
        equal(done(guard.release().await), Released::Released);
    }
}

/// A lock that is not renewed is free after its time, and its holder is told so.
#[maybe_async]
pub async fn a_lock_ends_with_its_time(subject: &Subject) {
    let locks = subject.locks();
    let guard = taken(locks.try_acquire("k", subject.short()).await);
    subject.expire().await;
    holds(!guard.is_valid() && guard.remaining().is_zero());
    refused(guard.extend(LONG).await, ErrorKind::NotOwned);
    equal(done(guard.release().await), Released::Expired);
    holds(done(locks.try_acquire("k", LONG).await).is_some());
}

/// Who has lost a lock to another neither extends nor releases it.
#[maybe_async]
pub async fn only_its_holder_releases_a_lock(subject: &Subject) {
    let locks = subject.locks();
    let late = [
        taken(locks.try_acquire("k", subject.short()).await),
        taken(locks.try_acquire("dropped", subject.short()).await),
    ];
    subject.expire().await;
    let successors =
        [taken(locks.try_acquire("k", LONG).await), taken(locks.try_acquire("dropped", LONG).await)];
    let [released, dropped] = late;
    refused(released.extend(LONG).await, ErrorKind::NotOwned);
    equal(done(released.release().await), Released::NotOwned);
    drop(dropped);
    for successor in successors {
        holds(done(locks.try_acquire(successor.name(), LONG).await).is_none());
        equal(done(successor.release().await), Released::Released);
    }
}

/// An extension counts from when it is made.
#[maybe_async]
pub async fn an_extended_lock_outlives_its_first_time(subject: &Subject) {
    let locks = subject.locks();
    let guard = taken(locks.try_acquire("k", subject.short()).await);
    done(guard.extend(LONG).await);
    subject.expire().await;
    holds(guard.is_valid() && guard.remaining() > LONG / 2);
    holds(done(locks.try_acquire("k", LONG).await).is_none());
    equal(done(guard.release().await), Released::Released);
}

/// A guard that goes out of scope releases its lock soon.
#[maybe_async]
pub async fn a_dropped_guard_releases(subject: &Subject) {
    let locks = subject.locks();
    drop(taken(locks.try_acquire("k", LONG).await));
    let next = done(locks.acquire("k", LONG, LONG / 2).await);
    holds(next.is_valid());
}

/// Whoever has the token goes on with the lock; nobody else does.
#[maybe_async]
pub async fn a_lock_goes_on_by_its_token(subject: &Subject) {
    let locks = subject.locks();
    let guard = taken(locks.try_acquire("k", LONG).await);
    let (fencing, token) = (guard.fencing(), guard.into_token());
    holds(done(locks.try_acquire("k", LONG).await).is_none());
    let stranger = "0".repeat(32);
    refused(locks.resume("k", &stranger, LONG).await, ErrorKind::NotOwned);
    refused(locks.resume("k", "", LONG).await, ErrorKind::NotOwned);
    refused(locks.resume("other", &token, LONG).await, ErrorKind::NotOwned);
    let resumed = done(locks.resume("k", &token, LONG).await);
    equal((resumed.fencing(), resumed.token()), (fencing, token.as_str()));
    equal(done(resumed.release().await), Released::Released);
    refused(locks.resume("k", &token, LONG).await, ErrorKind::NotOwned);
}

/// Each holder's number is above all before, whoever holds the lock and however it ended.
#[maybe_async]
pub async fn fencing_numbers_rise(subject: &Subject) {
    let locks = subject.locks();
    let mut last = 0;
    for round in 0..20 {
        let guard = taken(locks.try_acquire("k", LONG).await);
        holds(guard.fencing() > last);
        last = guard.fencing();
        if round % 2 == 0 {
            done(guard.extend(LONG).await);
            equal(guard.fencing(), last);
        }
        equal(done(guard.release().await), Released::Released);
    }
}

/// Many who wait all have the lock, one after the other.
#[maybe_async]
pub async fn a_lock_is_had_in_turn(subject: &Subject) {
    let locks = subject.locks();
    let inside = Arc::new(AtomicU64::new(0));
    let enter = |_| {
        let (locks, inside) = (locks.clone(), Arc::clone(&inside));
        async move {
            let guard = done(locks.acquire("k", LONG, LONG).await);
            holds(inside.fetch_add(1, Ordering::SeqCst) == 0);
            rt::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            done(guard.release().await) == Released::Released
        }
    };
    holds(rt::crowd(CROWD, enter).await.into_iter().all(|released| released));
    let _held = taken(locks.try_acquire("k", LONG).await);
    refused(locks.acquire("k", LONG, Duration::from_millis(20)).await, ErrorKind::Timeout);
}

/// A semaphore has as many holders as permits, each with a number above those before.
#[maybe_async]
pub async fn a_semaphore_has_so_many_holders(subject: &Subject) {
    let permits = done(subject.locks().semaphore("k", 3));
    let (mut held, mut last) = (Vec::new(), 0);
    for _ in 0..3 {
        let guard = taken(permits.try_acquire(LONG).await);
        holds(guard.fencing() > last);
        last = guard.fencing();
        held.push(guard);
    }
    holds(done(permits.try_acquire(LONG).await).is_none());
    refused(permits.acquire(LONG, Duration::from_millis(20)).await, ErrorKind::Timeout);
    equal(done(held.swap_remove(1).release().await), Released::Released);
    held.push(done(permits.acquire(LONG, LONG).await));
    holds(done(permits.try_acquire(LONG).await).is_none());
}

/// Of all calls in a period the first is told that it is.
#[maybe_async]
pub async fn a_period_begins_once(subject: &Subject) {
    let locks = subject.locks();
    let period = subject.short();
    let first = |_| {
        let locks = locks.clone();
        async move { done(locks.once_per("k", period).await) }
    };
    let firsts = rt::crowd(CROWD, first).await;
    equal(firsts.into_iter().filter(|first| *first).count(), 1);
    subject.expire().await;
    holds(done(locks.once_per("k", period).await));
    holds(done(locks.once_per("other", period).await));
}
