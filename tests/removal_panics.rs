//! A listener that panics: its caller is told by the panic, and nobody else is the worse for it.
#![cfg(feature = "async")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Clock, Memory, MemoryBuilder, Removal, Ttl};
use support::{World, call, eventually, worlds};

const MINUTE: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(10);

/// Caches whose listener counts, and panics each time.
fn panicking(set: impl FnOnce(MemoryBuilder) -> MemoryBuilder) -> ([World; 2], Arc<AtomicU64>) {
    let told = Arc::new(AtomicU64::new(0));
    let count = told.clone();
    let listener = move |_: &Removal<'_>| {
        count.fetch_add(1, Ordering::SeqCst);
        // A panic that the hook does not print.
        resume_unwind(Box::new("the listener panics, as this test wants it to"));
    };
    (worlds!(set(Memory::builder()).on_removal(listener).build().unwrap(), max_wait(PATIENCE)), told)
}

type Bound = fn(MemoryBuilder) -> MemoryBuilder;

/// Where a shard makes room by itself, and where it has to ask others.
const BOUNDED: [(u64, Bound); 3] = [
    (1, |m| m.max_entries(1)),
    (300, |m| m.max_entries(300)),
    (20, |m| m.max_entries(100_000).max_bytes(20).weigher(|_| 1)),
];

#[track_caller]
fn panics(run: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "the panic went missing");
}

fn set(world: &World, key: &str, value: u64) {
    call!(world, c => c.set(key, &value, Ttl::NEVER)).unwrap();
}

#[test]
fn a_write_that_replaces_is_done_before_its_listener_panics() {
    let (worlds, told) = panicking(|m| m);
    for (n, world) in worlds.iter().enumerate() {
        let _ = catch_unwind(AssertUnwindSafe(|| set(world, "k", 1)));
        panics(|| set(world, "k", 2));
        assert_eq!(call!(world, c => c.get::<u64>("k")).unwrap(), Some(2));
        panics(|| drop(call!(world, c => c.delete("k"))));
        assert_eq!(call!(world, c => c.get::<u64>("k")).unwrap(), None);
        assert_eq!(told.load(Ordering::SeqCst), 2 * (n as u64 + 1));
    }
}

#[test]
fn a_write_that_evicts_is_done_before_its_listener_panics() {
    for (bound, set_bound) in BOUNDED {
        let (worlds, told) = panicking(set_bound);
        (0..bound).for_each(|n| set(&worlds[0], &n.to_string(), 0));
        for n in bound..bound + 200 {
            let world = &worlds[n as usize % 2];
            panics(|| set(world, &n.to_string(), n));
            assert_eq!(call!(world, c => c.get::<u64>(n.to_string())).unwrap(), Some(n));
            assert_eq!(world.stats().entries, Some(bound));
        }
        assert_eq!(told.load(Ordering::SeqCst), 200);
    }
}

#[test]
fn a_clear_removes_and_tells_of_everything_before_it_panics() {
    let (worlds, told) = panicking(|m| m);
    for (n, world) in worlds.iter().enumerate() {
        (0..3_000).for_each(|n| set(world, &n.to_string(), n));
        panics(|| call!(world, c => c.clear()).unwrap());
        assert_eq!(world.stats().entries, Some(0));
        assert_eq!(told.load(Ordering::SeqCst), 3_000 * (n as u64 + 1));
    }
}

#[test]
fn one_sweep_removes_and_tells_of_everything_that_is_due() {
    let interval = Duration::from_millis(300);
    let clock = Clock::hand();
    let (worlds, told) = panicking(|m| m.cleanup_interval(interval).clock(clock.clone()));
    let world = &worlds[0];
    (0..3_000).for_each(|n| call!(world, c => c.set(n.to_string(), &n, MINUTE)).unwrap());
    clock.advance(MINUTE);
    eventually("a sweep begins", PATIENCE, || world.stats().entries < Some(3_000));
    let start = Instant::now();
    eventually("it ends", PATIENCE, || told.load(Ordering::SeqCst) == 3_000);
    assert!(start.elapsed() < interval, "it took more than one sweep: {:?}", start.elapsed());
    assert_eq!((world.stats().entries, world.stats().expired), (Some(0), Some(3_000)));
}

#[test]
fn those_who_wait_for_a_load_get_its_value_at_once_although_the_listener_of_its_leader_panics() {
    for (bound, set_bound) in BOUNDED {
        let (worlds, _) = panicking(set_bound);
        for world in &worlds {
            let _ = catch_unwind(AssertUnwindSafe(|| call!(world, c => c.clear())));
            (0..bound).for_each(|n| set(world, &n.to_string(), 0));
            let (leading, misses) = (AtomicBool::new(false), world.stats().misses);
            thread::scope(|scope| {
                let leader = scope.spawn(|| {
                    let load = || {
                        leading.store(true, Ordering::SeqCst);
                        eventually("the other has missed", PATIENCE, || world.stats().misses > misses + 1);
                        // Between a miss and its seat there is nothing to park on.
                        thread::sleep(Duration::from_millis(50));
                        Ok::<_, BoxError>(7_u64)
                    };
                    catch_unwind(AssertUnwindSafe(|| world.load("k", load))).is_err()
                });
                eventually("somebody leads", PATIENCE, || leading.load(Ordering::SeqCst));
                let start = Instant::now();
                let waited = world.load("k", || Err::<u64, BoxError>("nobody else has to load".into()));
                assert_eq!(waited.unwrap(), 7);
                assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
                assert!(leader.join().unwrap(), "the leader's panic went missing");
            });
            assert_eq!(call!(world, c => c.get::<u64>("k")).unwrap(), Some(7), "it was stored");
        }
    }
}
