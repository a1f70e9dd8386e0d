//! Whose time counts, and what becomes of a limit when clocks are set.

use std::time::Duration;

use lexigram_cache::{Clock, Memory, Quota};

use crate::limiter::{Ground, Limiter, Setting, kinds};
use crate::support::{ask_raw, memcached, redis};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn memory_goes_by_its_own_clock() {
    let clock = Clock::hand();
    let memory = Memory::builder().clock(clock.clone()).build().unwrap();
    for quota in kinds(Quota::new(3, SECOND)) {
        for limiter in Ground::on("memory", &memory).separate(quota, &Setting::default()) {
            assert_eq!(limiter.admitted("s", 5), 3);
            let refusal = limiter.check("s").unwrap();
            clock.advance(refusal.retry_after - Duration::from_micros(1));
            assert!(!limiter.check("s").unwrap().allowed);
            clock.advance(Duration::from_micros(1));
            assert!(limiter.check("s").unwrap().allowed);
        }
    }
}

/// A number that Redis or Memcached keeps of the subject `s`, written by another hand.
fn put(ground: &str, namespace: &str, algorithm: &str, state: &str) {
    let key = format!("lexigram%limit:{namespace}:l:{algorithm}:s");
    let answer = match ground {
        "redis" => ask_raw(redis().addr(), format!("SET {key} \"{state}\" EX 7200\r\n").as_bytes()),
        _ => {
            let set = format!("set {key} 0 7200 {}\r\n{state}\r\n", state.len());
            ask_raw(memcached().addr(), set.as_bytes())
        }
    };
    assert!(["+OK\r\n", "STORED\r\n"].contains(&&*answer), "{answer}");
}

fn unix_micros() -> u128 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros()
}

/// What a limiter of `3 per second` has written whose clock was an hour ahead, with all permits taken.
fn from_the_future(algorithm: &str) -> String {
    let future = unix_micros() + 3_600_000_000;
    match algorithm {
        "gcra" => format!("{} 0", future + 1_000_000),
        "fixed" => format!("{future} 3"),
        _ => format!("{future} {future} 3"),
    }
}

#[test]
fn a_redis_whose_clock_was_set_back_holds_nobody_longer_than_if_all_were_taken_now() {
    let ground = Ground::redis(redis().url());
    for (algorithm, quota) in ["gcra", "fixed", "sliding"].into_iter().zip(kinds(Quota::new(3, SECOND))) {
        for world in 0..2 {
            let namespace = format!("back-{algorithm}-{world}");
            let limiter = &ground.clone().namespace(&namespace).limiters(quota, &Setting::default())[world];
            put("redis", &namespace, algorithm, &from_the_future(algorithm));
            let refusal = limiter.check("s").unwrap();
            assert!(!refusal.allowed, "nothing is given twice: {refusal:?}");
            assert!(refusal.reset_after <= SECOND, "{refusal:?} by {algorithm}");
            assert!(limiter.acquire("s", 10 * SECOND).unwrap().allowed, "and it goes on from there");
        }
    }
}

#[test]
fn a_client_of_memcached_whose_clock_is_ahead_opens_the_limit_to_nobody() {
    let ground = Ground::memcached(memcached().url());
    for (algorithm, quota) in ["gcra", "fixed", "sliding"].into_iter().zip(kinds(Quota::new(3, SECOND))) {
        for world in 0..2 {
            let namespace = format!("ahead-{algorithm}-{world}");
            let limiter = &ground.clone().namespace(&namespace).limiters(quota, &Setting::default())[world];
            put("memcached", &namespace, algorithm, &from_the_future(algorithm));
            assert_eq!(limiter.admitted("s", 20), 0, "{algorithm}");
        }
    }
}

#[test]
fn a_clock_that_leaps_ten_years_gives_back_what_would_have_come_and_no_more() {
    for ground in Ground::all() {
        for quota in kinds(Quota::new(3, SECOND)) {
            let clock = Clock::hand();
            let setting = Setting { clock: Some(clock.clone()), ..Setting::default() };
            for limiter in ground.separate(quota, &setting) {
                assert_eq!(limiter.admitted("s", 5), 3);
                clock.advance(Duration::from_secs(10 * 365 * 24 * 60 * 60));
                assert_eq!(limiter.admitted("s", 9), 3, "{}", ground.name);
            }
        }
    }
}

#[test]
fn what_another_program_wrote_counts_as_nothing_and_is_written_over() {
    for (name, ground) in
        [("redis", Ground::redis(redis().url())), ("memcached", Ground::memcached(memcached().url()))]
    {
        for (algorithm, quota) in ["gcra", "fixed", "sliding"].into_iter().zip(kinds(Quota::per_hour(3))) {
            let odd = ["x", "null", "1", "1 2 3 4 5 6", "-1 -1", "1e9 1", "99999999999999999 3"];
            for (n, state) in odd.into_iter().enumerate() {
                let namespace = format!("odd-{algorithm}-{n}");
                let limiters: [Limiter; 2] =
                    ground.clone().namespace(&namespace).limiters(quota, &Setting::default());
                put(name, &namespace, algorithm, state);
                assert_eq!(limiters[n % 2].admitted("s", 5), 3, "{state} on {name} by {algorithm}");
            }
        }
    }
}
