//! Corners of a fetch: loads that are forced, values that cannot be read, no backoff, lifetimes at the edge.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::scope;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Cache, ErrorKind, Memory, Origin};
use support::{Pair, World, call, eventually, pairs, side_by_side, worlds};

const MINUTE: Duration = Duration::from_secs(60);
/// For machines that are busy.
const PATIENCE: Duration = Duration::from_secs(10);

fn each(test: impl Fn(&Pair) + Sync) {
    side_by_side(pairs!(stale_for(MINUTE), timeout(PATIENCE)), test);
}

#[test]
fn a_forced_load_waits_for_no_older_one_and_is_the_one_that_is_stored() {
    each(|pair| {
        let older = pair.there.policy(|policy| policy.ttl(MINUTE));
        let forced = pair.here.policy(|policy| policy.ttl(MINUTE).force());
        let go_on = AtomicU32::new(0);
        scope(|scope| {
            let hung = scope
                .spawn(|| pair.there.fetch_until("k", &older, 1_u32, || go_on.load(Ordering::SeqCst) > 0));
            eventually("the older load has its lease", PATIENCE, || pair.text("k").is_some());
            let start = Instant::now();
            let fetched = pair.here.fetch("k", &forced, || Ok::<_, BoxError>(2_u32)).unwrap();
            assert!(matches!((fetched.value, fetched.source), (2, Origin::Loaded)));
            assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
            go_on.store(1, Ordering::SeqCst);
            assert_eq!(hung.join().unwrap().unwrap().value, 1, "its own caller has it");
            assert_eq!(call!(&pair.here, cache => cache.get::<u32>("k")).unwrap(), Some(2));
        });
    });
}

/// Runs this while another caller of the same process loads `k`, which comes to 1.
fn beside_a_load(world: &World, act: impl FnOnce()) {
    let ((begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
    scope(|scope| {
        let loading = scope.spawn(move || {
            let load = || {
                begin.send(()).unwrap();
                let _ = ended.recv_timeout(PATIENCE);
                Ok::<_, BoxError>(1_u32)
            };
            world.load("k", load).unwrap()
        });
        begun.recv_timeout(PATIENCE).unwrap();
        // Ends the load also where the test panics.
        let _end = end;
        act();
        drop(_end);
        assert_eq!(loading.join().unwrap(), 1, "its own caller has it");
    });
}

#[test]
fn in_memory_too_a_forced_load_waits_for_no_older_one_and_is_the_one_that_is_stored() {
    for world in worlds!(Memory::default()) {
        beside_a_load(&world, || {
            let forced = world.policy(|policy| policy.ttl(MINUTE).force());
            let start = Instant::now();
            let fetched = world.fetch("k", &forced, || Ok::<_, BoxError>(2_u32)).unwrap();
            assert!(matches!((fetched.value, fetched.source), (2, Origin::Loaded)));
            assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
        });
        assert_eq!(call!(&world, cache => cache.take::<u32>("k")).unwrap(), Some(2));
    }
}

#[test]
fn without_a_backoff_a_failed_reload_leaves_no_mark() {
    each(|pair| {
        let policy = pair.here.policy(|policy| policy.ttl(MINUTE).backoff(Duration::ZERO));
        pair.put("k", "1", 30);
        let vain = || Err::<u32, BoxError>("the origin is down".into());
        assert!(pair.here.fetch("k", &policy, vain).unwrap().is_stale());
        eventually("the mark is cleared", PATIENCE, || !pair.is_marked("k"));
        assert_eq!(pair.here.fetch("k", &policy, || Ok::<_, BoxError>(2_u32)).unwrap().value, 2);
    });
}

/// Calls a loader that counts from many threads at once; says how often it ran.
fn loads_of_a_crowd(call: impl Fn(&dyn Fn() -> u32) + Sync) -> u32 {
    const CROWD: usize = 16;
    let (loads, start) = (AtomicU32::new(0), Barrier::new(CROWD));
    let load = || {
        // Long enough for all to come.
        std::thread::sleep(Duration::from_millis(300));
        loads.fetch_add(1, Ordering::SeqCst) + 1
    };
    scope(|scope| {
        for _ in 0..CROWD {
            scope.spawn(|| {
                start.wait();
                call(&load);
            });
        }
    });
    loads.load(Ordering::SeqCst)
}

#[test]
fn a_value_that_cannot_be_read_is_loaded_once_for_all() {
    each(|pair| {
        pair.put("k", "\"text\"", 3_600);
        let loads = loads_of_a_crowd(|load| {
            assert_eq!(pair.here.load("k", || Ok::<_, BoxError>(load())).unwrap(), 1);
        });
        assert_eq!(loads, 1);
    });
}

#[test]
fn a_value_that_cannot_be_read_is_loaded_once_for_all_batches() {
    // Without time past their end, so that the first look is the shortest.
    side_by_side(pairs!(timeout(PATIENCE)), |pair| {
        pair.put("k", "\"text\"", 3_600);
        let loads = loads_of_a_crowd(|load| {
            let load = |missing: &[String]| {
                let value = load();
                Ok::<_, BoxError>(missing.iter().map(|name| (name.clone(), value)).collect())
            };
            let values = pair.here.load_many(["k".to_owned()], load).unwrap();
            assert_eq!(values["k"], 1);
        });
        assert_eq!(loads, 1);
    });
}

#[test]
fn a_batch_that_is_not_shared_does_not_bring_back_what_was_deleted_meanwhile() {
    side_by_side(pairs!(protection(false), timeout(PATIENCE)), |pair| {
        let load = |missing: &[String]| {
            support::elsewhere(|| call!(&pair.there, cache => cache.delete("k"))).unwrap();
            Ok::<_, BoxError>(missing.iter().map(|name| (name.clone(), 1_u32)).collect())
        };
        assert_eq!(pair.here.load_many(["k".to_owned()], load).unwrap().len(), 1);
        assert_eq!(call!(&pair.here, cache => cache.get::<u32>("k")).unwrap(), None);
    });
}

#[test]
fn a_time_that_leaves_no_room_for_lifetimes_is_refused() {
    let error = Cache::builder().stale_for(Duration::MAX).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("stale_for"), "{error}");
}
