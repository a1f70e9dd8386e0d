//! The thread that removes what is due: when it is there, what it does, what it survives.
#![cfg(target_os = "linux")]

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use lexigram_cache::{Cache, Clock, Memory, Ttl};
use serde::{Deserialize, Serialize};
use support::eventually;

const INTERVAL: Duration = Duration::from_millis(100);
const MOMENT: Duration = Duration::from_millis(20);
const MINUTE: Duration = Duration::from_secs(60);

/// Threads are counted for the whole process, so the tests of it take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sweepers() -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = threads.map(|thread| fs::read_to_string(thread.path().join("comm")).unwrap_or_default());
    names.filter(|name| name.trim_end() == "cache-sweeper").count()
}

fn swept(interval: Duration, clock: Clock) -> Cache {
    let memory = Memory::builder().max_entries(100).cleanup_interval(interval).clock(clock).build().unwrap();
    Cache::builder().backend(memory).build().unwrap()
}

#[test]
fn there_is_one_thread_from_the_first_lifetime_to_the_last_handle() {
    let _turn = turn();
    let memory = Memory::default();
    let first = Cache::builder().backend(memory.clone()).prefix("a").build().unwrap();
    let second = Cache::builder().backend(memory.clone()).prefix("b").build().unwrap();
    first.set("k", "v", Ttl::NEVER).unwrap();
    first.get::<String>("k").unwrap();
    assert_eq!((sweepers(), first.stats().sweeping), (0, None));
    first.set("k", "v", MINUTE).unwrap();
    second.set("k", "v", MINUTE).unwrap();
    eventually("it has its name", Duration::from_secs(1), || sweepers() == 1);
    assert_eq!(second.stats().sweeping, Some(true));
    drop((first, memory));
    assert_eq!(sweepers(), 1, "one handle is left");
    drop(second);
    eventually("it ends with the last handle", INTERVAL, || sweepers() == 0);
}

#[test]
fn expired_entries_leave_within_two_intervals_without_being_asked_for() {
    let cache = swept(INTERVAL, Clock::default());
    cache.set_many((0..90).map(|n| (n.to_string(), n)), MOMENT).unwrap();
    cache.set_many((90..100).map(|n| (n.to_string(), n)), MINUTE).unwrap();
    let start = Instant::now();
    assert_eq!(cache.stats().entries, Some(100));
    eventually("what is due leaves", MINUTE, || cache.stats().entries == Some(10));
    assert!(start.elapsed() < MOMENT + 2 * INTERVAL, "{:?}", start.elapsed());
    assert_eq!(cache.stats().expired, Some(90));
}

#[test]
fn evictions_expiries_and_removals_are_counted_apart() {
    let clock = Clock::hand();
    let cache = swept(Duration::from_millis(5), clock.clone());
    cache.set_many((0..130).map(|n| (n.to_string(), n)), Ttl::NEVER).unwrap();
    let counts = || {
        let stats = cache.stats();
        [stats.entries, stats.evicted, stats.expired, stats.removed].map(Option::unwrap)
    };
    assert_eq!(counts(), [100, 30, 0, 0]);
    let left: Vec<_> = (0..130).map(|n| n.to_string()).filter(|key| cache.exists(key).unwrap()).collect();
    left[..20].iter().for_each(|key| assert!(cache.touch(key, MINUTE).unwrap()));
    assert!(cache.delete(&left[99]).unwrap() && !cache.delete(&left[99]).unwrap());
    assert_eq!(cache.take::<i32>(&left[98]).unwrap().map(|n| n.to_string()).as_ref(), Some(&left[98]));
    assert_eq!(cache.delete_many(&left[90..]).unwrap(), 8);
    assert_eq!(counts(), [90, 30, 0, 10]);
    clock.advance(MINUTE);
    eventually("twenty are swept", MINUTE, || counts() == [70, 30, 20, 10]);
    cache.clear().unwrap();
    assert_eq!(counts(), [0, 30, 20, 10]);
    assert_eq!((cache.stats().cleared, cache.stats().replaced), (Some(70), Some(0)));
}

#[test]
fn a_thousand_caches_leave_no_thread_and_no_file_behind() {
    let _turn = turn();
    let files = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = files();
    for n in 0..1_000 {
        swept(MINUTE, Clock::default()).set("k", &n, MINUTE).unwrap();
    }
    eventually("all have ended", INTERVAL, || sweepers() == 0);
    assert_eq!(files(), before);
}

/// A value that panics when it is dropped, once it is told to.
#[derive(Clone, Deserialize, Serialize)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        let by_sweeper = thread::current().name() == Some("cache-sweeper");
        assert!(!by_sweeper, "a value's own drop panics, as this test wants it to");
    }
}

fn survives(bombs: usize) {
    let cache = swept(Duration::from_millis(10), Clock::default());
    cache.set_many((0..bombs).map(|n| (format!("bomb {n}"), Bomb)), MOMENT).unwrap();
    eventually("the bombs are swept", MINUTE, || cache.stats().entries == Some(0));
    cache.set("k", "v", MOMENT).unwrap();
    eventually("and what comes after them", MINUTE, || cache.stats().entries == Some(0));
    assert_eq!(cache.stats().expired, Some(bombs as u64 + 1));
}

#[test]
fn a_value_that_panics_when_it_is_dropped_does_not_stop_the_sweeper() {
    survives(1);
}

#[test]
fn several_values_that_panic_when_they_are_dropped_at_once_do_not_end_the_process() {
    survives(3);
}
