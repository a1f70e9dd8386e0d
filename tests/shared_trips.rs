//! Threads for whom no connection is free: who gets one next asks for them too, and each hears the answer to its own question.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::ops::Range;
use std::thread;
use std::time::Duration;

use lexigram_cache::{Cache, Redis, Result, Ttl};
use support::{Backing, Remote, Wire, eventually};

const LONG: Duration = Duration::from_secs(20);
/// Others come and wait while this passes.
const MEANWHILE: Duration = Duration::from_millis(60);
const CROWD: Range<u64> = 0..24;

/// A cache on one connection to a server that holds a number under each key.
struct Trial {
    wire: Wire,
    cache: Cache,
    _server: Remote,
}

impl Trial {
    fn new(value: impl Fn(u64) -> String, max_reply_size: usize) -> Trial {
        let server = Remote::start(Backing::Redis);
        let wire = Wire::prompt(server.addr());
        let redis = Redis::builder(format!("redis://{}", wire.addr())).pool_size(1);
        let redis = redis.max_reply_size(max_reply_size).build().unwrap();
        let cache = Cache::builder().backend(redis).timeout(LONG).build().unwrap();
        cache.set_many(CROWD.map(|n| (key(n), value(n))), Ttl::NEVER).unwrap();
        wire.take();
        Trial { wire, cache, _server: server }
    }

    /// What each of a crowd reads that comes while the first of them is under way.
    fn read_by_a_crowd(&self) -> Vec<Result<Option<String>>> {
        self.wire.delay_replies(MEANWHILE);
        let read = |n| self.cache.get::<String>(key(n));
        let values = thread::scope(|scope| {
            let callers: Vec<_> = CROWD.map(|n| scope.spawn(move || read(n))).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        self.wire.delay_replies(Duration::ZERO);
        values
    }
}

fn key(n: u64) -> String {
    format!("number {n}")
}

#[test]
fn a_crowd_on_one_connection_is_answered_in_a_few_round_trips() {
    let trial = Trial::new(|n| n.to_string(), 1 << 20);
    for (n, value) in CROWD.zip(trial.read_by_a_crowd()) {
        assert_eq!(value.unwrap(), Some(n.to_string()));
    }
    let trips = trial.wire.round_trips();
    assert!(trips <= 6, "{trips} round trips for {CROWD:?}");
    assert_eq!(trial.wire.connections(), 1);
}

#[test]
fn writes_go_one_by_one() {
    let trial = Trial::new(|n| n.to_string(), 1 << 20);
    trial.wire.delay_replies(Duration::from_millis(5));
    thread::scope(|scope| {
        for n in CROWD {
            let cache = &trial.cache;
            scope.spawn(move || cache.set(key(n), &(n + 1).to_string(), Ttl::NEVER).unwrap());
        }
    });
    assert_eq!(trial.wire.round_trips(), CROWD.count());
    for n in CROWD {
        assert_eq!(trial.cache.get::<String>(key(n)).unwrap(), Some((n + 1).to_string()));
    }
}

#[test]
fn values_that_are_too_large_together_all_come() {
    let trial = Trial::new(|n| n.to_string().repeat(20_000), 100 * 1024);
    for (n, value) in CROWD.zip(trial.read_by_a_crowd()) {
        assert_eq!(value.unwrap(), Some(n.to_string().repeat(20_000)));
    }
    assert!(trial.wire.connections() > 1, "they came on one connection, so they were not too large");
}

#[test]
fn a_connection_that_dies_under_a_crowd_costs_nobody_an_answer() {
    let value = |n: u64| n.to_string().repeat(100);
    let trial = Trial::new(value, 1 << 20);
    for cut in [0, 5, 150, 1_000] {
        trial.wire.cut_after(cut);
        for (n, read) in CROWD.zip(trial.read_by_a_crowd()) {
            assert_eq!(read.unwrap(), Some(value(n)), "cut after {cut} bytes");
        }
    }
}

#[test]
fn who_gives_up_under_way_takes_no_answer_from_the_others() {
    let trial = Trial::new(|n| n.to_string(), 1 << 20);
    for _ in 0..5 {
        trial.wire.delay_replies(MEANWHILE);
        thread::scope(|scope| {
            for n in CROWD {
                let hasty = n % 3 == 1;
                let patience = if hasty { MEANWHILE * 3 / 2 } else { LONG };
                let cache = trial.cache.with_timeout(patience);
                scope.spawn(move || match cache.get::<String>(key(n)) {
                    Ok(value) => assert_eq!(value, Some(n.to_string())),
                    Err(error) => assert!(hasty && error.is_timeout(), "{error:?}"),
                });
            }
        });
        trial.wire.delay_replies(Duration::ZERO);
        eventually("it works", LONG, || trial.cache.get::<String>(key(7)).unwrap() == Some("7".to_owned()));
    }
}
