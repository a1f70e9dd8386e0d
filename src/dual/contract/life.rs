//! The cache as a whole: health, counts, the end.

use super::{Subject, done, equal, maybe_async, refused};

use crate::error::ErrorKind;
use crate::health::Status;
use crate::ttl::Ttl;

/// A backend that answers is healthy.
#[maybe_async]
pub async fn a_backend_that_answers_is_up(subject: &Subject) {
    let health = subject.cache().health().await;
    assert_eq!(health.status, Status::Up, "{}", health.detail);
}

/// Hits, misses and loads are counted once each.
#[maybe_async]
pub async fn what_happened_is_counted(subject: &Subject) {
    let cache = subject.cache();
    done(cache.get::<i32>("k").await);
    done(cache.set("k", &1, Ttl::NEVER).await);
    done(cache.get::<i32>("k").await);
    done(cache.get_arc::<i32>("k").await);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.errors, stats.loads), (2, 1, 0, 0));
}

/// After `close` every call is `Closed`, on every clone.
#[maybe_async]
pub async fn a_closed_cache_refuses_every_call(subject: &Subject) {
    let cache = subject.cache();
    let clone = cache.clone();
    cache.close().await;
    refused(clone.get::<i32>("k").await, ErrorKind::Closed);
    refused(clone.set("k", &1, Ttl::NEVER).await, ErrorKind::Closed);
    refused(clone.get_many::<i32>(["k"]).await, ErrorKind::Closed);
    refused(clone.clear().await, ErrorKind::Closed);
    let load = || async { Ok::<i32, std::io::Error>(1) };
    refused(clone.get_or_compute("k", Ttl::NEVER, load).await, ErrorKind::Closed);
    equal(clone.health().await.status, Status::Down);
}
