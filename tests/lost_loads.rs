//! What becomes of a load when the process that has begun it dies or hangs.
//!
//! `--nocapture` shows how soon another process loads.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, OnWaitTimeout, Ttl};
use support::{
    Backing, Parent, Place, Process, World, block_on, call, eventually, poll, with_server, worlds_at,
};

/// The process of a test that loads: it says so, hangs until it is told to go on, and tells what it was given.
fn hold(parent: &Parent, worlds: &[World; 2]) {
    let side: usize = parent.ready().parse().unwrap();
    let hang = || {
        parent.tell("loading");
        parent.hear();
        Ok::<_, BoxError>("holder".to_owned())
    };
    // A task's lease is renewed while its loader awaits, not while it blocks.
    let hang_awaiting = async || {
        parent.tell("loading");
        let parent = parent.clone();
        tokio::task::spawn_blocking(move || parent.hear()).await?;
        Ok::<_, BoxError>("holder".to_owned())
    };
    let value = match &worlds[side] {
        World::Threads(cache) => cache.get_or_compute(key(side), Ttl::NEVER, hang),
        World::Tasks(cache) => block_on(cache.get_or_compute(key(side), Ttl::NEVER, hang_awaiting)),
    };
    parent.tell(&value.unwrap());
}

/// The process that asks for the same key: it says when it has missed it, when it loads, and what it was given.
fn wait(parent: &Parent, worlds: &[World; 2]) {
    let side: usize = parent.ready().parse().unwrap();
    let load = || {
        parent.tell("loading");
        Ok::<_, BoxError>("waiter".to_owned())
    };
    thread::scope(|scope| {
        let value = scope.spawn(|| worlds[side].load(&key(side), load));
        eventually("it has missed the key", PATIENCE, || worlds[side].stats().misses > 0);
        parent.tell("waiting");
        let value = value.join().unwrap();
        parent.tell(&value.unwrap_or_else(|error| format!("{:?}", error.kind())));
    });
}

/// A holder in its load and a waiter that has missed the key, both of this world.
fn holder_and_waiter(test: &str, place: Place, side: usize) -> (Process, Process) {
    let (mut holder, mut waiter) = (Process::at(place, test, "hold"), Process::at(place, test, "wait"));
    holder.tell(&side.to_string());
    assert_eq!(holder.hear(), "loading");
    waiter.tell(&side.to_string());
    assert_eq!(waiter.hear(), "waiting");
    (holder, waiter)
}

fn key(side: usize) -> String {
    format!("{KEY} {side}")
}

fn held(place: Place, side: usize) -> Option<String> {
    let worlds = worlds_at!(place, prefix("app"), timeout(PATIENCE));
    call!(&worlds[side], cache => cache.get(key(side))).unwrap()
}

fn a_holder_is_killed(test: &str, kind: Backing) {
    let part = |parent: &Parent, place: Place, part: &str| {
        let worlds =
            worlds_at!(place, prefix("app"), timeout(PATIENCE), max_wait(PATIENCE), lock_ttl(LOCK_TTL));
        if part == "hold" { hold(parent, &worlds) } else { wait(parent, &worlds) }
    };
    with_server(kind, part, |place| {
        for side in 0..2 {
            let (mut holder, mut waiter) = holder_and_waiter(test, place, side);
            holder.kill();
            let dead = Instant::now();
            assert_eq!(waiter.hear(), "loading");
            println!("{kind:?}: another loads {:?} after the holder's death", dead.elapsed());
            assert!(dead.elapsed() < LOCK_TTL + SLACK, "{:?}", dead.elapsed());
            assert_eq!(waiter.hear(), "waiter");
            assert_eq!(held(place, side).as_deref(), Some("waiter"), "it loaded by right, so it stored");
        }
    });
}

#[test]
fn when_a_process_dies_in_its_load_from_redis_another_loads_soon() {
    a_holder_is_killed("when_a_process_dies_in_its_load_from_redis_another_loads_soon", Backing::Redis);
}

#[test]
fn when_a_process_dies_in_its_load_from_memcached_another_loads_soon() {
    a_holder_is_killed(
        "when_a_process_dies_in_its_load_from_memcached_another_loads_soon",
        Backing::Memcached,
    );
}

fn a_holder_hangs(test: &str, kind: Backing) {
    let part = |parent: &Parent, place: Place, part: &str| {
        let then = if part == "refuse" { OnWaitTimeout::Error } else { OnWaitTimeout::Compute };
        let worlds = worlds_at!(
            place,
            prefix("app"),
            timeout(PATIENCE),
            lock_ttl(LOCK_TTL),
            max_wait(IMPATIENCE),
            policy(|policy| policy.on_wait_timeout(then))
        );
        if part == "hold" { hold(parent, &worlds) } else { wait(parent, &worlds) }
    };
    with_server(kind, part, |place| {
        for side in 0..2 {
            let (mut holder, mut waiter) = holder_and_waiter(test, place, side);
            let waiting = Instant::now();
            assert_eq!(waiter.hear(), "loading");
            println!("{kind:?}: who waits in vain loads {:?} after its miss", waiting.elapsed());
            assert!(waiting.elapsed() < IMPATIENCE + SLACK, "{:?}", waiting.elapsed());
            assert_eq!(waiter.hear(), "waiter");
            assert_eq!(held(place, side), None, "it has no right to store");
            let mut refused = Process::at(place, test, "refuse");
            refused.tell(&side.to_string());
            assert_eq!((refused.hear(), refused.hear()), ("waiting".into(), "Timeout".into()));
            // Far beyond the time of its lock, which is renewed as long as its process lives.
            assert!(!poll(2 * LOCK_TTL, || held(place, side).is_some()), "nobody stores but the holder");
            holder.tell("go on");
            assert_eq!(holder.hear(), "holder");
            assert_eq!(held(place, side).as_deref(), Some("holder"));
        }
    });
}

#[test]
fn when_a_process_hangs_in_its_load_from_redis_the_others_load_and_leave_the_storing_to_it() {
    let test = "when_a_process_hangs_in_its_load_from_redis_the_others_load_and_leave_the_storing_to_it";
    a_holder_hangs(test, Backing::Redis);
}

#[test]
fn when_a_process_hangs_in_its_load_from_memcached_the_others_load_and_leave_the_storing_to_it() {
    let test = "when_a_process_hangs_in_its_load_from_memcached_the_others_load_and_leave_the_storing_to_it";
    a_holder_hangs(test, Backing::Memcached);
}

/// How long a load may go unheard of.
const LOCK_TTL: Duration = Duration::from_secs(2);
/// Memcached counts whole seconds, and two at least.
const SLACK: Duration = Duration::from_millis(1_500);
const IMPATIENCE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "cold";
