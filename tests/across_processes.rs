//! One load per key among all the processes of a server.
//!
//! `--nocapture` shows how soon those who waited had the value.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexigram_cache::BoxError;
use support::{Kind, Parent, Place, Process, with_server, worlds_at};

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
        parent.ready();
        go.wait();
    });
}

fn eight_hundred_callers(test: &str, kind: Kind) {
    with_server(
        kind,
        |parent, place, _| call_all_at_once(parent, place),
        |place| {
            let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::at(place, test, "")).collect();
            processes.iter_mut().for_each(|process| process.tell("go"));
            let all = |process: &mut Process| {
                (0..THREADS).map(|_| Caller::told(&process.hear())).collect::<Vec<_>>()
            };
            let callers: Vec<Caller> = processes.iter_mut().flat_map(all).collect();
            assert_eq!(callers.iter().filter(|caller| caller.loaded).count(), 1, "loads");
            assert!(callers.iter().all(|caller| caller.value == callers[0].value));
            assert_soon(kind, &callers);
        },
    );
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
