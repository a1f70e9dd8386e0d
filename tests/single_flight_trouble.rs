//! Loads that fail, panic, hang, or ask for themselves: nobody waits for ever, and no key is poisoned.
#![cfg(feature = "async")]

mod support;

use std::collections::HashMap;
use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, Memory, Result, Ttl};
use support::{World, block_on, call, eventually, worlds};

const MOMENT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(10);
const WAITERS: u64 = 8;

/// Leads a load that ends as `end` says once so many others have missed the key; returns what the others got,
/// and how long after the end the last of them knew. Who comes too late to wait loads a zero.
fn with_waiters(
    world: &World,
    end: impl Fn() -> Result<u64, ParseIntError> + Sync,
) -> (Vec<Result<u64>>, Duration) {
    let leading = AtomicBool::new(false);
    thread::scope(|scope| {
        let leader = scope.spawn(|| {
            let load = || {
                leading.store(true, Ordering::SeqCst);
                eventually("all have missed", PATIENCE, || world.stats().misses > WAITERS);
                end()
            };
            (catch_unwind(AssertUnwindSafe(|| world.load("k", load))), Instant::now())
        });
        eventually("somebody leads", PATIENCE, || leading.load(Ordering::SeqCst));
        let wait = || (world.load("k", || Ok::<u64, BoxError>(0)), Instant::now());
        let waiters: Vec<_> = (0..WAITERS).map(|_| scope.spawn(wait)).collect();
        let (led, ended) = leader.join().unwrap();
        if let Err(panic) = led {
            assert_eq!(panic.downcast_ref(), Some(&"the leader's own panic"));
        }
        let (results, ends): (Vec<_>, Vec<_>) = waiters.into_iter().map(|w| w.join().unwrap()).unzip();
        let last = ends.into_iter().map(|end| end.saturating_duration_since(ended)).max().unwrap();
        (results, last)
    })
}

#[test]
fn a_panic_goes_on_in_the_leader_and_is_told_to_those_who_wait() {
    for world in worlds!(Memory::default()) {
        let (results, after) = with_waiters(&world, || panic_any("the leader's own panic"));
        assert!(after < MOMENT, "{after:?}");
        let told = |result: &Result<u64>| match result {
            Ok(value) => *value != 0,
            Err(error) => error.kind() == ErrorKind::LoaderPanicked,
        };
        assert!(results.iter().any(told), "{results:?}");
        assert!(results.iter().all(|result| told(result) || *result.as_ref().unwrap() == 0), "{results:?}");
        call!(&world, cache => cache.delete("k")).unwrap();
        assert_eq!(world.compute("k", 5_u64).unwrap(), 5, "the next call loads");
        call!(&world, cache => cache.delete("k")).unwrap();
    }
}

#[test]
fn a_loaders_error_is_shared_as_itself_and_not_cached() {
    for world in worlds!(Memory::default()) {
        let (results, after) = with_waiters(&world, || "x".parse::<u64>());
        assert!(after < MOMENT, "{after:?}");
        let shared: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert!(!shared.is_empty());
        for error in shared {
            assert_eq!(error.kind(), ErrorKind::Loader);
            assert_eq!(error.loader::<ParseIntError>(), "x".parse::<u64>().err().as_ref());
            assert!(!error.is_retryable());
        }
        call!(&world, cache => cache.delete("k")).unwrap();
        assert_eq!(world.compute("k", 5_u64).unwrap(), 5, "the next call loads");
        call!(&world, cache => cache.delete("k")).unwrap();
    }
}

#[test]
fn who_waits_for_a_load_that_hangs_loads_alone_after_max_wait_and_stores_nothing() {
    for world in worlds!(Memory::default(), max_wait(MOMENT)) {
        let (leading, over) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            let hanging = scope.spawn(|| {
                world.load("k", || {
                    leading.store(true, Ordering::SeqCst);
                    eventually("the other is done", PATIENCE, || over.load(Ordering::SeqCst));
                    Ok::<u64, BoxError>(1)
                })
            });
            eventually("somebody leads", PATIENCE, || leading.load(Ordering::SeqCst));
            let start = Instant::now();
            assert_eq!(world.compute("k", 2_u64).unwrap(), 2);
            assert!((MOMENT..3 * MOMENT).contains(&start.elapsed()), "{:?}", start.elapsed());
            assert!(!call!(&world, cache => cache.exists("k")).unwrap(), "the leader stores, nobody else");
            over.store(true, Ordering::SeqCst);
            assert_eq!(hanging.join().unwrap().unwrap(), 1);
        });
        assert_eq!(call!(&world, cache => cache.take::<u64>("k")).unwrap(), Some(1));
    }
}

#[test]
fn a_leader_that_is_dropped_makes_way_for_another() {
    let [_, world] = worlds!(Memory::default());
    let World::Tasks(cache) = world else { unreachable!("tasks are the second world") };
    block_on(async {
        let (theirs, ours) = (cache.clone(), cache.clone());
        let hang = async || std::future::pending::<Result<u64, BoxError>>().await;
        let leader = tokio::spawn(async move { theirs.get_or_compute("k", Ttl::NEVER, hang).await });
        while cache.stats().misses < 1 {
            tokio::task::yield_now().await;
        }
        let load = async || Ok::<u64, BoxError>(2);
        let waiter = tokio::spawn(async move { ours.get_or_compute("k", Ttl::NEVER, load).await });
        while cache.stats().misses < 2 {
            tokio::task::yield_now().await;
        }
        leader.abort();
        let start = Instant::now();
        assert_eq!(waiter.await.unwrap().unwrap(), 2);
        assert!(start.elapsed() < MOMENT, "{:?}", start.elapsed());
    });
}

/// A batch of `k` and `l` that waits for the load of `k`, which ends so; what both came to.
fn batch_behind<T: lexigram_cache::Value>(
    world: &World,
    end: impl FnOnce() -> Result<u64, ParseIntError> + Send,
    own: impl Fn(&str) -> T + Sync,
) -> (Result<u64>, Result<HashMap<String, T>>) {
    let ((begin, begun), (go, gone)) = (mpsc::channel(), mpsc::channel());
    thread::scope(|scope| {
        let leader = scope.spawn(move || {
            world.load("k", || {
                begin.send(()).unwrap();
                gone.recv_timeout(PATIENCE).unwrap();
                end()
            })
        });
        begun.recv_timeout(PATIENCE).unwrap();
        let load = |missing: &[String]| {
            // It is asked for its own part once it has seen that somebody else has the rest.
            if missing == ["l"] {
                go.send(()).unwrap();
            }
            Ok::<_, BoxError>(missing.iter().map(|name| (name.clone(), own(name))).collect())
        };
        let followed = world.load_many(["k".to_owned(), "l".to_owned()], load);
        (leader.join().unwrap(), followed)
    })
}

#[test]
fn a_batch_that_waits_for_a_load_that_fails_is_told_so_and_keeps_its_own_part() {
    for world in worlds!(Memory::default()) {
        let (led, followed) = batch_behind(&world, || "x".parse(), |_| 5_u64);
        for error in [led.unwrap_err(), followed.unwrap_err()] {
            assert_eq!(error.loader::<ParseIntError>(), "x".parse::<u64>().err().as_ref());
        }
        assert_eq!(call!(&world, cache => cache.get::<u64>("l")).unwrap(), Some(5));
        call!(&world, cache => cache.clear()).unwrap();
    }
}

#[test]
fn a_batch_that_waits_for_a_value_of_another_type_loads_its_own_and_does_not_store_it() {
    for world in worlds!(Memory::default()) {
        let (led, followed) = batch_behind(&world, || Ok(7), |name| format!("own {name}"));
        assert_eq!(led.unwrap(), 7);
        let expected = ["k", "l"].map(|name| (name.to_owned(), format!("own {name}")));
        assert_eq!(followed.unwrap(), HashMap::from(expected));
        assert_eq!(call!(&world, cache => cache.get::<u64>("k")).unwrap(), Some(7));
        call!(&world, cache => cache.clear()).unwrap();
    }
}

/// A load that nobody else waited for.
#[test]
fn a_loaders_error_is_given_back_by_value_to_who_was_alone_with_it() {
    for world in worlds!(Memory::default()) {
        let error = world.load("k", || "x".parse::<u64>()).unwrap_err();
        let error = error.into_loader::<std::fmt::Error>().unwrap_err();
        let shared = error.clone();
        let error = error.into_loader::<ParseIntError>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Loader, "another has it too");
        drop(shared);
        assert_eq!(error.into_loader::<ParseIntError>().unwrap(), "x".parse::<u64>().unwrap_err());
    }
}
