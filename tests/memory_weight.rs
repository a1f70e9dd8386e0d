//! `max_bytes`: what an entry weighs, and that all together never weigh more.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lexigram_cache::{Cache, ErrorKind, Memory, MemoryBuilder, Ttl, Weighing};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct User {
    name: String,
}

fn cache(builder: MemoryBuilder) -> Cache {
    Cache::builder().backend(builder.build().unwrap()).build().unwrap()
}

fn weight(cache: &Cache) -> u64 {
    cache.stats().weight.unwrap()
}

#[test]
fn an_entry_weighs_the_bytes_of_its_key_and_of_its_value() {
    let memory = Memory::builder().max_bytes(1_000).build().unwrap();
    let cache = Cache::builder().backend(memory).prefix("app").build().unwrap();
    let weighs = |expected: usize| {
        assert_eq!(weight(&cache), ("app:key".len() + expected) as u64);
        cache.clear().unwrap();
        assert_eq!(weight(&cache), 0);
    };
    cache.set("key", "a text", Ttl::NEVER).unwrap();
    weighs(6);
    cache.set("key", &vec![7_u8; 100], Ttl::NEVER).unwrap();
    weighs(100);
    cache.incr("key", 5, Ttl::NEVER).unwrap();
    weighs(8);
    cache.set("key", &User { name: "Ada".into() }, Ttl::NEVER).unwrap();
    weighs(r#"{"name":"Ada"}"#.len());
    cache.get_or_compute("key", Ttl::NEVER, || Ok::<_, std::io::Error>("four".to_owned())).unwrap();
    weighs(4);
}

#[test]
fn without_max_bytes_nothing_is_weighed() {
    let weigh = |_: &Weighing<'_>| panic!("nobody wants to know");
    let cache = cache(Memory::builder().weigher(weigh));
    cache.set("key", "a text", Ttl::NEVER).unwrap();
    assert_eq!(cache.stats().weight, None);
}

#[test]
fn a_weigher_of_ones_own_says_what_max_bytes_is_meant_in() {
    let weigh = |entry: &Weighing<'_>| match entry.value::<Vec<u64>>() {
        Some(rows) => rows.len() as u64,
        None => 1_000 * entry.key_len() + entry.value_len(),
    };
    let cache = cache(Memory::builder().max_bytes(5_000).weigher(weigh));
    cache.set("rows", &vec![1_u64; 7], Ttl::NEVER).unwrap();
    assert_eq!(weight(&cache), 7);
    cache.set("text", "abc", Ttl::NEVER).unwrap();
    assert_eq!(weight(&cache), 7 + 4_003);
}

#[test]
fn a_weigher_may_use_the_cache_it_weighs_for() {
    let memory = Memory::builder().max_bytes(1_000);
    let cell = std::sync::Arc::new(std::sync::OnceLock::<Cache>::new());
    let inner = cell.clone();
    let weigh = move |entry: &Weighing<'_>| match inner.get() {
        Some(cache) => cache.get::<u64>("weight").unwrap().unwrap_or(1),
        None => entry.value_len(),
    };
    let cache = cache(memory.weigher(weigh));
    cell.set(cache.clone()).unwrap();
    cache.set("weight", &50_u64, Ttl::NEVER).unwrap();
    cache.set("key", "text", Ttl::NEVER).unwrap();
    assert_eq!(weight(&cache), 51);
}

#[test]
fn what_weighs_nothing_is_bounded_by_number() {
    let cache = cache(Memory::builder().max_bytes(1).max_entries(100).weigher(|_| 0));
    (0..1_000).for_each(|n| cache.set(n.to_string(), "a text", Ttl::NEVER).unwrap());
    assert_eq!((cache.stats().entries, weight(&cache)), (Some(100), 0));
}

#[test]
fn what_weighs_more_than_any_number_is_too_large_for_every_bound() {
    for most in [1, u64::from(u32::MAX), 1 << 32, 1 << 40, u64::MAX - 1] {
        let cache = cache(Memory::builder().max_bytes(most).weigher(|_| u64::MAX));
        let error = cache.set("key", "a text", Ttl::NEVER).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{most}");
        assert_eq!((cache.stats().entries, weight(&cache)), (Some(0), 0));
    }
}

#[test]
fn a_heavier_value_takes_the_room_of_others_and_stays_itself() {
    for max_entries in [10, 10_000] {
        let cache = cache(Memory::builder().max_entries(max_entries).max_bytes(1_000));
        (0..10).for_each(|n| cache.set(n.to_string(), &"x".repeat(99), Ttl::NEVER).unwrap());
        assert_eq!((cache.stats().entries, weight(&cache)), (Some(10), 1_000));
        for len in [100, 499, 999] {
            cache.set("0", &"y".repeat(len), Ttl::NEVER).unwrap();
            assert_eq!(cache.get::<String>("0").unwrap().unwrap().len(), len);
            assert!(weight(&cache) <= 1_000, "{}", weight(&cache));
        }
        assert_eq!((cache.stats().entries, cache.stats().evicted), (Some(1), Some(9)));
        cache.set("0", "y", Ttl::NEVER).unwrap();
        assert_eq!(weight(&cache), 2, "a lighter one gives the rest back");
    }
}

#[test]
fn a_bound_above_four_gibibytes_is_kept_and_counted_in_bytes() {
    let gib = 1_u64 << 30;
    let weigh = |entry: &Weighing<'_>| entry.value::<u64>().copied().unwrap_or(0);
    for most in [5 * gib, 64 * gib, 1_024 * gib] {
        let cache = cache(Memory::builder().max_bytes(most).weigher(weigh));
        for n in 0..20 {
            cache.set(n.to_string(), &(most / 8), Ttl::NEVER).unwrap();
            assert!(weight(&cache) <= most, "{} of {most}", weight(&cache));
        }
        let held = cache.stats().entries.unwrap();
        assert!((7..=8).contains(&held), "{held} eighths of {most}");
        let error = cache.set("key", &(most + 1), Ttl::NEVER).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}

#[test]
fn the_weight_holds_at_every_instant_under_eight_threads() {
    for max_entries in [20, 10_000] {
        let cache = cache(Memory::builder().max_entries(max_entries).max_bytes(10_000));
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut most = 0;
                while !over.load(Ordering::Relaxed) {
                    most = most.max(weight(&cache));
                }
                most
            });
            let write = |thread: usize| {
                for n in 0..3_000 {
                    // Some keys belong to all threads, so that values are replaced by lighter and heavier ones.
                    let key = if n % 3 == 0 { format!("{}", n % 7) } else { format!("{thread} {n}") };
                    cache.set(&key, &vec![0_u8; (n * 7_919 + thread) % 1_500], Ttl::NEVER).unwrap();
                }
            };
            let writers: Vec<_> = (0..8).map(|thread| scope.spawn(move || write(thread))).collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            over.store(true, Ordering::Relaxed);
            assert!(watcher.join().unwrap() <= 10_000);
        });
        cache.clear().unwrap();
        assert_eq!((cache.stats().entries, weight(&cache)), (Some(0), 0), "nothing was given back twice");
    }
}
