//! Loads that end badly or not at all, where two processes share a server: nobody waits for ever, and no key is lost.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

#[path = "lease_trouble/faults.rs"]
mod faults;
#[path = "lease_trouble/hanging.rs"]
mod hanging;
mod support;

use std::collections::HashMap;
use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, Loaded, Result, Ttl};
use support::{Kind, Pair, World, block_on, call, eventually, pairs, side_by_side};

const SECOND: Duration = Duration::from_secs(1);
/// For machines that are busy.
const PATIENCE: Duration = Duration::from_secs(10);

fn each(test: impl Fn(&Pair) + Sync) {
    side_by_side(pairs!(timeout(PATIENCE)), test);
}

/// The next call, on the other handle, loads: it is not kept by what is left of a lease of half a minute.
fn assert_free(pair: &Pair, key: &str) {
    let start = Instant::now();
    assert_eq!(pair.there.compute(key, 5_u64).unwrap(), 5, "{pair:?}");
    assert!(start.elapsed() < 2 * SECOND, "{:?} in {pair:?}", start.elapsed());
    call!(&pair.there, cache => cache.delete(key)).unwrap();
}

fn keeps_its_lease(pairs: Vec<Pair>, load_time: Duration) {
    side_by_side(pairs, |pair| {
        let (leading, policy) = (AtomicBool::new(false), pair.here.policy(|policy| policy));
        let begun = Instant::now();
        let is_over = || {
            leading.store(true, Ordering::SeqCst);
            begun.elapsed() > load_time
        };
        scope(|scope| {
            scope.spawn(|| pair.here.fetch_until("k", &policy, 7_u64, is_over).unwrap());
            eventually("one loads", PATIENCE, || leading.load(Ordering::SeqCst));
            let load = || -> Result<u64, BoxError> { panic!("it is being loaded") };
            assert_eq!(pair.there.fetch("k", &policy, load).unwrap().value, 7);
            assert!(begun.elapsed() > load_time);
        });
    });
}

#[test]
fn a_load_longer_than_its_lease_keeps_it_on_redis() {
    let pairs = pairs!(timeout(PATIENCE), lock_ttl(Duration::from_millis(500)), max_wait(3 * PATIENCE));
    keeps_its_lease(pairs.into_iter().filter(|pair| pair.kind == Kind::Redis).collect(), 2 * SECOND);
}

#[test]
fn a_load_longer_than_its_lease_keeps_it_on_memcached() {
    let pairs = pairs!(timeout(PATIENCE), lock_ttl(SECOND), max_wait(3 * PATIENCE));
    keeps_its_lease(pairs.into_iter().filter(|pair| pair.kind == Kind::Memcached).collect(), 4 * SECOND);
}

#[test]
fn a_loader_that_fails_frees_the_key_at_once() {
    each(|pair| {
        let error = pair.here.load("k", || "x".parse::<u64>()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Loader);
        assert_free(pair, "k");
    });
}

#[test]
fn a_loader_that_panics_frees_the_key_at_once() {
    each(|pair| {
        let panics = || -> Result<u64, BoxError> { resume_unwind(Box::new(())) };
        assert!(catch_unwind(AssertUnwindSafe(|| pair.here.load("k", panics))).is_err());
        assert_free(pair, "k");
    });
}

#[test]
fn a_task_that_is_dropped_frees_the_key_at_once() {
    each(|pair| {
        let World::Tasks(cache) = &pair.here else { return };
        block_on(async {
            let (begun, mut beginning) = tokio::sync::mpsc::channel::<()>(1);
            let load = async || {
                let _ = begun.send(()).await;
                std::future::pending::<Result<u64, BoxError>>().await
            };
            tokio::select! {
                _ = cache.get_or_compute("k", Ttl::NEVER, load) => unreachable!("it never ends"),
                _ = beginning.recv() => {}
            }
        });
        assert_free(pair, "k");
    });
}

#[test]
fn a_value_that_cannot_be_stored_frees_the_key_at_once() {
    each(|pair| {
        // JSON has no keys like these.
        let load = || Ok::<_, BoxError>(HashMap::from([(vec![1], 1)]));
        assert_eq!(pair.here.load("k", load).unwrap_err().kind(), ErrorKind::Encode);
        assert_free(pair, "k");
        let no_time = || Ok::<_, BoxError>(Loaded::new(1_u64).ttl(Duration::ZERO));
        let error =
            pair.here.fetch::<u64, _, _>("k", &pair.here.policy(|policy| policy), no_time).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidTtl);
        assert_free(pair, "k");
        if pair.kind == Kind::Memcached {
            let large = || Ok::<_, BoxError>("x".repeat(2 << 20));
            assert_eq!(pair.here.load("k", large).unwrap_err().kind(), ErrorKind::TooLarge);
            assert_free(pair, "k");
            let large = |_: &[String]| Ok::<_, BoxError>(HashMap::from([("k".into(), "x".repeat(2 << 20))]));
            let error = pair.here.load_many(["k".to_owned(), "l".to_owned()], large).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            assert_free(pair, "k");
            assert_free(pair, "l");
        }
    });
}

#[test]
fn a_batch_stores_what_it_can_where_one_of_its_values_cannot_be_stored() {
    each(|pair| {
        // JSON has no keys like these.
        let odd = HashMap::from([(vec![1_u8], 1_u8)]);
        let load = |_: &[String]| {
            Ok::<_, BoxError>(HashMap::from([("good".into(), HashMap::new()), ("bad".into(), odd.clone())]))
        };
        let error = pair.here.load_many(["good".to_owned(), "bad".to_owned()], load).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode);
        let stored = call!(&pair.there, cache => cache.get::<HashMap<Vec<u8>, u8>>("good")).unwrap();
        assert_eq!(stored, Some(HashMap::new()), "{pair:?}");
        assert_free(pair, "bad");
    });
}

#[test]
fn a_value_that_is_not_to_be_stored_frees_the_key_at_once() {
    each(|pair| {
        let load = || Ok::<_, BoxError>(Loaded::new(1_u64).do_not_store());
        pair.here.fetch::<u64, _, _>("k", &pair.here.policy(|policy| policy), load).unwrap();
        assert_free(pair, "k");
    });
}

type End = fn() -> Result<u64, ParseIntError>;

/// What those came to who waited on the leader's own handle, and how long after its end they knew. Who came too
/// late to wait has loaded a zero.
fn waiters(pair: &Pair, end: End) -> Vec<(Result<u64>, Duration)> {
    let (leading, before) = (AtomicBool::new(false), pair.here.stats().misses);
    scope(|scope| {
        let leader = scope.spawn(|| {
            let load = || {
                leading.store(true, Ordering::SeqCst);
                eventually("all have missed", PATIENCE, || pair.here.stats().misses > before + 4);
                end()
            };
            drop(catch_unwind(AssertUnwindSafe(|| pair.here.load("k", load))));
            Instant::now()
        });
        eventually("somebody leads", PATIENCE, || leading.load(Ordering::SeqCst));
        let wait = || (pair.here.load("k", || Ok::<u64, BoxError>(0)), Instant::now());
        let waiters: Vec<_> = (0..4).map(|_| scope.spawn(wait)).collect();
        let results: Vec<_> = waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect();
        let ended = leader.join().unwrap();
        results.into_iter().map(|(result, end)| (result, end.saturating_duration_since(ended))).collect()
    })
}

#[test]
fn who_waits_in_the_same_process_is_told_how_the_load_ended() {
    let panics: End = || resume_unwind(Box::new(()));
    let fails: End = || "x".parse();
    let ends = [(panics, ErrorKind::LoaderPanicked), (fails, ErrorKind::Loader)];
    each(|pair| {
        for (end, kind) in ends {
            call!(&pair.here, cache => cache.delete("k")).unwrap();
            let results = waiters(pair, end);
            let told = |result: &Result<u64>| result.as_ref().is_err_and(|error| error.kind() == kind);
            assert!(results.iter().any(|(result, _)| told(result)), "{results:?}");
            for (result, after) in &results {
                assert!(told(result) || matches!(result, Ok(0)), "{results:?}");
                assert!(*after < SECOND, "{results:?}");
            }
        }
    });
}

#[test]
fn who_waits_in_another_process_loads_once_the_load_has_failed() {
    each(|pair| {
        let leading = AtomicBool::new(false);
        scope(|scope| {
            scope.spawn(|| {
                pair.here.load("k", || {
                    leading.store(true, Ordering::SeqCst);
                    eventually("the other waits", PATIENCE, || pair.there.stats().misses > 0);
                    "x".parse::<u64>()
                })
            });
            eventually("somebody leads", PATIENCE, || leading.load(Ordering::SeqCst));
            let start = Instant::now();
            assert_eq!(pair.there.compute("k", 5_u64).unwrap(), 5);
            assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
        });
    });
}
