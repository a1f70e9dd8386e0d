//! Replies that come when nobody waits for them any more must not answer the next question.
//!
//! Some hundreds come late by default; `SOAK_DELAYS=10000` has as many come late to each world on each server.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::thread;
use std::time::Duration;

use lexigram_cache::{Ttl, aio};
use support::{Remote, Wire, World, block_on, call, eventually, soak};

const KEYS: u64 = 200;
const TIMEOUT: Duration = Duration::from_millis(15);
const LATE: Duration = Duration::from_millis(25);

fn key(n: u64) -> String {
    format!("number {}", n % KEYS)
}

fn fill(world: &World) {
    call!(world, cache => cache.set_many((0..KEYS).map(|n| (key(n), n)), Ttl::NEVER)).unwrap();
}

/// Reads a key; if there is an answer, it is that key's.
fn read(world: &World, n: u64) -> bool {
    match call!(world, cache => cache.get::<u64>(key(n))) {
        Ok(value) => {
            assert_eq!(value, Some(n % KEYS), "{world:?} was given another key's value");
            true
        }
        Err(error) => {
            assert!(error.is_timeout(), "{error:?}");
            false
        }
    }
}

fn read_many(world: &World, n: u64) -> bool {
    let numbers = || n..n + 3;
    match call!(world, cache => cache.get_many::<u64>(numbers().map(key))) {
        Ok(values) => {
            let expected = numbers().map(|n| (key(n), n % KEYS)).collect();
            assert_eq!(values, expected, "{world:?} was given other keys' values");
            true
        }
        Err(error) => {
            assert!(error.is_timeout(), "{error:?}");
            false
        }
    }
}

/// Rounds of reads whose replies come too late, then in time, on two connections that four callers share.
/// Returns how many came too late.
fn disturbed_reads(wire: &Wire, world: &World, rounds: u64) -> u64 {
    let caller = |first: u64| {
        let (mut late, patient) = (0, world.with_timeout(Duration::from_secs(2)));
        for n in first..first + rounds {
            late += u64::from(!if n % 4 == 0 { read_many(world, n) } else { read(world, n) });
            if n % 8 == 0 {
                assert!(read(&patient, n + 1), "a patient read gets its answer");
            }
        }
        late
    };
    wire.delay_replies(LATE);
    let late = thread::scope(|scope| {
        let callers: Vec<_> = (0..4).map(|c| scope.spawn(move || caller(c * 50))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    wire.delay_replies(Duration::ZERO);
    late
}

#[test]
fn a_reply_after_the_deadline_is_never_anothers_answer() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        for world in remote.worlds_at(wire.addr(), 2, Duration::from_secs(2)) {
            fill(&world);
            let hasty = world.with_timeout(TIMEOUT);
            let wanted = soak("SOAK_DELAYS", 150);
            let mut late = 0;
            while late < wanted {
                let more = disturbed_reads(&wire, &hasty, 60);
                assert!(more > 100, "only {more} replies came late in {world:?}");
                late += more;
            }
            println!("{late} replies came late, none to another's question: {} {world:?}", remote.name());
            (0..KEYS).for_each(|n| assert!(read(&world, n)));
        }
    });
}

#[test]
fn a_connection_whose_reply_does_not_come_is_closed() {
    Remote::each(|remote| {
        let wire = Wire::prompt(remote.addr());
        for world in remote.worlds_at(wire.addr(), 2, Duration::from_secs(2)) {
            fill(&world);
            let hasty = world.with_timeout(TIMEOUT);
            for n in 0..3 {
                assert!(read(&world, n));
                wire.swallow_next();
                assert!(!read(&hasty, n));
                let closed = || wire.open_connections() == 0;
                eventually(&format!("{} {world:?} closes it", remote.name()), Duration::from_secs(5), closed);
            }
        }
    });
}

#[test]
fn a_dropped_call_leaves_nothing_for_the_next() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        let [_, world] = remote.worlds_at(wire.addr(), 2, Duration::from_secs(2));
        fill(&world);
        let World::Tasks(cache) = &world else { unreachable!("tasks are the second world") };
        wire.delay_replies(Duration::from_millis(3));
        let dropped: u64 = (0..2).map(|part| block_on(drop_at_every_stage(cache, part * 100))).sum();
        assert!(dropped > 50, "only {dropped} calls were dropped under way");
        wire.delay_replies(Duration::ZERO);
        (0..KEYS).for_each(|n| assert!(read(&world, n)));
    });
}

/// Calls that are given between no time and what they need; a second one goes on beside each.
async fn drop_at_every_stage(cache: &aio::Cache, first: u64) -> u64 {
    let mut dropped = 0;
    for n in first..first + 100 {
        let patience = Duration::from_micros(n % 100 * 100);
        let (hasty, other) = (key(n), key(n + 7));
        let (value, beside) =
            tokio::join!(tokio::time::timeout(patience, cache.get::<u64>(&hasty)), cache.get::<u64>(&other));
        match value {
            Ok(value) => assert_eq!(value.unwrap(), Some(n % KEYS)),
            Err(_) => dropped += 1,
        }
        assert_eq!(beside.unwrap(), Some((n + 7) % KEYS), "another call's value");
        assert_eq!(cache.get::<u64>(key(n + 1)).await.unwrap(), Some((n + 1) % KEYS), "a later call's value");
    }
    dropped
}

#[test]
fn after_a_stop_no_read_gets_the_value_of_another_key() {
    Remote::each(|remote| {
        for world in remote.worlds(Duration::from_millis(300)) {
            fill(&world);
            remote.stop();
            thread::scope(|scope| {
                (0..8).for_each(|n| {
                    drop(scope.spawn({
                        let world = &world;
                        move || assert!(!read(world, n))
                    }));
                });
            });
            remote.cont();
            (0..KEYS).for_each(|n| assert!(read(&world, n), "{world:?} does not work again"));
        }
    });
}

#[test]
fn a_read_whose_reply_is_cut_short_is_asked_again() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        for world in remote.worlds_at(wire.addr(), 2, Duration::from_secs(2)) {
            fill(&world);
            wire.take();
            assert!(read(&world, 199));
            for bytes in 0..wire.take()[0].reply.len() {
                wire.cut_after(bytes);
                assert!(read(&world, 199), "cut after {bytes} bytes and asked again on a fresh connection");
                assert!(read(&world, 7));
            }
        }
    });
}
