//! Holders that stand still past the time of their lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Released};

use super::shown::ask;
use super::side::{Locks, both};
use super::support::{
    Backing, Parent, Place, Process, Random, RedisServer, ask_raw, signals, soak, with_server,
};
use super::{LONG, SOON};

/// The stores of a process: one for threads, one for tasks, by which its threads take turns.
fn stores(place: Place, timeout: Duration) -> [Locks; 2] {
    match place.kind {
        Backing::Redis => both!(place.redis(), timeout(timeout)),
        _ => both!(place.memcached(), timeout(timeout)),
    }
}

/// Takes the lock when told to, and tells what it knows of it once it is told to go on.
fn hold(parent: &Parent, place: Place, ttl: Duration) {
    let stores = stores(place, SOON);
    let mut order = parent.ready();
    for round in 0.. {
        if order != "take" {
            return;
        }
        let guard = stores[round % 2].acquire("k", ttl, SOON).unwrap();
        parent.tell(&guard.fencing().to_string());
        parent.hear();
        let (is_valid, left) = (guard.is_valid(), guard.remaining());
        let extended = guard.extend(LONG).map_err(|error| error.kind());
        parent.tell(&format!("{is_valid} {left:?} {extended:?} {:?}", guard.release().unwrap()));
        order = parent.hear();
    }
}

fn holders_that_stand_still(test: &str, kind: Backing, ttl: Duration, rounds: u64) {
    with_server(
        kind,
        |parent, place, _| hold(parent, place, ttl),
        |place| {
            let stores = stores(place, SOON);
            let mut holder = Process::at(place, test, "");
            for round in 0..rounds {
                holder.tell("take");
                let number: u64 = holder.hear().parse().unwrap();
                holder.stop();
                let successor = stores[round as usize % 2].acquire("k", LONG, SOON).unwrap();
                assert!(successor.fencing() > number);
                holder.cont();
                holder.tell("go on");
                let expected = format!("false 0ns Err({:?}) {:?}", ErrorKind::NotOwned, Released::NotOwned);
                assert_eq!(holder.hear(), expected, "round {round}");
                assert!(successor.is_valid());
                assert_eq!(successor.release().unwrap(), Released::Released, "round {round}");
            }
            println!("{rounds} of {rounds} holders found their lock lost and left it to their successor");
            holder.tell("end");
        },
    );
}

#[test]
fn a_holder_that_stood_still_past_its_time_leaves_the_lock_to_its_successor_on_redis() {
    let test = "pauses::a_holder_that_stood_still_past_its_time_leaves_the_lock_to_its_successor_on_redis";
    holders_that_stand_still(test, Backing::Redis, Duration::from_millis(50), soak("SOAK_LOCKS", 30));
}

#[test]
fn a_holder_that_stood_still_past_its_time_leaves_the_lock_to_its_successor_on_memcached() {
    let test =
        "pauses::a_holder_that_stood_still_past_its_time_leaves_the_lock_to_its_successor_on_memcached";
    let rounds = soak("SOAK_LOCKS", 30) / 15;
    holders_that_stand_still(test, Backing::Memcached, Duration::from_millis(50), rounds);
}

const PROCESSES: usize = 4;
const THREADS: usize = 16;

/// A resource that takes a write by the fencing number it comes with: what is refused, and what was seen, is kept too.
const WRITE: &str = "redis.call('RPUSH', 'seen', ARGV[1]) \
    if tonumber(ARGV[1]) <= tonumber(redis.call('GET', 'last') or '0') then return redis.call('INCR', 'refused') * -1 end \
    redis.call('SET', 'last', ARGV[1]) redis.call('RPUSH', 'written', ARGV[1]) return 1";

/// How many were written, whether they rose throughout, and how many different ones were seen.
const AUDIT: &str = "local written, last, rose, different, met = redis.call('LRANGE', 'written', 0, -1), 0, 1, 0, {} \
    for _, number in ipairs(written) do if tonumber(number) <= last then rose = 0 end last = tonumber(number) end \
    for _, number in ipairs(redis.call('LRANGE', 'seen', 0, -1)) do \
    if not met[number] then different = different + 1 met[number] = true end end \
    return table.concat({ #written, rose, redis.call('LLEN', 'seen'), different, redis.call('GET', 'refused') or '0' }, ' ')";

/// What the threads of a process do, until so many locks were had by all together.
fn contend(parent: &Parent, place: Place, given: &str) {
    let [resource, ttl, total] = given.split(' ').collect::<Vec<_>>()[..] else { panic!("{given}") };
    let resource = resource.parse().unwrap();
    let (ttl, total) = (Duration::from_millis(ttl.parse().unwrap()), total.parse::<u64>().unwrap());
    let stores = stores(place, Duration::from_secs(2));
    parent.ready();
    let work = |thread: usize| {
        let (mut random, mut foreign, mut lost, mut failed) = (Random::default(), 0, 0, 0);
        loop {
            let had =
                ask_raw(resource, b"INCR had\r\n").trim_start_matches(':').trim().parse::<u64>().unwrap();
            if had > total {
                return (foreign, lost, failed);
            }
            let guard = loop {
                match stores[thread % 2].acquire("k", ttl, LONG) {
                    Ok(guard) => break guard,
                    // Whoever stood still longer than a call may take.
                    Err(_) => failed += 1,
                }
            };
            thread::park_timeout(random.pause());
            ask_raw(resource, format!("EVAL \"{WRITE}\" 0 {}\r\n", guard.fencing()).as_bytes());
            let (left, begun) = (guard.remaining(), Instant::now());
            let released = guard.release();
            // Within the time that was certainly ours, nobody else can have ended it.
            match released {
                Ok(Released::Released) => {}
                Ok(_) if begun.elapsed() < left => foreign += 1,
                Ok(_) => lost += 1,
                Err(_) => failed += 1,
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || work(thread))).collect();
        let ended = threads.into_iter().map(|thread| thread.join().unwrap());
        let all = ended.fold((0, 0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2));
        parent.tell(&format!("{} {} {}", all.0, all.1, all.2));
    });
}

fn a_crowd_that_is_stopped_now_and_then(test: &str, kind: Backing, ttl: Duration, total: u64) {
    with_server(kind, contend, |place| {
        let (resource, start) = (RedisServer::start(), Instant::now());
        let given = format!("{} {} {total}", resource.addr(), ttl.as_millis());
        let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::at(place, test, &given)).collect();
        processes.iter_mut().for_each(|process| process.tell("go"));
        let over = AtomicBool::new(false);
        let pids: Vec<u32> = processes.iter().map(Process::id).collect();
        let (mut sums, mut stops) = ([0; 3], 0);
        thread::scope(|scope| {
            let stopping = scope.spawn(|| {
                let (mut random, mut stops) = (Random::default(), 0);
                while !over.load(Ordering::SeqCst) {
                    let pid = pids[random.below(PROCESSES)];
                    signals::stop(pid);
                    // Past the time of a lock, and of what the server adds to it.
                    thread::park_timeout(ttl * 3 / 2 + random.pause());
                    signals::cont(pid);
                    stops += 1;
                    thread::park_timeout(ttl / 4 + random.pause());
                }
                stops
            });
            for process in &mut processes {
                let told = process.hear();
                told.split(' ').zip(&mut sums).for_each(|(one, sum)| *sum += one.parse::<u64>().unwrap());
            }
            over.store(true, Ordering::SeqCst);
            stops = stopping.join().unwrap();
        });
        let [foreign, lost, failed] = sums;
        let audit = ask(&resource, &format!("EVAL \"{AUDIT}\" 0"));
        let [written, rose, seen, different, refused] =
            audit.split(' ').map(|number| number.parse::<u64>().unwrap()).collect::<Vec<_>>()[..]
        else {
            panic!("{audit}")
        };
        println!(
            "{kind:?}: {total} locks had in {:?}, {stops} stops; {written} writes taken, {refused} of late holders refused; \
             {lost} found lost by their holders, {failed} calls failed, {foreign} released by others",
            start.elapsed()
        );
        assert_eq!((rose, foreign), (1, 0), "{audit}");
        assert_eq!((seen, different, written + refused), (total, total, total), "each number is given once");
    });
}

#[test]
fn numbers_never_go_back_in_a_crowd_that_is_stopped_now_and_then_on_redis() {
    let test = "pauses::numbers_never_go_back_in_a_crowd_that_is_stopped_now_and_then_on_redis";
    let total = soak("SOAK_LOCKS", 30) * 10;
    a_crowd_that_is_stopped_now_and_then(test, Backing::Redis, Duration::from_millis(200), total);
}

#[test]
fn numbers_never_go_back_in_a_crowd_that_is_stopped_now_and_then_on_memcached() {
    let test = "pauses::numbers_never_go_back_in_a_crowd_that_is_stopped_now_and_then_on_memcached";
    let total = soak("SOAK_LOCKS", 30) * 2;
    a_crowd_that_is_stopped_now_and_then(test, Backing::Memcached, Duration::from_secs(2), total);
}
