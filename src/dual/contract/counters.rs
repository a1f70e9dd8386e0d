//! Counters.

use super::{CROWD, Subject, done, equal, maybe_async, refused, rt};

use std::time::Duration;

use crate::error::ErrorKind;
use crate::ttl::{Remaining, Ttl};

/// A missing counter begins at zero, and may go below it.
#[maybe_async]
pub async fn a_counter_begins_at_zero_and_goes_both_ways(subject: &Subject) {
    let cache = subject.cache();
    equal(done(cache.incr("up", 5, Ttl::NEVER).await), 5);
    equal(done(cache.incr("up", 0, Ttl::NEVER).await), 5);
    equal(done(cache.decr("up", 7, Ttl::NEVER).await), -2);
    equal(done(cache.incr("up", 3, Ttl::NEVER).await), 1);
    equal(done(cache.decr("down", 1, Ttl::NEVER).await), -1);
    equal(done(cache.incr("down", -10, Ttl::NEVER).await), -11);
}

/// Of many callers that count at once, none is lost.
#[maybe_async]
pub async fn no_count_is_lost(subject: &Subject) {
    let cache = subject.cache();
    let count = |caller: usize| {
        let cache = cache.clone();
        async move {
            for _ in 0..10 {
                done(cache.incr("k", 3, Ttl::NEVER).await);
                if caller.is_multiple_of(2) {
                    done(cache.decr("k", 1, Ttl::NEVER).await);
                }
            }
        }
    };
    rt::crowd(CROWD, count).await;
    let expected = CROWD as i64 * 10 * 3 - CROWD as i64 / 2 * 10;
    equal(done(cache.get::<i64>("k").await), Some(expected));
}

/// `get` and `set` see a counter as the integer it is.
#[maybe_async]
pub async fn counters_are_integers(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &41_u32, Ttl::NEVER).await);
    equal(done(cache.incr("k", 1, Ttl::NEVER).await), 42);
    equal(done(cache.get::<u8>("k").await), Some(42));
    equal(done(cache.get::<i64>("k").await), Some(42));
}

/// A sum outside `i64` is refused and changes nothing.
#[maybe_async]
pub async fn an_overflow_is_refused(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &i64::MAX, Ttl::NEVER).await);
    refused(cache.incr("k", 1, Ttl::NEVER).await, ErrorKind::TooLarge);
    equal(done(cache.get::<i64>("k").await), Some(i64::MAX));
    done(cache.set("k", &i64::MIN, Ttl::NEVER).await);
    refused(cache.decr("k", 1, Ttl::NEVER).await, ErrorKind::TooLarge);
    refused(cache.decr("k", i64::MIN, Ttl::NEVER).await, ErrorKind::TooLarge);
    equal(done(cache.get::<i64>("k").await), Some(i64::MIN));
}

/// What is no integer is refused and left alone.
#[maybe_async]
pub async fn a_text_does_not_count(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", "text", Ttl::NEVER).await);
    refused(cache.incr("k", 1, Ttl::NEVER).await, ErrorKind::Decode);
    equal(done(cache.get::<String>("k").await).as_deref(), Some("text"));
}

/// An integer beyond `i64` is no counter: it is refused and left alone.
#[maybe_async]
pub async fn an_integer_beyond_the_range_does_not_count(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &u64::MAX, Ttl::NEVER).await);
    refused(cache.incr("k", 1, Ttl::NEVER).await, ErrorKind::Decode);
    refused(cache.decr("k", 1, Ttl::NEVER).await, ErrorKind::Decode);
    equal(done(cache.get::<u64>("k").await), Some(u64::MAX));
}

/// The lifetime counts for the call that makes the counter; later ones keep it.
#[maybe_async]
pub async fn later_counts_keep_the_lifetime(subject: &Subject) {
    let cache = subject.cache();
    done(cache.incr("k", 1, Duration::from_secs(100)).await);
    done(cache.incr("k", 1, Duration::from_secs(9_000)).await);
    done(cache.decr("k", 1, Ttl::NEVER).await);
    match done(cache.ttl("k").await) {
        Some(Remaining::For(left)) => assert!(left <= Duration::from_secs(101), "{left:?}"),
        other => panic!("the counter's lifetime became {other:?}"),
    }
    done(cache.set("forever", &1, Ttl::NEVER).await);
    done(cache.decr("forever", 1, Duration::from_secs(1)).await);
    equal(done(cache.ttl("forever").await), Some(Remaining::Never));
}
