//! Futures that are dropped at every point at which they wait: nothing of them is left in a connection, and no
//! connection is left of them.
//!
//! Some thousand by default; `SOAK_DROPS=10000` drops as many on each server.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Ttl, aio};
use support::{Remote, World, ask_raw, block_on, eventually, soak};

const PATIENCE: Duration = Duration::from_secs(10);
const KEYS: u64 = 50;

fn key(n: u64) -> String {
    format!("number {}", n % KEYS)
}

/// Lets a future go on until it has waited so many times, then drops it. `Some` where it came to its end before.
async fn drop_after<F: Future>(waits: u64, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut waited = 0;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if waited == waits => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}

/// Drops a call of each kind after so many waits; says how many came to their end.
async fn drop_each(cache: &aio::Cache, waits: u64, n: u64) -> u64 {
    let mut ended = 0;
    let mut count = |right: Option<bool>| {
        assert!(right != Some(false), "a wrong value after {waits} waits");
        ended += u64::from(right.is_some());
    };
    let is = |value: Option<u64>| value.is_none_or(|value| value == n % KEYS);
    let all: HashMap<_, _> = (n..n + 5).map(|n| (key(n), n % KEYS)).collect();
    let load = async || {
        tokio::task::yield_now().await;
        Ok::<_, BoxError>(n % KEYS)
    };
    let load_many = async |missing: &[String]| {
        tokio::task::yield_now().await;
        Ok::<_, BoxError>(missing.iter().map(|key| (key.clone(), all[key])).collect())
    };
    count(drop_after(waits, cache.get::<u64>(key(n))).await.map(|value| is(value.unwrap())));
    count(drop_after(waits, cache.set(key(n), &(n % KEYS), Ttl::NEVER)).await.map(|done| done.is_ok()));
    count(drop_after(waits, cache.take::<u64>(key(n))).await.map(|value| is(value.unwrap())));
    let loaded = drop_after(waits, cache.get_or_compute(key(n), Ttl::NEVER, load)).await;
    count(loaded.map(|value| value.unwrap() == n % KEYS));
    let read = drop_after(waits, cache.get_many::<u64>(all.keys())).await;
    count(read.map(|read| read.unwrap().iter().all(|(key, value)| all[key] == *value)));
    count(drop_after(waits, cache.set_many(all.clone(), Ttl::NEVER)).await.map(|done| done.is_ok()));
    count(drop_after(waits, cache.delete_many([key(n), key(n + 1)])).await.map(|done| done.is_ok()));
    let loaded = drop_after(waits, cache.get_or_compute_many(all.keys(), Ttl::NEVER, load_many)).await;
    count(loaded.map(|loaded| loaded.unwrap() == all));
    ended
}

const CALLS: u64 = 8;

/// The server's own count of its clients.
fn clients(remote: &Remote) -> usize {
    match remote {
        Remote::Redis(_) => ask_raw(remote.addr(), b"CLIENT LIST\r\n").matches("addr=").count(),
        Remote::Memcached(_) => ask_raw(remote.addr(), b"stats conns\r\n").matches(":state ").count(),
    }
}

#[test]
fn calls_that_are_dropped_at_every_wait_leave_nothing() {
    Remote::each(|remote| {
        let [_, World::Tasks(cache)] = remote.worlds(PATIENCE) else { unreachable!("tasks are the second") };
        let before = clients(remote);
        let (mut dropped, mut n, mut most_waits) = (0, 0, 0);
        while dropped < soak("SOAK_DROPS", 1_000) {
            n += 1;
            // From no wait at all to more than any call has.
            for waits in 0.. {
                let under_way = CALLS - block_on(drop_each(&cache, waits, n));
                let next = block_on(cache.get::<u64>(key(n + 1))).unwrap();
                assert!(next.is_none_or(|value| value == (n + 1) % KEYS), "{next:?} of {}", key(n + 1));
                if under_way == 0 {
                    most_waits = most_waits.max(waits);
                    break;
                }
                dropped += under_way;
            }
        }
        let fill = (0..KEYS).map(|n| (key(n), n));
        block_on(cache.set_many(fill.clone(), Ttl::NEVER)).unwrap();
        let all = block_on(cache.get_many::<u64>((0..KEYS).map(key))).unwrap();
        assert_eq!(all, fill.collect(), "a dropped call answered another");
        let left = || clients(remote) - before;
        eventually("dropped calls leave no connections", PATIENCE, || left() <= 2);
        println!("{}: {dropped} dropped at up to {most_waits} waits, {} connections", remote.name(), left());
    });
}

#[test]
fn callers_beside_dropped_calls_get_their_own_values() {
    Remote::each(|remote| {
        let [_, World::Tasks(cache)] = remote.worlds(PATIENCE) else { unreachable!("tasks are the second") };
        let fill = (0..KEYS).map(|n| (key(n), n));
        block_on(cache.set_many(fill, Ttl::NEVER)).unwrap();
        let (dropped, wanted) = (Arc::new(AtomicU64::new(0)), soak("SOAK_DROPS", 4_000));
        let caller = |first: u64| {
            let (cache, dropped) = (cache.clone(), Arc::clone(&dropped));
            async move {
                for n in first.. {
                    if drop_after(n % 3, cache.get::<u64>(key(n))).await.is_none() {
                        dropped.fetch_add(1, Ordering::Relaxed);
                    }
                    let value = cache.get::<u64>(key(n + 7)).await.unwrap();
                    assert_eq!(value, Some((n + 7) % KEYS), "the value of a dropped call");
                    if dropped.load(Ordering::Relaxed) >= wanted {
                        break;
                    }
                }
            }
        };
        block_on(async {
            let callers: Vec<_> = (0..8).map(|first| tokio::spawn(caller(first * 13))).collect();
            for caller in callers {
                caller.await.unwrap();
            }
        });
        let few = || clients(remote) <= 4;
        eventually("dropped calls leave no connections", PATIENCE, few);
        println!(
            "{}: {} dropped, {} clients",
            remote.name(),
            dropped.load(Ordering::Relaxed),
            clients(remote)
        );
    });
}

#[test]
fn a_load_whose_leader_is_dropped_at_any_wait_is_led_by_another() {
    Remote::each(|remote| {
        let [_, world] = remote.worlds(PATIENCE);
        let World::Tasks(cache) = &world else { unreachable!("tasks are the second") };
        let max_wait = Duration::from_secs(1);
        let policy = world.policy(|policy| policy.max_wait(max_wait));
        for waits in 0..20 {
            let (name, start) = (format!("led {waits}"), Instant::now());
            block_on(async {
                let forever = async || std::future::pending::<Result<u64, BoxError>>().await;
                let mut leader = Box::pin(cache.fetch(&name, &policy, forever));
                for _ in 0..waits {
                    assert!(drop_after(0, leader.as_mut()).await.is_none(), "it never ends");
                    tokio::task::yield_now().await;
                }
                let load = async || Ok::<_, BoxError>(7_u64);
                let drop_leader = async {
                    tokio::task::yield_now().await;
                    drop(leader);
                };
                let (value, ()) = tokio::join!(cache.fetch(&name, &policy, load), drop_leader);
                assert_eq!(value.unwrap().value, 7, "after {waits} waits");
            });
            // A lease that was on its way when its leader was dropped is given back all the same.
            assert!(start.elapsed() < max_wait, "{:?} after {waits} waits", start.elapsed());
        }
    });
}
