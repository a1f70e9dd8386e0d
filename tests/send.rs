//! Every future of the async world can be spawned, whatever thread its runtime moves it to.
#![cfg(feature = "async")]

use std::collections::HashMap;
use std::time::Duration;

use lexigram_cache::{BoxError, Quota, Ttl, aio};

/// Holds for a future only if it compiles.
fn spawnable<F: Future + Send + 'static>(_: F) {}

/// A verb on a cache of its own, as a task would call it.
macro_rules! spawnable {
    ($($cache:ident => $call:expr;)*) => {
        $( {
            let $cache = aio::Cache::memory();
            spawnable(async move { drop($call.await) });
        } )*
    };
}

#[test]
fn every_verb_can_be_spawned() {
    let name = String::from("k");
    spawnable! {
        cache => cache.get::<String>("k");
        cache => cache.get_arc::<String>("k");
        cache => cache.get_with("k", |text: &String| text.len());
        cache => cache.exists("k");
        cache => cache.ttl("k");
        cache => cache.set("k", "text", Duration::from_secs(1));
        cache => cache.add("k", &vec![1], Ttl::NEVER);
        cache => cache.replace("k", &Some(1), Ttl::DEFAULT);
        cache => cache.take::<String>("k");
        cache => cache.update("k", Ttl::NEVER, |old: Option<u64>| old.unwrap_or(0));
        cache => cache.delete("k");
        cache => cache.touch("k", Ttl::NEVER);
        cache => cache.incr("k", 1, Ttl::NEVER);
        cache => cache.decr("k", 1, Ttl::NEVER);
        cache => cache.get_many::<u64>(["a", "b"]);
        cache => cache.set_many([("a", 1), ("b", 2)], Ttl::NEVER);
        cache => cache.delete_many(vec![String::from("a")]);
        cache => cache.delete_prefix("a");
        cache => cache.delete_pattern("a*");
        cache => cache.clear();
        cache => cache.health();
        cache => cache.get_or_compute("k", Ttl::NEVER, async || Ok::<_, BoxError>(1));
        cache => cache.get_or_compute("k", Ttl::NEVER, || async { Ok::<_, BoxError>(1) });
        cache => cache.get_or_compute_many(["a", "b"], Ttl::NEVER, async |missing: &[String]| {
            Ok::<HashMap<String, usize>, BoxError>(missing.iter().map(|key| (key.clone(), key.len())).collect())
        });
    }
    let cache = aio::Cache::memory();
    spawnable(async move { cache.get::<u64>(&name).await });
}

#[test]
fn every_call_on_a_limiter_can_be_spawned() {
    let limiter = aio::RateLimiter::new(&aio::Cache::memory(), "l", Quota::per_second(1)).unwrap();
    let (check, look) = (limiter.clone(), limiter.clone());
    spawnable(async move { check.check(String::from("s")).await });
    spawnable(async move { look.peek("s").await.map(|seen| (seen, limiter)) });
    let limiter = aio::RateLimiter::new(&aio::Cache::memory(), "l", Quota::per_second(1)).unwrap();
    spawnable(async move {
        let _ = limiter.check_n("s", 1).await?;
        let _ = limiter.acquire(String::from("s"), Duration::from_secs(1)).await?;
        limiter.reset("s").await
    });
}
