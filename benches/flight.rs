//! One load: how soon those who waited have its value, what a load costs nobody waits for, and what a hit costs.
//!
//! `cargo bench --bench flight -- --csv FILE --svg FILE`; `--only miss` or `--only hit` is for a profiler. Figures of two
//! programs compare within one run only.

mod support;

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{Cache, Memory, Ttl};
use support::{Bound, Relation, Row, contender, goal_against, interleaved, name, report, wanted};

type Quick = quick_cache::sync::Cache<String, u64>;

const OURS: &str = "lexigram-cache";
const QUICK: &str = "quick_cache";

fn main() {
    let mut rows = Vec::new();
    if wanted("last_waiter") {
        rows.push(last_waiter());
    }
    if wanted("miss") {
        rows.push(miss());
    }
    if wanted("hit") {
        rows.push(hit());
    }
    report("One load", &rows, Relation::OursToIt);
    goal_against(&rows, "last waiter", QUICK, Bound::AtMost(0.85));
    goal_against(&rows, "miss", QUICK, Bound::AtMost(1.2));
    goal_against(&rows, "hit", QUICK, Bound::AtMost(1.1));
}

const THREADS: usize = 64;
const LOAD: Duration = Duration::from_millis(5);

fn last_waiter() -> Row {
    let ours = Cache::memory();
    let quick = Quick::new(1000);
    let (mut our_keys, mut quick_keys) = ((0..).map(name), (0..).map(name));
    interleaved(
        "last waiter",
        "us",
        151,
        vec![
            contender(OURS, || {
                let key = our_keys.next().expect("there are enough numbers");
                after_the_load(|load| compute(&ours, &key, load))
            }),
            contender(QUICK, || {
                let key = quick_keys.next().expect("there are enough numbers");
                after_the_load(|load| insert(&quick, &key, load))
            }),
            contender("OnceLock", || {
                let cell = OnceLock::new();
                after_the_load(|load| *cell.get_or_init(load))
            }),
        ],
    )
}

/// Microseconds from the end of the load to the return of the last of all callers.
fn after_the_load(get: impl Fn(&dyn Fn() -> u64) -> u64 + Sync) -> f64 {
    let start = Barrier::new(THREADS);
    let loaded = OnceLock::new();
    let load = || {
        thread::sleep(LOAD);
        loaded.set(Instant::now()).expect("one loads");
        7
    };
    let call = || {
        start.wait();
        assert_eq!(get(&load), 7);
        Instant::now()
    };
    let last = thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS).map(|_| scope.spawn(call)).collect();
        let returned = callers.into_iter().map(|caller| caller.join().expect("a caller returns"));
        returned.max().expect("there are callers")
    });
    let loaded = *loaded.get().expect("one has loaded");
    last.duration_since(loaded).as_secs_f64() * 1e6
}

const NEW_KEYS: usize = 100_000;

/// In a fresh cache, and with nobody else there.
fn miss() -> Row {
    let keys: Vec<String> = (0..NEW_KEYS).map(name).collect();
    interleaved(
        "miss",
        "ns",
        41,
        vec![
            contender(OURS, || {
                let cache = ours(2 * NEW_KEYS);
                nanos_each(&keys, |key| compute(&cache, key, || 7))
            }),
            contender(QUICK, || {
                let cache = Quick::new(2 * NEW_KEYS);
                nanos_each(&keys, |key| insert(&cache, key, || 7))
            }),
        ],
    )
}

const RESIDENT: usize = 1 << 10;
const HITS: usize = 1 << 20;

fn hit() -> Row {
    let (cache, quick) = (ours(4 * RESIDENT), Quick::new(4 * RESIDENT));
    let resident: Vec<String> = (0..RESIDENT).map(name).collect();
    for key in &resident {
        compute(&cache, key, || 7);
        insert(&quick, key, || 7);
    }
    // An odd stride visits all of them, out of order.
    let keys: Vec<&String> = (0..HITS).map(|turn| &resident[turn * 389 % RESIDENT]).collect();
    let loads = || unreachable!("the key is resident");
    interleaved(
        "hit",
        "ns",
        41,
        vec![
            contender(OURS, || nanos_each(&keys, |key| compute(&cache, key, loads))),
            contender(QUICK, || nanos_each(&keys, |key| insert(&quick, key, loads))),
        ],
    )
}

fn ours(capacity: usize) -> Cache {
    let memory = Memory::builder().max_entries(capacity).build().expect("the capacity is valid");
    Cache::builder().backend(memory).build().expect("the defaults are valid")
}

fn compute(cache: &Cache, key: &str, load: impl FnOnce() -> u64) -> u64 {
    cache.get_or_compute(key, Ttl::NEVER, || Ok::<_, Infallible>(load())).expect("memory does not fail")
}

fn insert(cache: &Quick, key: &str, load: impl FnOnce() -> u64) -> u64 {
    let Ok(value) = cache.get_or_insert_with(key, || Ok::<_, Infallible>(load()));
    value
}

fn nanos_each<K>(keys: &[K], mut get: impl FnMut(&K) -> u64) -> f64 {
    let start = Instant::now();
    for key in keys {
        black_box(get(black_box(key)));
    }
    start.elapsed().as_secs_f64() * 1e9 / keys.len() as f64
}
