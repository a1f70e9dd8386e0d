//! Lifetimes: how long, and what is left.

use super::{Subject, done, equal, holds, maybe_async, refused};

use std::time::Duration;

use crate::error::ErrorKind;
use crate::ttl::{Remaining, Ttl};

const MINUTE: Duration = Duration::from_secs(60);

/// A value past its lifetime is absent for every verb.
#[maybe_async]
pub async fn an_expired_value_is_gone_for_every_verb(subject: &Subject) {
    let cache = subject.cache();
    let names =
        ["get", "exists", "ttl", "touch", "delete", "take", "replace", "add", "incr", "many", "update"];
    for name in names {
        done(cache.set(name, &1, subject.short()).await);
    }
    subject.expire().await;
    equal(done(cache.get::<i32>("get").await), None);
    holds(!done(cache.exists("exists").await));
    equal(done(cache.ttl("ttl").await), None);
    holds(!done(cache.touch("touch", MINUTE).await));
    holds(!done(cache.delete("delete").await));
    equal(done(cache.take::<i32>("take").await), None);
    holds(!done(cache.replace("replace", &2, MINUTE).await));
    holds(done(cache.add("add", &2, MINUTE).await));
    equal(done(cache.incr("incr", 5, MINUTE).await), 5);
    holds(done(cache.get_many::<i32>(["many"]).await).is_empty());
    equal(done(cache.update("update", MINUTE, |old: Option<i32>| old.unwrap_or(7)).await), 7);
}

/// A value within its lifetime is there.
#[maybe_async]
pub async fn a_value_lives_as_long_as_it_was_given(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &1, subject.expired() * 10).await);
    subject.expire().await;
    equal(done(cache.get::<i32>("k").await), Some(1));
}

/// `ttl` tells what is left.
#[maybe_async]
pub async fn the_remaining_lifetime_is_told(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("never", &1, Ttl::NEVER).await);
    equal(done(cache.ttl("never").await), Some(Remaining::Never));
    done(cache.set("minute", &1, MINUTE).await);
    match done(cache.ttl("minute").await) {
        Some(Remaining::For(left)) => {
            assert!(left <= MINUTE && left > MINUTE / 2, "{left:?} left of a minute");
        }
        other => panic!("a minute became {other:?}"),
    }
}

/// `touch` gives a new lifetime, also none at all.
#[maybe_async]
pub async fn touch_gives_a_new_lifetime(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &1, subject.short()).await);
    holds(done(cache.touch("k", MINUTE).await));
    subject.expire().await;
    equal(done(cache.get::<i32>("k").await), Some(1));
    holds(done(cache.touch("k", Ttl::NEVER).await));
    equal(done(cache.ttl("k").await), Some(Remaining::Never));
    holds(done(cache.touch("k", subject.short()).await));
    subject.expire().await;
    equal(done(cache.get::<i32>("k").await), None);
}

/// A second write brings its own lifetime, also none at all.
#[maybe_async]
pub async fn a_write_replaces_the_lifetime(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &1, subject.short()).await);
    done(cache.set("k", &2, Ttl::NEVER).await);
    subject.expire().await;
    equal(done(cache.get::<i32>("k").await), Some(2));
}

/// `Ttl::DEFAULT` is the cache's own, which is none unless it was set.
#[maybe_async]
pub async fn the_default_lifetime_is_the_caches_own(subject: &Subject) {
    let plain = subject.cache();
    done(plain.set("k", &1, Ttl::DEFAULT).await);
    equal(done(plain.ttl("k").await), Some(Remaining::Never));
    let minute = super::built(subject.builder().default_ttl(MINUTE));
    done(minute.set("k", &1, Ttl::DEFAULT).await);
    let left = done(minute.ttl("k").await);
    assert!(matches!(left, Some(Remaining::For(left)) if left <= MINUTE), "{left:?}");
}

/// A lifetime of zero is refused before anything is done.
#[maybe_async]
pub async fn a_lifetime_of_zero_is_refused(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &1, Ttl::NEVER).await);
    refused(cache.set("k", &2, Duration::ZERO).await, ErrorKind::InvalidTtl);
    refused(cache.touch("k", Duration::ZERO).await, ErrorKind::InvalidTtl);
    refused(cache.incr("k", 1, Duration::ZERO).await, ErrorKind::InvalidTtl);
    refused(cache.set_many([("k", 2)], Duration::ZERO).await, ErrorKind::InvalidTtl);
    equal(done(cache.get::<i32>("k").await), Some(1));
}
