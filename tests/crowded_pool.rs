//! More callers than connections, on replies that are slow: who waits too long is told in time, and nobody waits for a
//! connection that is free.
//!
//! `SOAK_SLOW_CALLS=200` makes as many slow calls in a row on each connection.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Result, Ttl};
use serde::{Deserialize, Deserializer, Serialize};
use support::{Remote, Wire, World, call, eventually, in_time, soak};

const TIMEOUT: Duration = Duration::from_millis(500);
const SLACK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(20);

fn read(world: &World) -> (Result<Option<u64>>, Duration) {
    let start = Instant::now();
    let answer = call!(world, cache => cache.get::<u64>("k"));
    (answer, start.elapsed())
}

/// What so many threads come to that act at once.
fn crowd<R: Send>(threads: usize, act: impl Fn() -> R + Sync) -> Vec<R> {
    let small = || Builder::new().stack_size(512 * 1024);
    thread::scope(|scope| {
        let crowd: Vec<_> = (0..threads).map(|_| small().spawn_scoped(scope, &act).unwrap()).collect();
        crowd.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[test]
fn who_waits_in_vain_for_a_connection_is_told_at_the_deadline() {
    Remote::each(|remote| {
        let wire = Wire::prompt(remote.addr());
        for world in remote.worlds_at(wire.addr(), 2, TIMEOUT) {
            // Tasks on Redis share a connection, and those who ask at once are answered at once.
            let at_least = match (&world, remote) {
                (World::Tasks(_), Remote::Redis(_)) => 0,
                _ => 90,
            };
            in_time(&format!("the last of 100, {} {world:?}", remote.name()), TIMEOUT + SLACK, || {
                wire.delay_replies(Duration::ZERO);
                eventually("it works", PATIENCE, || world.health().0);
                wire.delay_replies(Duration::from_millis(300));
                let (failed, worked): (Vec<_>, Vec<_>) =
                    crowd(100, || read(&world)).into_iter().partition(|(answer, _)| answer.is_err());
                assert!(failed.len() >= at_least && !worked.is_empty(), "{} failed", failed.len());
                for (answer, took) in &failed {
                    let error = answer.as_ref().unwrap_err();
                    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
                    assert!(*took + Duration::from_millis(50) >= TIMEOUT, "{took:?} is too early: {error:?}");
                }
                failed.iter().chain(&worked).map(|(_, took)| *took).max().unwrap()
            });
            wire.delay_replies(Duration::ZERO);
        }
    });
}

#[test]
fn nobody_sleeps_on_while_a_connection_is_free() {
    Remote::each(|remote| {
        for world in remote.worlds_at(remote.addr(), 2, PATIENCE) {
            let slowest = crowd(100, || {
                let reads = (0..100).map(|_| read(&world));
                reads.map(|(answer, took)| answer.map(|_| took).unwrap()).max().unwrap()
            });
            let slowest = slowest.into_iter().max().unwrap();
            println!("10,000 rounds, {} {world:?}: {slowest:?} at most", remote.name());
            assert!(slowest < PATIENCE / 2, "{slowest:?}");
        }
    });
}

/// A value that cannot be read without a panic.
#[derive(Clone, Debug, Serialize)]
struct Grenade(u64);

impl<'de> Deserialize<'de> for Grenade {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Grenade, D::Error> {
        resume_unwind(Box::new("the value's own panic"))
    }
}

type Panic = (&'static str, fn(&World));

const PANICS: &[Panic] = &[
    ("get", |w| drop(call!(w, c => c.get::<Grenade>("k")))),
    ("get_many", |w| drop(call!(w, c => c.get_many::<Grenade>(["k"])))),
    ("take", |w| drop(call!(w, c => c.take::<Grenade>("k")))),
    ("get_with", |w| drop(call!(w, c => c.get_with("k", |_: &u64| resume_unwind(Box::new(())))))),
    ("update", |w| {
        drop(
            call!(w, c => c.update("k", Ttl::NEVER, |_: Option<u64>| -> u64 { resume_unwind(Box::new(())) })),
        );
    }),
    ("get_or_compute", |w| drop(w.load("new", || -> Result<u64, BoxError> { resume_unwind(Box::new(())) }))),
    ("get_or_compute_many", |w| {
        drop(w.load_many::<u64, BoxError>(["new".to_owned()], |_| resume_unwind(Box::new(()))));
    }),
];

#[test]
fn a_caller_that_panics_returns_its_connection() {
    Remote::each(|remote| {
        for (name, panics) in PANICS {
            let wire = Wire::prompt(remote.addr());
            for world in remote.worlds_at(wire.addr(), 1, PATIENCE) {
                let before = wire.connections();
                for _ in 0..5 {
                    call!(&world, cache => cache.set("k", &7_u64, Ttl::NEVER)).unwrap();
                    let outcome = catch_unwind(AssertUnwindSafe(|| panics(&world)));
                    assert!(outcome.is_err(), "{name} did not panic in {world:?}");
                }
                let start = Instant::now();
                call!(&world, cache => cache.set("k", &7_u64, Ttl::NEVER)).unwrap();
                assert_eq!(call!(&world, cache => cache.get::<u64>("k")).unwrap(), Some(7));
                assert!(start.elapsed() < PATIENCE / 2, "{name} in {world:?}");
                assert_eq!(wire.connections() - before, 1, "{name} in {world:?}: the one is used again");
            }
        }
    });
}

#[test]
fn replies_that_take_nine_tenths_of_the_time_all_come() {
    let (calls, timeout) = (soak("SOAK_SLOW_CALLS", 20), Duration::from_millis(400));
    let most = timeout / 10 * 9;
    // Reads on one connection, and how many of them came to nothing.
    let caller = |remote: &Remote, world: usize| {
        let wire = Wire::prompt(remote.addr());
        let world = &remote.worlds_at(wire.addr(), 1, timeout)[world];
        assert!(world.health().0);
        wire.delay_replies(most);
        let mut late = 0;
        for _ in 0..calls {
            match read(world) {
                (Ok(value), took) => assert!(value == Some(7) && took >= most, "{value:?} after {took:?}"),
                // A busy machine may take the last tenth for itself.
                (Err(error), _) => {
                    assert!(error.is_timeout(), "{error:?}");
                    late += 1;
                }
            }
        }
        assert!(late <= calls / 20, "{late} of {calls} came to nothing in {world:?}");
        assert!(wire.connections() as u64 <= 1 + late, "{} connections", wire.connections());
        late
    };
    Remote::each(|remote| {
        let [world, _] = remote.worlds(PATIENCE);
        call!(&world, cache => cache.set("k", &7_u64, Ttl::NEVER)).unwrap();
        let next = AtomicUsize::new(0);
        let late = crowd(20, || caller(remote, next.fetch_add(1, Ordering::Relaxed) % 2));
        println!("{}: {} of {} late", remote.name(), late.iter().sum::<u64>(), 20 * calls);
    });
}
