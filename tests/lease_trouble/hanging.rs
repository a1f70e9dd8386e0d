//! Loads that hang: what those do who have waited in vain, on the same handle and on another.

use std::sync::mpsc::{self, Sender};
use std::thread::scope;
use std::time::{Duration, Instant};

use lexigram_cache::{
    BoxError, Cache, ErrorKind, Fetched, OnWaitTimeout, Origin, Policy, Result, Staleness, Ttl, aio,
};

use crate::support::{Kind, Pair, World, block_on, call, elsewhere, eventually, pairs, side_by_side};
use crate::{PATIENCE, SECOND, each};

const MOMENT: Duration = Duration::from_millis(300);
/// What a busy machine may add to a wait.
const SLACK: Duration = Duration::from_secs(3);

/// Runs the test while this handle's load of `k` hangs. The load ends with 1 when the test is over.
fn while_hanging(pair: &Pair, policy: &Policy, test: impl FnOnce()) -> Result<Fetched<u64>> {
    let ((begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
    let hang = move || {
        begin.send(()).unwrap();
        let _ = ended.recv_timeout(3 * PATIENCE);
        Ok::<u64, BoxError>(1)
    };
    scope(|scope| {
        let hanging = scope.spawn(move || pair.here.fetch("k", policy, hang));
        begun.recv_timeout(PATIENCE).unwrap();
        // Ends the load also where the test panics.
        let _end: Sender<()> = end;
        test();
        drop(_end);
        hanging.join().unwrap()
    })
}

fn waiting(world: &World, then: OnWaitTimeout) -> Policy {
    world.policy(|policy| policy.ttl(60 * SECOND).max_wait(MOMENT).on_wait_timeout(then))
}

fn assert_waited(start: Instant) {
    assert!((MOMENT..MOMENT + SLACK).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn who_has_waited_in_vain_loads_for_itself_and_stores_nothing() {
    each(|pair| {
        let policy = waiting(&pair.here, OnWaitTimeout::Compute);
        let led = while_hanging(pair, &policy, || {
            for world in [&pair.here, &pair.there] {
                let start = Instant::now();
                let fetched = world.fetch("k", &policy, || Ok::<u64, BoxError>(2)).unwrap();
                assert!(matches!((fetched.value, fetched.source), (2, Origin::Loaded)));
                assert_waited(start);
                assert!(!call!(world, cache => cache.exists("k")).unwrap());
            }
        });
        assert_eq!(led.unwrap().value, 1);
        assert_eq!(call!(&pair.there, cache => cache.get::<u64>("k")).unwrap(), Some(1), "who leads stores");
    });
}

#[test]
fn who_has_waited_in_vain_fails_if_its_policy_says_so() {
    each(|pair| {
        let policy = waiting(&pair.here, OnWaitTimeout::Error);
        let led = while_hanging(pair, &policy, || {
            for world in [&pair.here, &pair.there] {
                let start = Instant::now();
                let load = || -> Result<u64, BoxError> { panic!("it was not to load") };
                assert_eq!(world.fetch("k", &policy, load).unwrap_err().kind(), ErrorKind::Timeout);
                assert_waited(start);
            }
        });
        assert_eq!(led.unwrap().value, 1);
    });
}

#[test]
fn who_has_waited_in_vain_takes_the_value_that_it_did_not_want() {
    side_by_side(pairs!(timeout(PATIENCE), stale_for(10 * SECOND)), |pair| {
        // A value of half a minute ago.
        pair.put("k", "9", 40);
        let young = pair.here.policy(|policy| {
            let policy = policy.ttl(60 * SECOND).max_age(10 * SECOND);
            policy.max_wait(MOMENT).on_wait_timeout(OnWaitTimeout::Stale)
        });
        let led = while_hanging(pair, &young, || {
            for world in [&pair.here, &pair.there] {
                let start = Instant::now();
                let load = || -> Result<u64, BoxError> { panic!("it was not to load") };
                let fetched = world.fetch("k", &young, load).unwrap();
                assert!(matches!(fetched.source, Origin::Stale(Staleness::WaitTimedOut)), "{fetched:?}");
                assert_eq!(fetched.value, 9);
                assert_waited(start);
            }
        });
        assert_eq!(led.unwrap().value, 1);
    });
}

#[test]
fn who_waits_for_a_load_over_its_hard_limit_is_told() {
    each(|pair| {
        let policy = pair.here.policy(|policy| policy.hard_limit(MOMENT));
        let tell = || {
            for world in [&pair.here, &pair.there] {
                let start = Instant::now();
                let load = || -> Result<u64, BoxError> { panic!("it was not to load") };
                assert_eq!(world.fetch("k", &policy, load).unwrap_err().kind(), ErrorKind::Timeout);
                assert!(start.elapsed() < MOMENT + SLACK, "{:?}", start.elapsed());
            }
        };
        // A loader that blocks is a thread's even in a task.
        let led = while_hanging(pair, &policy, tell);
        let stored = call!(&pair.there, cache => cache.exists("k")).unwrap();
        assert!(!stored, "what came too late is not stored");
        match pair.here {
            World::Threads(_) => assert_eq!(led.unwrap().value, 1, "its own caller gets it"),
            World::Tasks(_) => drop(led),
        }
    });
}

#[test]
fn a_task_drops_a_loader_over_its_hard_limit_and_frees_the_key() {
    each(|pair| {
        let World::Tasks(cache) = &pair.here else { return };
        let policy = pair.here.policy(|policy| policy.hard_limit(MOMENT));
        let start = Instant::now();
        let never = async || std::future::pending::<Result<u64, BoxError>>().await;
        let error = block_on(cache.fetch("k", &policy, never)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_waited(start);
        crate::assert_free(pair, "k");
    });
}

#[test]
fn a_batch_over_its_hard_limit_is_not_stored() {
    side_by_side(pairs!(timeout(PATIENCE), policy(|policy| policy.hard_limit(MOMENT))), |pair| {
        let start = Instant::now();
        let load = |missing: &[String]| {
            eventually("it is too late", PATIENCE, || start.elapsed() > 2 * MOMENT);
            Ok::<_, BoxError>(missing.iter().map(|key| (key.clone(), 1_u64)).collect())
        };
        let loaded = pair.here.load_many(["k".to_owned()], load);
        if let World::Threads(_) = pair.here {
            assert_eq!(loaded.unwrap()["k"], 1, "its own caller gets it");
        }
        assert!(!call!(&pair.there, cache => cache.exists("k")).unwrap());
        crate::assert_free(pair, "k");
    });
}

#[test]
fn a_batch_that_waits_for_a_load_over_its_hard_limit_is_told() {
    side_by_side(pairs!(timeout(PATIENCE), policy(|policy| policy.hard_limit(MOMENT))), |pair| {
        let policy = pair.here.policy(|policy| policy);
        let _ = while_hanging(pair, &policy, || {
            for world in [&pair.here, &pair.there] {
                let start = Instant::now();
                let load = |_: &[String]| -> Result<_, BoxError> { panic!("it was not to load") };
                let error = world.load_many::<u64, _>(["k".to_owned()], load).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Timeout);
                assert!(start.elapsed() < MOMENT + SLACK, "{:?}", start.elapsed());
            }
        });
    });
}

/// Each asks for what the other is loading.
#[test]
fn loads_that_wait_for_each_other_in_two_processes_both_end() {
    side_by_side(pairs!(timeout(PATIENCE), max_wait(MOMENT)), |pair| {
        let both_lead = std::sync::Barrier::new(2);
        let call = |world: &World, own: &str, other: &str| {
            let start = Instant::now();
            let load = || {
                both_lead.wait();
                elsewhere(|| world.compute(other, 1_u64)).map(|n| n + 1)
            };
            // The one that gave up waiting loads alone and has 2; the other may have waited for that.
            assert!((2..=3).contains(&world.load(own, load).unwrap()));
            assert!(start.elapsed() < MOMENT + SLACK, "{:?}", start.elapsed());
        };
        scope(|scope| {
            scope.spawn(|| call(&pair.here, "a", "b"));
            scope.spawn(|| call(&pair.there, "b", "a"));
        });
    });
}

#[test]
fn a_loader_that_asks_for_its_own_key_is_told_at_once() {
    fn assert_recursive(error: &lexigram_cache::Error, start: Instant) {
        let inner = error.loader::<lexigram_cache::Error>().map(lexigram_cache::Error::kind);
        assert_eq!(inner, Some(ErrorKind::RecursiveLoad), "{error}");
        assert!(start.elapsed() < SLACK, "{:?}", start.elapsed());
    }
    each(|pair| {
        let start = Instant::now();
        let threads = |cache: &Cache| {
            let inner = || cache.get_or_compute("k", Ttl::NEVER, || Ok::<u64, BoxError>(1));
            cache.get_or_compute("k", Ttl::NEVER, inner).unwrap_err()
        };
        let tasks = async |cache: &aio::Cache| {
            let inner = async || cache.get_or_compute("k", Ttl::NEVER, async || Ok::<u64, BoxError>(1)).await;
            cache.get_or_compute("k", Ttl::NEVER, inner).await.unwrap_err()
        };
        let error = match &pair.here {
            World::Threads(cache) => threads(cache),
            World::Tasks(cache) => block_on(tasks(cache)),
        };
        assert_recursive(&error, start);
        crate::assert_free(pair, "k");
    });
}

#[test]
fn a_cache_that_is_dropped_while_others_wait_keeps_nobody() {
    for kind in [Kind::Redis, Kind::Memcached] {
        let pairs = pairs!(timeout(PATIENCE));
        for Pair { here, there, .. } in pairs.into_iter().filter(|pair| pair.kind == kind) {
            let ((begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
            let (leading, following, misses) = (here.clone(), here.clone(), here.clone());
            let leader = std::thread::spawn(move || {
                leading.load("k", || {
                    begin.send(()).unwrap();
                    let _ = ended.recv_timeout(PATIENCE);
                    Ok::<u64, BoxError>(1)
                })
            });
            begun.recv_timeout(PATIENCE).unwrap();
            let waiters = [following, there]
                .map(|world| std::thread::spawn(move || world.load("k", || Ok::<u64, BoxError>(1))));
            eventually("one waits", PATIENCE, || misses.stats().misses > 1);
            drop((here, misses, end));
            assert_eq!(leader.join().unwrap().unwrap(), 1);
            waiters.into_iter().for_each(|waiter| assert_eq!(waiter.join().unwrap().unwrap(), 1));
        }
    }
}

#[test]
fn without_protection_nobody_waits_and_nobody_is_kept() {
    side_by_side(pairs!(timeout(PATIENCE), protection(false)), |pair| {
        let policy = pair.here.policy(|policy| policy);
        let led = while_hanging(pair, &policy, || {
            for world in [&pair.here, &pair.there] {
                let start = Instant::now();
                assert_eq!(world.compute("k", 2_u64).unwrap(), 2);
                assert!(start.elapsed() < SLACK, "{:?}", start.elapsed());
            }
        });
        assert_eq!(led.unwrap().value, 1);
    });
}
