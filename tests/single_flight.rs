//! One load per key in a process, whoever asks for it.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Memcached, Memory, Redis};
use support::{World, eventually, worlds};

const PATIENCE: Duration = Duration::from_secs(30);
const SMALL_STACK: usize = 512 * 1024;

fn misses(worlds: &[World]) -> u64 {
    worlds.iter().map(|world| world.stats().misses).sum()
}

/// So many callers of one missing key, spread over these caches. The load lasts until all have missed it, and
/// whatever their order is, it is the only one.
fn one_load(worlds: &[World], callers: u64) {
    let loads = AtomicU64::new(0);
    let load = || {
        loads.fetch_add(1, Ordering::SeqCst);
        eventually("all have missed", PATIENCE, || misses(worlds) >= callers);
        Ok::<u64, BoxError>(7)
    };
    let call = |n: u64| assert_eq!(worlds[n as usize % worlds.len()].load("k", load).unwrap(), 7);
    thread::scope(|scope| {
        for n in 0..callers {
            let thread = thread::Builder::new().stack_size(SMALL_STACK);
            thread.spawn_scoped(scope, move || call(n)).unwrap();
        }
    });
    assert_eq!(loads.into_inner(), 1);
    assert_eq!(worlds.iter().map(|world| world.stats().loads).sum::<u64>(), 1);
}

#[test]
fn two_thousand_threads_on_one_missing_key_load_it_once() {
    let [threads, _] = worlds!(Memory::default(), max_wait(PATIENCE));
    one_load(&[threads], 2_000);
}

#[test]
fn two_thousand_threads_on_one_key_missing_from_redis_load_it_once() {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    let [threads, _] = worlds!(redis, prefix("crowd"), timeout(PATIENCE), max_wait(PATIENCE));
    one_load(&[threads], 2_000);
}

#[test]
fn two_thousand_threads_on_one_key_missing_from_memcached_load_it_once() {
    let memcached = Memcached::builder([support::memcached().url()]).build().unwrap();
    let [threads, _] = worlds!(memcached, prefix("crowd"), timeout(PATIENCE), max_wait(PATIENCE));
    one_load(&[threads], 2_000);
}

#[test]
fn tasks_on_one_missing_key_load_it_once() {
    let [_, tasks] = worlds!(Memory::default(), max_wait(PATIENCE));
    one_load(&[tasks], 500);
}

#[test]
fn threads_and_tasks_on_one_missing_key_in_memory_load_it_once() {
    one_load(&worlds!(Memory::default(), max_wait(PATIENCE)), 128);
}

#[test]
fn threads_and_tasks_on_one_key_missing_from_redis_load_it_once() {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    one_load(&worlds!(redis, prefix("one load"), timeout(PATIENCE), max_wait(PATIENCE)), 64);
}

#[test]
fn threads_and_tasks_on_one_key_missing_from_memcached_load_it_once() {
    let memcached = Memcached::builder([support::memcached().url()]).build().unwrap();
    one_load(&worlds!(memcached, prefix("one load"), timeout(PATIENCE), max_wait(PATIENCE)), 64);
}

/// Batches that overlap, from both worlds at once. The loads last until every batch has missed all its keys.
fn each_key_once(worlds: &[World]) {
    let loaded = Mutex::new(HashMap::<String, u64>::new());
    let load = |missing: &[String]| {
        eventually("all have missed", PATIENCE, || misses(worlds) >= 16 * 20);
        let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
        missing.iter().for_each(|key| *loaded.entry(key.clone()).or_default() += 1);
        Ok::<_, BoxError>(missing.iter().map(|key| (key.clone(), key.len() as u64)).collect())
    };
    let keys = |n: usize| (n * 5..n * 5 + 20).map(|n| format!("{n:03}"));
    let call = |n: usize| {
        let values: HashMap<String, u64> = worlds[n % worlds.len()].load_many(keys(n), load).unwrap();
        assert_eq!(values, keys(n).map(|key| (key, 3)).collect());
    };
    let call = &call;
    thread::scope(|scope| (0..16).for_each(|n| drop(scope.spawn(move || call(n)))));
    let loaded = loaded.into_inner().unwrap();
    assert!(loaded.values().all(|count| *count == 1), "{loaded:?}");
    assert_eq!(loaded.len(), 95);
}

#[test]
fn overlapping_batches_in_memory_load_each_key_once() {
    each_key_once(&worlds!(Memory::default()));
}

#[test]
fn overlapping_batches_on_redis_load_each_key_once() {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    each_key_once(&worlds!(redis, prefix("batches"), timeout(PATIENCE)));
}

#[test]
fn overlapping_batches_on_memcached_load_each_key_once() {
    let memcached = Memcached::builder([support::memcached().url()]).build().unwrap();
    each_key_once(&worlds!(memcached, prefix("batches"), timeout(PATIENCE)));
}
