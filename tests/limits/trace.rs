//! One trace of requests, decided alike wherever it is played.

use std::time::Duration;

use lexigram_cache::{Clock, Decision, Quota};

use crate::limiter::{Ground, Setting, kinds};
use crate::support::{Random, memcached, redis, soak};

const STEPS: u64 = 10_000;
const SUBJECTS: [&str; 4] = ["a", "b", "a:b", "ü \r\n"];

/// So long after the request before it, somebody wants so many permits of a subject; none is a look, and seldom all are
/// given back first.
#[derive(Debug)]
struct Request {
    gap: Duration,
    subject: &'static str,
    n: u64,
    reset: bool,
}

fn recorded(quota_most: u64, period: Duration) -> Vec<Request> {
    let mut random = Random::default();
    let request = |_| {
        let gap = match random.below(100) {
            0..40 => Duration::ZERO,
            40..70 => Duration::from_micros(random.below(2_000) as u64),
            70..99 => period * random.below(1_000) as u32 / 40_000,
            _ => period * random.below(3_000) as u32 / 1_000,
        };
        let n = match random.below(10) {
            0 => 0,
            1..7 => 1,
            _ => 1 + random.below(quota_most as usize) as u64,
        };
        Request { gap, subject: SUBJECTS[random.below(SUBJECTS.len())], n, reset: random.below(500) == 0 }
    };
    (0..soak("SOAK_PERMITS", STEPS)).map(request).collect()
}

/// The worlds take turns, since they count together.
fn play(ground: &Ground, quota: Quota, trace: &[Request], start: Duration) -> Vec<Decision> {
    let clock = Clock::hand();
    clock.advance(start);
    let limiters =
        ground.apart().limiters(quota, &Setting { clock: Some(clock.clone()), ..Setting::default() });
    let decide = |(step, request): (usize, &Request)| {
        let limiter = &limiters[step % 2];
        clock.advance(request.gap);
        if request.reset {
            limiter.reset(request.subject).unwrap();
        }
        match request.n {
            0 => limiter.peek(request.subject).unwrap(),
            n => limiter.check_n(request.subject, n).unwrap(),
        }
    };
    trace.iter().enumerate().map(decide).collect()
}

#[test]
fn a_recorded_trace_is_decided_alike_on_memory_redis_and_memcached() {
    let places = [Ground::redis(redis().url()), Ground::memcached(memcached().url())];
    let today = Duration::from_micros(1_800_000_000_000_000);
    let period = Duration::from_nanos(1_234_567_890);
    let [gcra, fixed, sliding] = kinds(Quota::new(37, period));
    for (quota, most) in [(gcra, 37), (gcra.burst(11), 11), (fixed, 37), (sliding, 37)] {
        let trace = recorded(most, period);
        let decisions = play(&Ground::memory(), quota, &trace, today);
        let refused = decisions.iter().filter(|decision| !decision.allowed).count();
        assert!((trace.len() / 10..trace.len() * 9 / 10).contains(&refused), "{refused} refused");
        for place in &places {
            for (step, (theirs, ours)) in play(place, quota, &trace, today).iter().zip(&decisions).enumerate()
            {
                let request = &trace[step];
                assert_eq!(theirs, ours, "{} at step {step}, {request:?} of {quota:?}", place.name);
            }
        }
        println!("{} steps, {refused} refused, alike: {quota:?}", trace.len());
    }
}

#[test]
fn the_largest_quotas_are_decided_alike() {
    let day = Duration::from_secs(24 * 60 * 60);
    // Numbers without a common divisor, at the bounds, and a time long after ours.
    for (limit, burst, period) in
        [(999_999_937, 999_999_929, 366 * day), (1, 10, 366 * day), (999_983, 1, day)]
    {
        let [gcra, fixed, sliding] = kinds(Quota::new(limit, period));
        for (quota, most) in [(gcra.burst(burst), burst), (fixed, limit), (sliding, limit)] {
            let mut trace = recorded(most, period);
            trace.truncate(500);
            let late = Duration::from_secs(7_000_000_000);
            let decisions = play(&Ground::memory(), quota, &trace, late);
            for place in [Ground::redis(redis().url()), Ground::memcached(memcached().url())] {
                assert_eq!(play(&place, quota, &trace, late), decisions, "{} {quota:?}", place.name);
            }
        }
    }
}
