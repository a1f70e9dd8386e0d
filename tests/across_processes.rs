//! One load per key among all the processes of a server.
//!
//! `--nocapture` shows how soon those who waited had the value.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexigram_cache::BoxError;
use support::{Backing, Parent, Place, Process, with_server, worlds_at};

const PROCESSES: usize = 8;
const THREADS: usize = 100;
const LOAD: Duration = Duration::from_millis(200);
/// A hundred times what they need, which is printed: other work on the same cores may hold up 800 threads by much.
const SOON: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "cold";

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// One caller's call: when it began and ended, what it was given, and when its loader ended, if it ran.
struct Caller {
    begun: Duration,
    ended: Duration,
    value: u32,
    loaded: Option<Duration>,
}

impl Caller {
    fn told(text: &str) -> Caller {
        let [begun, ended, value, loaded] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
        let at = |nanos: &str| Duration::from_nanos(nanos.parse().unwrap());
        let loaded = Some(at(loaded)).filter(|end| !end.is_zero());
        Caller { begun: at(begun), ended: at(ended), value: value.parse().unwrap(), loaded }
    }
}

/// No thread ends and nothing is told before all have their values, in all processes: ending 800 threads takes two
/// cores longer than waking them, and is no part of a call.
fn call_all_at_once(parent: &Parent, place: Place) {
    let worlds = worlds_at!(place, prefix("app"), timeout(PATIENCE), max_wait(PATIENCE));
    let (go, over) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let (back, id) = (AtomicUsize::new(0), std::process::id());
    let call = |n: usize| {
        go.wait();
        let (mut loaded, begun) = (Duration::ZERO, now());
        let load = || {
            thread::sleep(LOAD);
            loaded = now();
            Ok::<_, BoxError>(id)
        };
        let value = worlds[n % 2].load(KEY, load).unwrap();
        let nanos = [begun, now(), loaded].map(|time| time.as_nanos());
        if back.fetch_add(1, Ordering::SeqCst) + 1 == THREADS {
            parent.tell("all are back");
        }
        over.wait();
        parent.tell(&format!("{} {} {value} {}", nanos[0], nanos[1], nanos[2]));
    };
    thread::scope(|scope| {
        let call = &call;
        (0..THREADS).for_each(|n| drop(scope.spawn(move || call(n))));
        parent.ready();
        go.wait();
        parent.hear();
        over.wait();
    });
}

fn eight_hundred_callers(test: &str, kind: Backing) {
    with_server(
        kind,
        |parent, place, _| call_all_at_once(parent, place),
        |place| {
            let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::at(place, test, "")).collect();
            processes.iter_mut().for_each(|process| process.tell("go"));
            processes.iter_mut().for_each(|process| drop(process.hear()));
            processes.iter_mut().for_each(|process| process.tell("tell"));
            let all = |process: &mut Process| {
                (0..THREADS).map(|_| Caller::told(&process.hear())).collect::<Vec<_>>()
            };
            let callers: Vec<Caller> = processes.iter_mut().flat_map(all).collect();
            assert_eq!(callers.iter().filter(|caller| caller.loaded.is_some()).count(), 1, "loads");
            assert!(callers.iter().all(|caller| caller.value == callers[0].value));
            assert_soon(kind, &callers);
        },
    );
}

/// How long after the end of the load those who waited had the value, its way to the server and back included.
fn assert_soon(kind: Backing, callers: &[Caller]) {
    let loaded = callers.iter().find_map(|caller| caller.loaded).unwrap();
    let waited = |caller: &&Caller| caller.loaded.is_none() && caller.begun < loaded;
    let delay = |caller: &Caller| caller.ended.saturating_sub(loaded);
    let first = |process: &[Caller]| process.iter().filter(waited).map(delay).min();
    println!(
        "{kind:?}: the last process noticed after {:?}",
        callers.chunks(THREADS).filter_map(first).max()
    );
    let mut delays: Vec<_> = callers.iter().filter(waited).map(delay).collect();
    delays.sort_unstable();
    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
    println!("{kind:?}: {} waiters, median {:?}, p99 {:?}, last {:?}", delays.len(), at(50), at(99), at(100));
    assert!(at(99) < SOON, "{:?}", at(99));
}

#[test]
fn eight_hundred_callers_in_eight_processes_load_once_from_redis() {
    eight_hundred_callers("eight_hundred_callers_in_eight_processes_load_once_from_redis", Backing::Redis);
}

#[test]
fn eight_hundred_callers_in_eight_processes_load_once_from_memcached() {
    eight_hundred_callers(
        "eight_hundred_callers_in_eight_processes_load_once_from_memcached",
        Backing::Memcached,
    );
}
