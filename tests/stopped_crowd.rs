//! Sixty-four threads on a server that stands still: each call ends in time, and no thread is left over.
//!
//! A moment by default; `SOAK_STOPPED_SECONDS=30` stands still for as long.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", target_os = "linux"))]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use support::{
    Backing, Parent, Place, Process, Remote, World, call, eventually, of_this_process, soak, worlds_at,
};

const TIMEOUT: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_millis(600);
const THREADS: usize = 64;

#[test]
fn threads_on_a_stopped_redis_end_in_time_and_none_is_left() {
    on(Backing::Redis, "threads_on_a_stopped_redis_end_in_time_and_none_is_left");
}

#[test]
fn threads_on_a_stopped_memcached_end_in_time_and_none_is_left() {
    on(Backing::Memcached, "threads_on_a_stopped_memcached_end_in_time_and_none_is_left");
}

/// The callers have a process of their own, so that its threads can be counted.
fn on(kind: Backing, test: &str) {
    if let Some(parent) = Parent::find() {
        return be_the_callers(&parent, parent.given().parse().unwrap());
    }
    let remote = Remote::start(kind);
    let mut callers = Process::start(test, &Place { kind, addr: remote.addr() }.to_string());
    for world in ["threads", "tasks"] {
        // A busy machine may hold a thread up; a promise that is broken is broken each time.
        let slowest =
            (0..3).map(|_| stand_still(&remote, &mut callers, world)).find(|slowest| *slowest <= LIMIT);
        callers.tell("on");
        assert!(slowest.is_some(), "{world} on {kind:?} take longer than {LIMIT:?} each time");
    }
}

/// How long the slowest call took while the server stood still.
fn stand_still(remote: &Remote, callers: &mut Process, world: &str) -> Duration {
    callers.tell("warm up");
    let before: u64 = callers.hear().parse().unwrap();
    remote.stop();
    callers.tell("call");
    let slowest = Duration::from_micros(callers.hear().parse().unwrap());
    let calls = callers.hear();
    remote.cont();
    // The figure of the promise, not a wait for something.
    thread::sleep(Duration::from_secs(1));
    callers.tell("count");
    let after: u64 = callers.hear().parse().unwrap();
    println!("{calls} calls by {world} on {}: {slowest:?}; {before}, then {after} threads", remote.name());
    assert_eq!(after, before, "threads of the process");
    slowest
}

fn be_the_callers(parent: &Parent, place: Place) {
    for world in &worlds_at!(place, prefix("app"), timeout(TIMEOUT)) {
        while parent.hear() == "warm up" {
            eventually("it works", 10 * TIMEOUT, || world.health().0);
            crowd(world, Duration::ZERO);
            parent.tell(&of_this_process("Threads").to_string());
            parent.hear();
            let time = Duration::from_secs(soak("SOAK_STOPPED_SECONDS", 1));
            let took = crowd(world, time);
            parent.tell(&took.iter().max().unwrap().as_micros().to_string());
            parent.tell(&took.len().to_string());
            parent.hear();
            parent.tell(&of_this_process("Threads").to_string());
        }
    }
}

/// How long each call took that these threads made for so long, at least one each.
fn crowd(world: &World, time: Duration) -> Vec<Duration> {
    let begun = Instant::now();
    let caller = || {
        let mut took = Vec::new();
        while took.is_empty() || begun.elapsed() < time {
            let start = Instant::now();
            let answer = call!(world, cache => cache.get::<u64>("k"));
            took.push(start.elapsed());
            assert_eq!(answer.is_err(), !time.is_zero(), "{answer:?}");
            assert!(answer.is_ok() || answer.is_err_and(|error| error.is_retryable()));
        }
        took
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    })
}
