//! Loads of a cache that degrades, and its server away: they run, once per key for all callers of the process.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, EventKind, Fetched, Origin, Result, Ttl};
use support::{Heard, Remote, Trouble, World, block_on, call, eventually};

const TIMEOUT: Duration = Duration::from_millis(300);
const SLACK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3_600);

type Load = (&'static str, fn(&World, &AtomicU64) -> Result<u64>);

/// Each loading verb, with the value it gave and a count of how often it loaded.
const LOADS: &[Load] = &[
    ("get_or_compute", |w, loads| w.load("k", || count(loads))),
    ("fetch", |w, loads| {
        let fetched: Fetched<u64> = w.fetch("k", &w.policy(|policy| policy), || count(loads))?;
        assert!(matches!(fetched.source, Origin::Loaded), "{fetched:?}");
        Ok(fetched.value)
    }),
    ("fetch_in_background", |w, loads| {
        // A value that is missing is loaded by its caller.
        let fetched = w.fetch_beside("k", &w.policy(|policy| policy), || Ok::<u64, BoxError>(7))?;
        count(loads).unwrap();
        Ok(fetched.value)
    }),
    ("get_or_compute_many", |w, loads| {
        let all = |missing: &[String]| {
            let value = count(loads)?;
            Ok::<_, BoxError>(missing.iter().map(|name| (name.clone(), value)).collect())
        };
        let values: HashMap<String, u64> = w.load_many(["k".to_owned(), "l".to_owned()], all)?;
        assert_eq!(values.len(), 2);
        Ok(values["k"])
    }),
];

fn count(loads: &AtomicU64) -> Result<u64, BoxError> {
    loads.fetch_add(1, Ordering::SeqCst);
    Ok(7)
}

/// Loads once, in time, with one failure absorbed, since the server is not asked again.
fn loads_in_time((name, load): &Load, world: &World, heard: &Heard) -> ErrorKind {
    let (loads, before, start) = (AtomicU64::new(0), world.stats(), Instant::now());
    assert_eq!(load(world, &loads).expect(name), 7);
    assert!(start.elapsed() < TIMEOUT + SLACK, "{name} took {:?} in {world:?}", start.elapsed());
    let told = heard.take();
    let [trouble] = &told[..] else { panic!("{name} in {world:?} told {told:?}") };
    assert!(trouble.is_absorbed && trouble.operation == *name, "{trouble:?}");
    let after = world.stats();
    assert_eq!((loads.into_inner(), after.loads - before.loads), (1, 1), "{name}");
    assert_eq!((after.absorbed - before.absorbed, after.errors - before.errors), (1, 1), "{name}");
    trouble.kind
}

#[test]
fn with_its_server_gone_each_loading_verb_loads_and_stores_nothing() {
    Remote::each(|remote| {
        let (worlds, heard) = remote.degrading(2, TIMEOUT);
        remote.kill();
        for world in &worlds {
            for load in LOADS {
                assert_eq!(loads_in_time(load, world, &heard), ErrorKind::Unavailable);
            }
        }
        remote.restart();
        assert_eq!(call!(&worlds[0], cache => cache.get::<u64>("k")).unwrap(), None);
        for world in &worlds {
            assert_eq!(world.compute("k", 8_u64).unwrap(), 8);
        }
        assert_eq!(worlds[0].stats().joined + worlds[1].stats().hits, 1, "the first stored it");
    });
}

#[test]
fn with_its_server_hanging_each_loading_verb_waits_for_it_once() {
    Remote::each(|remote| {
        let (worlds, heard) = remote.degrading(1, TIMEOUT);
        worlds.iter().for_each(|world| assert!(world.health().0));
        remote.stop();
        for world in &worlds {
            for load in LOADS {
                assert_eq!(loads_in_time(load, world, &heard), ErrorKind::Timeout);
            }
        }
    });
}

/// One failure was told: the server was not asked again. A request that went into a connection which had just died may have been applied, and is
/// not hidden.
fn given_up_once(heard: &Heard) -> Trouble {
    let told = heard.take();
    let [trouble] = &told[..] else { panic!("told {told:?}") };
    assert_eq!(trouble.is_absorbed, trouble.kind != ErrorKind::Ambiguous, "{trouble:?}");
    trouble.clone()
}

#[test]
fn a_server_that_begins_to_hang_after_the_look_is_waited_for_once() {
    Remote::each(|remote| {
        for side in 0..2 {
            for (name, load) in LOADS {
                let (worlds, heard) = remote.degrading(1, TIMEOUT);
                let (world, loads) = (&worlds[side], AtomicU64::new(0));
                assert!(world.health().0);
                let mut stopped = None;
                let is_miss = |kind: &EventKind<'_>| matches!(kind, EventKind::Miss(_));
                let loaded = heard.interrupt(
                    is_miss,
                    || load(world, &loads),
                    || {
                        remote.stop();
                        stopped = Some(Instant::now());
                    },
                );
                let took = stopped.map(|stopped| stopped.elapsed()).unwrap();
                remote.cont();
                assert_eq!((loaded.unwrap(), loads.into_inner()), (7, 1));
                assert!(took < TIMEOUT + SLACK, "{name} took {took:?} in {world:?}");
                given_up_once(&heard);
                eventually("what the load left is gone", PATIENCE, || {
                    let _ = call!(world, cache => cache.delete("k"));
                    world.health().0
                });
            }
        }
    });
}

/// A value that is always early, so that whoever fetches it reloads it.
fn put_early(world: &World) {
    call!(world, cache => cache.set("k", &1_u64, HOUR / 4)).unwrap();
}

fn always_early(world: &World) -> lexigram_cache::Policy {
    world.policy(|policy| policy.ttl(HOUR).refresh_ahead(0.5))
}

#[test]
fn a_server_that_begins_to_hang_before_a_reload_is_waited_for_once() {
    Remote::each(|remote| {
        for (side, works) in [(0, true), (0, false), (1, true), (1, false)] {
            let (worlds, heard) = remote.degrading(1, TIMEOUT);
            let world = &worlds[side];
            put_early(world);
            let is_hit = |kind: &EventKind<'_>| matches!(kind, EventKind::Hit(1));
            let policy = always_early(world);
            let load = || if works { Ok(2) } else { Err(BoxError::from("the origin is down")) };
            let mut stopped = None;
            let fetched: Fetched<u64> = heard.interrupt(
                is_hit,
                || world.fetch("k", &policy, load).unwrap(),
                || {
                    remote.stop();
                    stopped = Some(Instant::now());
                },
            );
            let took = stopped.map(|stopped| stopped.elapsed()).unwrap();
            remote.restart();
            assert_eq!(fetched.value, if works { 2 } else { 1 });
            assert!(took < TIMEOUT + SLACK, "{took:?} in {world:?}");
            given_up_once(&heard);
        }
    });
}

#[test]
fn a_reload_in_the_background_whose_server_dies_costs_nobody_anything() {
    Remote::each(|remote| {
        for side in 0..2 {
            let (worlds, heard) = remote.degrading(1, TIMEOUT);
            let world = &worlds[side];
            put_early(world);
            let (release, released) = mpsc::channel::<()>();
            let load = move || {
                released.recv()?;
                Ok(2)
            };
            let fetched: Fetched<u64> = world.fetch_beside("k", &always_early(world), load).unwrap();
            assert_eq!(fetched.value, 1);
            remote.kill();
            release.send(()).unwrap();
            eventually("its store was given up", PATIENCE, || world.stats().errors == 1);
            world.close();
            assert_eq!(given_up_once(&heard).operation, "fetch_in_background");
            remote.restart();
        }
    });
}

#[test]
fn a_server_that_dies_during_the_load_costs_the_value_nothing() {
    Remote::each(|remote| {
        for side in 0..2 {
            let (worlds, heard) = remote.degrading(1, TIMEOUT);
            let world = &worlds[side];
            let load = || {
                remote.kill();
                Ok::<_, BoxError>(7_u64)
            };
            assert_eq!(world.load("k", load).unwrap(), 7);
            assert_eq!(given_up_once(&heard).operation, "get_or_compute");
            remote.restart();
        }
    });
}

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

/// The value of one key, by itself or in a batch.
const FORMS: &[fn(&World, &dyn Fn() -> Result<u64, BoxError>) -> Result<u64>] = &[
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

#[test]
fn what_the_loader_does_wrong_fails_as_ever() {
    Remote::each(|remote| {
        let (worlds, _) = remote.degrading(2, TIMEOUT);
        remote.kill();
        for world in &worlds {
            let error = world.load("k", || Err::<u64, BoxError>("the origin is down".into())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Loader, "{error}");
            let many = |_: &[String]| Err::<HashMap<String, u64>, BoxError>("the origin is down".into());
            let error = world.load_many(["k".to_owned()], many).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Loader, "{error}");
            let error = match world {
                World::Threads(cache) => cache.get_or_compute("k", Ttl::NEVER, || {
                    cache.get_or_compute("k", Ttl::NEVER, || Ok::<u64, BoxError>(7))
                }),
                World::Tasks(cache) => block_on(cache.get_or_compute("k", Ttl::NEVER, async || {
                    cache.get_or_compute("k", Ttl::NEVER, async || Ok::<u64, BoxError>(7)).await
                })),
            };
            let error = error.unwrap_err();
            let own = error.loader::<lexigram_cache::Error>().expect("the inner call failed");
            assert_eq!(own.kind(), ErrorKind::RecursiveLoad, "{own}");
            assert_eq!(world.compute("k", 7_u64).unwrap(), 7, "the key is not spoiled");
        }
    });
}
