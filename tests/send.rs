//! Every future of the async world can be spawned, whatever thread its runtime moves it to.
#![cfg(feature = "async")]

use std::collections::HashMap;
use std::time::Duration;

use lexigram_cache::{BoxError, Memory, Quota, Ttl, aio};

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
        cache => cache.get_or_compute_arc("k", Ttl::NEVER, async || Ok::<_, BoxError>(1));
        cache => cache.get_or_compute_many(["a", "b"], Ttl::NEVER, async |missing: &[String]| {
            Ok::<HashMap<String, usize>, BoxError>(missing.iter().map(|key| (key.clone(), key.len())).collect())
        });
    }
    let cache = aio::Cache::memory();
    spawnable(async move { cache.get::<u64>(&name).await });
    let mut keys = aio::Cache::memory().keys("*");
    spawnable(async move { (keys.next_key().await, keys.next_page().await) });
}

/// A verb on a store of its own.
macro_rules! spawnable_on {
    ($make:expr; $($store:ident => $call:expr;)*) => {
        $( {
            let $store = $make;
            spawnable(async move { drop($call.await) });
        } )*
    };
}

#[test]
fn every_verb_on_state_can_be_spawned() {
    spawnable_on! { aio::StateStore::new(&Memory::default()).unwrap();
        state => state.get::<String>("k");
        state => state.get_many::<u64>(["a", "b"]);
        state => state.exists("k");
        state => state.ttl("k");
        state => state.set("k", "text", Duration::from_secs(1));
        state => state.set_many([("a", 1), ("b", 2)], Ttl::NEVER);
        state => state.replace("k", &Some(1), Ttl::DEFAULT);
        state => state.expire("k", Ttl::NEVER);
        state => state.delete("k");
        state => state.compare_and_set("k", Some(&1), &2, Ttl::NEVER);
        state => state.update("k", Ttl::NEVER, |old: Option<u64>| old);
    }
}

#[cfg(feature = "encryption")]
#[test]
fn every_verb_on_secrets_can_be_spawned() {
    let ring = lexigram_cache::KeyRing::new("id", &[1; 32]).unwrap();
    spawnable_on! { aio::SecretStore::new(&Memory::default(), ring.clone()).unwrap();
        secrets => secrets.get_secret("k");
        secrets => secrets.set_secret("k", "text", Ttl::NEVER);
        secrets => secrets.delete_secret("k");
        secrets => secrets.has_secret("k");
        secrets => secrets.list_secrets();
        secrets => secrets.rewrap("k");
        secrets => secrets.rewrap_all();
    }
}

#[test]
fn every_call_on_locks_can_be_spawned_and_guards_can_be_shared() {
    fn shareable<T: Send + Sync + 'static>(_: &T) {}
    let (ttl, memory) = (Duration::from_secs(1), Memory::default());
    let locks = aio::LockStore::new(&memory).unwrap();
    let semaphore = locks.semaphore("k", 2).unwrap();
    macro_rules! spawnable_on {
        ($($store:ident => $call:expr;)*) => {
            $( { let $store = $store.clone(); spawnable(async move { drop($call.await) }); } )*
        };
    }
    spawnable_on! {
        locks => locks.try_acquire("k", ttl);
        locks => locks.acquire("k", ttl, ttl);
        locks => locks.resume("k", "token", ttl);
        locks => locks.once_per("k", ttl);
        locks => locks.is_locked("k");
        locks => locks.check();
        semaphore => semaphore.try_acquire(ttl);
        semaphore => semaphore.acquire(ttl, ttl);
    }
    spawnable(async move {
        if let Ok(Some(guard)) = locks.try_acquire("k", ttl).await {
            shareable(&guard);
            drop(guard.extend(ttl).await);
            drop(guard.release().await);
        }
    });
    let threads = lexigram_cache::LockStore::new(&memory).unwrap();
    shareable(&threads.try_acquire("k", ttl).unwrap().unwrap());
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
