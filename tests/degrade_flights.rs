//! Loads of a cache that degrades, and its server away: one per key for all callers of the process, threads and tasks.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Result, Ttl};
use support::{Remote, World, block_on, call, eventually};

const TIMEOUT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);

/// So many callers of one key, threads and tasks, each of whom cannot look. A load lasts until all have been told so.
/// One that comes to board after its end begins another; two at once there are never.
fn one_load_at_a_time(worlds: &[World; 2]) {
    const CALLERS: u64 = 64;
    let (running, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let sum = |of: fn(&World) -> u64| worlds.iter().map(of).sum::<u64>();
    let load = || {
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        eventually("all have missed", PATIENCE, || sum(|world| world.stats().misses) >= CALLERS);
        running.fetch_sub(1, Ordering::SeqCst);
        Ok::<u64, BoxError>(7)
    };
    thread::scope(|scope| {
        for n in 0..CALLERS {
            let world = &worlds[n as usize % 2];
            scope.spawn(move || assert_eq!(world.load("k", load).unwrap(), 7));
        }
    });
    assert_eq!(most.into_inner(), 1);
    assert_eq!(sum(|world| world.stats().loads + world.stats().joined), CALLERS);
    assert_eq!(sum(|world| world.stats().absorbed), CALLERS, "each has asked once");
    assert_eq!(sum(|world| world.stats().misses), CALLERS);
}

#[test]
fn threads_and_tasks_whose_server_is_gone_share_a_load() {
    Remote::each(|remote| {
        let (worlds, _) = remote.degrading(4, TIMEOUT);
        remote.kill();
        one_load_at_a_time(&worlds);
    });
}

#[test]
fn threads_and_tasks_whose_server_hangs_share_a_load() {
    Remote::each(|remote| {
        let (worlds, _) = remote.degrading(4, TIMEOUT);
        remote.stop();
        one_load_at_a_time(&worlds);
    });
}

#[test]
fn overlapping_batches_whose_server_is_gone_load_no_key_twice_at_once() {
    const BATCHES: usize = 16;
    Remote::each(|remote| {
        let (worlds, _) = remote.degrading(4, TIMEOUT);
        remote.kill();
        let running = Mutex::new(HashSet::new());
        let running = || running.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |of: fn(&World) -> u64| worlds.iter().map(of).sum::<u64>();
        let load = |missing: &[String]| {
            missing.iter().for_each(|name| assert!(running().insert(name.clone()), "{name} is being loaded"));
            eventually("all have missed", PATIENCE, || {
                sum(|world| world.stats().misses) >= 20 * BATCHES as u64
            });
            missing.iter().for_each(|name| assert!(running().remove(name)));
            Ok::<_, BoxError>(missing.iter().map(|name| (name.clone(), name.len())).collect())
        };
        thread::scope(|scope| {
            for batch in 0..BATCHES {
                let world = &worlds[batch % 2];
                scope.spawn(move || {
                    let names: Vec<String> = (batch..batch + 20).map(|n| format!("{n}")).collect();
                    let values = world.load_many(names.clone(), load).unwrap();
                    assert_eq!(values, names.into_iter().map(|name| (name.clone(), name.len())).collect());
                });
            }
        });
        assert_eq!(sum(|world| world.stats().absorbed), BATCHES as u64, "each has asked once");
    });
}

type Form = fn(&World, &dyn Fn() -> Result<u64, BoxError>) -> Result<u64>;

/// The value of one key, by itself or in a batch.
const FORMS: &[Form] = &[
    |world, load| world.load("k", load),
    |world, load| {
        let all = |missing: &[String]| Ok::<_, BoxError>(HashMap::from([(missing[0].clone(), load()?)]));
        Ok(world.load_many(["k".to_owned()], all)?["k"])
    },
];

#[test]
fn who_cannot_look_follows_the_load_that_its_process_began_under_a_lease() {
    Remote::each(|remote| {
        for (side, form) in [0, 1].into_iter().flat_map(|side| FORMS.iter().map(move |form| (side, form))) {
            let (worlds, _) = remote.degrading(1, TIMEOUT);
            let (leads, follows) = (&worlds[side], &worlds[1 - side]);
            assert!(follows.health().0);
            let (begin, begun) = mpsc::channel();
            let load = move || {
                remote.stop();
                begin.send(())?;
                // The fill then hangs for its whole time before the load lands, which is time enough to come aboard.
                eventually("the other has missed", PATIENCE, || follows.stats().misses > 0);
                Ok::<u64, BoxError>(7)
            };
            thread::scope(|scope| {
                let led = scope.spawn(move || leads.load("k", load));
                begun.recv().unwrap();
                assert_eq!(form(follows, &|| Err("a second load".into())).unwrap(), 7);
                assert_eq!(led.join().unwrap().unwrap(), 7);
            });
            assert_eq!((leads.stats().loads, follows.stats().joined), (1, 1));
            remote.restart();
        }
    });
}

#[test]
fn who_followed_a_load_that_was_given_up_loads_without_asking_again() {
    Remote::each(|remote| {
        for form in FORMS {
            let (worlds, _) = remote.degrading(1, TIMEOUT);
            let [follows, World::Tasks(leads)] = &worlds else { panic!("the second are tasks") };
            remote.kill();
            block_on(async {
                let (cache, (begin, begun)) = (leads.clone(), tokio::sync::oneshot::channel());
                let led = tokio::spawn(async move {
                    let load = async || {
                        let _ = begin.send(());
                        std::future::pending::<Result<u64, BoxError>>().await
                    };
                    cache.get_or_compute("k", Ttl::NEVER, load).await
                });
                begun.await.unwrap();
                thread::scope(|scope| {
                    let followed = scope.spawn(|| form(follows, &|| Ok(8)));
                    eventually("it has missed", PATIENCE, || follows.stats().misses > 0);
                    led.abort();
                    assert_eq!(followed.join().unwrap().unwrap(), 8);
                });
            });
            assert_eq!((follows.stats().absorbed, follows.stats().loads), (1, 1));
            remote.restart();
        }
    });
}

#[test]
fn an_invalidation_here_still_wins_over_a_load_that_cannot_see_the_server() {
    Remote::each(|remote| {
        let (worlds, _) = remote.degrading(2, TIMEOUT);
        remote.kill();
        for (older, newer) in [(&worlds[0], &worlds[1]), (&worlds[1], &worlds[0])] {
            let ((begin, begun), (release, released)) = (mpsc::channel(), mpsc::channel());
            thread::scope(|scope| {
                let older = scope.spawn(move || {
                    older.load("k", move || {
                        begin.send(())?;
                        released.recv()?;
                        Ok::<u64, BoxError>(1)
                    })
                });
                begun.recv().unwrap();
                assert!(!call!(newer, cache => cache.delete("k")).unwrap(), "nobody heard of it");
                assert_eq!(newer.compute("k", 2_u64).unwrap(), 2, "the older load is not joined");
                release.send(()).unwrap();
                assert_eq!(older.join().unwrap().unwrap(), 1);
            });
        }
    });
}
