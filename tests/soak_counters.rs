//! No count is lost on two fresh Memcached servers, where many callers rewrite one counter at once.
//!
//! A few rounds by default; `SOAK_ROUNDS=1000` runs as many. A failure prints the whole history of its round. Beside
//! the server's own arithmetic a rewrite by CAS loses a count about once in some hundred rounds; see `add` of the
//! Memcached backend.
#![cfg(all(feature = "memcached", feature = "async"))]

mod support;

use std::time::{Duration, Instant};

use lexigram_cache::{Memcached, Ttl, aio};
use support::MemcachedServer;

/// What one call did, with the sum it was told, and when it began and ended.
type Step = (i64, i64, Duration, Duration);

/// Adds three ten times; every other caller also takes one away each time.
async fn count(cache: aio::Cache, key: String, caller: usize, start: Instant) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..10 {
        let begun = start.elapsed();
        let sum = cache.incr(&key, 3, Ttl::NEVER).await.unwrap();
        steps.push((3, sum, begun, start.elapsed()));
        if caller.is_multiple_of(2) {
            let begun = start.elapsed();
            let sum = cache.decr(&key, 1, Ttl::NEVER).await.unwrap();
            steps.push((-1, sum, begun, start.elapsed()));
        }
    }
    steps
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_count_is_lost_between_rewrites() {
    let rounds = std::env::var("SOAK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    for round in 0..rounds {
        // Fresh servers each time, as in the run that came out short.
        let (one, two) = (MemcachedServer::start(), MemcachedServer::start());
        let memcached = Memcached::builder([one.url(), two.url()]).build().unwrap();
        let patience = Duration::from_secs(10);
        let cache =
            aio::Cache::builder().backend(memcached).prefix("soak").timeout(patience).build().unwrap();
        let (key, start) = (format!("k{round}"), Instant::now());
        let callers: Vec<_> =
            (0..16).map(|caller| tokio::spawn(count(cache.clone(), key.clone(), caller, start))).collect();
        let mut history = Vec::new();
        for caller in callers {
            history.extend(caller.await.unwrap());
        }
        history.sort_by_key(|step| step.3);
        let sum = cache.get::<i64>(&key).await.unwrap();
        assert_eq!(sum, Some(16 * 10 * 3 - 8 * 10), "round {round}: {history:#?}");
    }
}
