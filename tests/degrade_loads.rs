//! Loads of a cache that degrades, and its server away: they run, wait for the server once, and store nothing.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, EventKind, Fetched, Origin, Result, Ttl};
use support::{Heard, Remote, Trouble, World, block_on, call, eventually};

const TIMEOUT: Duration = Duration::from_millis(500);
const SLACK: Duration = Duration::from_millis(100);
/// Less than this is one wait, also on a busy machine.
const TWICE: Duration = Duration::from_millis(900);
const PATIENCE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3_600);

type Load = (&'static str, fn(&World, &AtomicU64) -> Result<u64>);

/// Each loading verb, with the value it gave and a count of how often it loaded.
const LOADS: &[Load] = &[
    ("get_or_compute", |w, loads| w.load("k", || count(loads))),
    ("get_or_compute", |w, loads| w.load_arc("k", || count(loads)).map(|value| *value)),
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
                remote.restart();
                assert_eq!((loaded.unwrap(), loads.into_inner()), (7, 1));
                assert!(took < TWICE, "{name} took {took:?} in {world:?}");
                given_up_once(&heard);
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
            assert!(took < TWICE, "{took:?} in {world:?}");
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
