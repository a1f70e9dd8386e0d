//! One quota among all the processes of a server, or all the threads of one.

use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{Clock, Quota};

use crate::limiter::{Ground, Limiter, Setting};
use crate::support::{Backing, Parent, Place, Process, with_server};

const PROCESSES: usize = 8;
/// Of each process.
const THREADS: usize = 4;
const CHECKS: usize = 60;
const LIMIT: u64 = 100;
const PERIOD: Duration = Duration::from_secs(10);
const EACH: Duration = Duration::from_millis(100);

/// GCRA gives a permit back each 100 ms, so it admits exactly its quota only while no time passes.
fn quotas() -> [(&'static str, Quota, bool); 4] {
    let quota = Quota::new(LIMIT, PERIOD);
    [
        ("fixed", quota.fixed_window(), false),
        ("sliding", quota.sliding_window(), false),
        ("gcra at one instant", quota, true),
        ("gcra", quota, false),
    ]
}

fn limiters(ground: Ground, (name, quota, at_once): (&str, Quota, bool)) -> [Limiter; 2] {
    let clock = at_once.then(Clock::hand);
    let ground = ground.timeout(Duration::from_secs(10)).namespace(name);
    ground.limiters(quota, &Setting { clock, ..Setting::default() })
}

/// How many of the calls of several threads are admitted.
fn hammer(limiters: &[Limiter; 2]) -> usize {
    thread::scope(|scope| {
        let calls = |n: usize| move || limiters[n % 2].admitted("s", CHECKS);
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(calls(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn ground(place: Place) -> Ground {
    match place.kind {
        Backing::Redis => Ground::redis(format!("redis://{}", place.addr)),
        _ => Ground::memcached(place.addr.to_string()),
    }
}

fn part(parent: &Parent, place: Place) {
    let limiters = quotas().map(|quota| limiters(ground(place), quota));
    let mut order = parent.ready();
    for limiters in &limiters {
        assert_eq!(order, "go");
        parent.tell(&hammer(limiters).to_string());
        order = parent.hear();
    }
}

fn eight_processes(test: &str, kind: Backing) {
    let first = |place: Place| {
        let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::at(place, test, "")).collect();
        for (name, ..) in quotas() {
            let start = Instant::now();
            processes.iter_mut().for_each(|process| process.tell("go"));
            let admitted: u64 =
                processes.iter_mut().map(|process| process.hear().parse::<u64>().unwrap()).sum();
            println!(
                "{kind:?}, {name}: {admitted} of {} admitted in {:?}",
                PROCESSES * THREADS * CHECKS,
                start.elapsed()
            );
            assert_admitted(name, admitted, start.elapsed());
        }
    };
    with_server(kind, |parent, place, _| part(parent, place), first);
}

fn assert_admitted(name: &str, admitted: u64, took: Duration) {
    let back = took.div_duration_f64(EACH) as u64 + 1;
    match name {
        "gcra" => assert!((LIMIT..=LIMIT + back).contains(&admitted), "{name}: {admitted} in {took:?}"),
        _ => assert_eq!(admitted, LIMIT, "{name} in {took:?}"),
    }
}

#[test]
fn eight_processes_admit_exactly_a_hundred_on_redis() {
    eight_processes("processes::eight_processes_admit_exactly_a_hundred_on_redis", Backing::Redis);
}

#[test]
fn eight_processes_admit_exactly_a_hundred_on_memcached() {
    eight_processes("processes::eight_processes_admit_exactly_a_hundred_on_memcached", Backing::Memcached);
}

#[test]
fn threads_and_tasks_admit_exactly_a_hundred_in_memory() {
    for quota in quotas() {
        let limiters = limiters(Ground::memory(), quota);
        let (start, admitted) = (Instant::now(), hammer(&limiters));
        assert_admitted(quota.0, admitted as u64, start.elapsed());
    }
}
