//! One load per key among the processes of a server, and what becomes of it when the process that loads dies or hangs.
//!
//! `--nocapture` shows how soon those who waited had the value.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lexigram_cache::BoxError;
use support::{
    Kind, MemcachedServer, Parent, Place, Process, RedisServer, World, call, eventually, worlds_at,
};

const PROCESSES: usize = 8;
const THREADS: usize = 100;
const LOAD: Duration = Duration::from_millis(200);
/// A machine with two cores wakes 800 threads; what they need is printed.
const SOON: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "cold";

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Runs `child` in the processes that a test starts, and `test` on a server of its own in the first one.
fn with_server(kind: Kind, child: impl FnOnce(&Parent, &str, Place), test: impl FnOnce(Place)) {
    if let Some(parent) = Parent::find() {
        let (part, place) = parent.given().split_once(' ').unwrap();
        return child(&parent, part, place.parse().unwrap());
    }
    if kind == Kind::Redis {
        let server = RedisServer::start();
        return test(Place { kind, addr: server.addr() });
    }
    let server = MemcachedServer::start();
    test(Place { kind, addr: server.addr() });
}

/// A process that plays this part, and is ready to.
fn start(test: &str, part: &str, place: Place) -> Process {
    let mut process = Process::start(test, &format!("{part} {place}"));
    assert_eq!(process.hear(), "ready");
    process
}

/// One caller's call: when it began and ended, what it was given, and whether it was the one that loaded.
struct Caller {
    begun: Duration,
    ended: Duration,
    value: u32,
    loaded: bool,
}

impl Caller {
    fn told(text: &str) -> Caller {
        let [begun, ended, value, loaded] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
        let at = |nanos: &str| Duration::from_nanos(nanos.parse().unwrap());
        let (value, loaded) = (value.parse().unwrap(), loaded.parse().unwrap());
        Caller { begun: at(begun), ended: at(ended), value, loaded }
    }
}

fn call_all_at_once(parent: &Parent, place: Place) {
    let worlds = worlds_at!(place, prefix("app"), timeout(PATIENCE), max_wait(PATIENCE));
    let (go, id) = (Barrier::new(THREADS + 1), std::process::id());
    let call = |n: usize| {
        go.wait();
        let (mut loaded, begun) = (false, now());
        let load = || {
            loaded = true;
            thread::sleep(LOAD);
            Ok::<_, BoxError>(id)
        };
        let value = worlds[n % 2].load(KEY, load).unwrap();
        parent.tell(&format!("{} {} {value} {loaded}", begun.as_nanos(), now().as_nanos()));
    };
    thread::scope(|scope| {
        let call = &call;
        (0..THREADS).for_each(|n| drop(scope.spawn(move || call(n))));
        parent.tell("ready");
        parent.hear();
        go.wait();
    });
}

fn eight_hundred_callers(test: &str, kind: Kind) {
    let child = |parent: &Parent, _: &str, place: Place| call_all_at_once(parent, place);
    with_server(kind, child, |place| {
        let mut processes: Vec<_> = (0..PROCESSES).map(|_| start(test, "caller", place)).collect();
        processes.iter_mut().for_each(|process| process.tell("go"));
        let all =
            |process: &mut Process| (0..THREADS).map(|_| Caller::told(&process.hear())).collect::<Vec<_>>();
        let callers: Vec<Caller> = processes.iter_mut().flat_map(all).collect();
        assert_eq!(callers.iter().filter(|caller| caller.loaded).count(), 1, "loads");
        assert!(callers.iter().all(|caller| caller.value == callers[0].value));
        assert_soon(kind, &callers);
    });
}

/// How long after the loader's own return those who waited had the value.
fn assert_soon(kind: Kind, callers: &[Caller]) {
    let filled = callers.iter().find(|caller| caller.loaded).unwrap().ended;
    let waiters = callers.iter().filter(|caller| !caller.loaded && caller.begun < filled);
    let mut delays: Vec<_> = waiters.map(|caller| caller.ended.saturating_sub(filled)).collect();
    delays.sort_unstable();
    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
    println!("{kind:?}: {} waiters, median {:?}, p99 {:?}, last {:?}", delays.len(), at(50), at(99), at(100));
    assert!(at(99) < SOON, "{:?}", at(99));
}

#[test]
fn eight_hundred_callers_in_eight_processes_load_once_from_redis() {
    eight_hundred_callers("eight_hundred_callers_in_eight_processes_load_once_from_redis", Kind::Redis);
}

#[test]
fn eight_hundred_callers_in_eight_processes_load_once_from_memcached() {
    eight_hundred_callers(
        "eight_hundred_callers_in_eight_processes_load_once_from_memcached",
        Kind::Memcached,
    );
}

/// The process of a test that loads: it says so, hangs until it is told to go on, and tells what it was given.
fn hold(parent: &Parent, worlds: &[World; 2]) {
    parent.tell("ready");
    let side: usize = parent.hear().parse().unwrap();
    let load = || {
        parent.tell("loading");
        parent.hear();
        Ok::<_, BoxError>("holder".to_owned())
    };
    parent.tell(&worlds[side].load(&key(side), load).unwrap());
}

/// The process that asks for the same key: it says when it has missed it, when it loads, and what it was given.
fn wait(parent: &Parent, worlds: &[World; 2]) {
    parent.tell("ready");
    let side: usize = parent.hear().parse().unwrap();
    let load = || {
        parent.tell("loading");
        Ok::<_, BoxError>("waiter".to_owned())
    };
    thread::scope(|scope| {
        let value = scope.spawn(|| worlds[side].load(&key(side), load).unwrap());
        eventually("it has missed the key", PATIENCE, || worlds[side].stats().misses > 0);
        parent.tell("waiting");
        parent.tell(&value.join().unwrap());
    });
}

fn play(parent: &Parent, part: &str, worlds: &[World; 2]) {
    match part {
        "hold" => hold(parent, worlds),
        _ => wait(parent, worlds),
    }
}

/// A holder in its load and a waiter that has missed the key, both of this world.
fn holder_and_waiter(test: &str, place: Place, side: usize) -> (Process, Process) {
    let (mut holder, mut waiter) = (start(test, "hold", place), start(test, "wait", place));
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

fn a_holder_is_killed(test: &str, kind: Kind) {
    let child = |parent: &Parent, part: &str, place: Place| {
        play(parent, part, &worlds_at!(place, prefix("app"), timeout(PATIENCE), max_wait(PATIENCE)));
    };
    with_server(kind, child, |place| {
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
    a_holder_is_killed("when_a_process_dies_in_its_load_from_redis_another_loads_soon", Kind::Redis);
}

#[test]
fn when_a_process_dies_in_its_load_from_memcached_another_loads_soon() {
    a_holder_is_killed("when_a_process_dies_in_its_load_from_memcached_another_loads_soon", Kind::Memcached);
}

fn a_holder_hangs(test: &str, kind: Kind) {
    let child = |parent: &Parent, part: &str, place: Place| {
        let wait = IMPATIENCE;
        play(parent, part, &worlds_at!(place, prefix("app"), timeout(PATIENCE), max_wait(wait)));
    };
    with_server(kind, child, |place| {
        for side in 0..2 {
            let (mut holder, mut waiter) = holder_and_waiter(test, place, side);
            let waiting = Instant::now();
            assert_eq!(waiter.hear(), "loading");
            println!("{kind:?}: who waits in vain loads {:?} after its miss", waiting.elapsed());
            assert!(waiting.elapsed() < IMPATIENCE + SLACK, "{:?}", waiting.elapsed());
            assert_eq!(waiter.hear(), "waiter");
            assert_eq!(held(place, side), None, "it has no right to store");
            holder.tell("go on");
            assert_eq!(holder.hear(), "holder");
            assert_eq!(held(place, side).as_deref(), Some("holder"));
        }
    });
}

#[test]
fn when_a_process_hangs_in_its_load_from_redis_the_others_load_and_leave_the_storing_to_it() {
    let test = "when_a_process_hangs_in_its_load_from_redis_the_others_load_and_leave_the_storing_to_it";
    a_holder_hangs(test, Kind::Redis);
}

#[test]
fn when_a_process_hangs_in_its_load_from_memcached_the_others_load_and_leave_the_storing_to_it() {
    let test = "when_a_process_hangs_in_its_load_from_memcached_the_others_load_and_leave_the_storing_to_it";
    a_holder_hangs(test, Kind::Memcached);
}

/// How long a load may go unheard of.
const LOCK_TTL: Duration = Duration::from_secs(1);
/// Memcached counts whole seconds.
const SLACK: Duration = Duration::from_millis(1_500);
const IMPATIENCE: Duration = Duration::from_millis(300);
