//! Permits that are taken ahead: fewer round trips, and what they cost.

use std::thread;
use std::time::Duration;

use lexigram_cache::{Clock, ErrorKind, Memory, Outage, Quota, RateLimiter};

use crate::limiter::{Ground, Setting, kinds};
use crate::support::{Wire, redis};

const PERIOD: Duration = Duration::from_secs(10);

fn leasing(permits: u64, clock: &Clock) -> Setting {
    Setting { lease: Some(permits), clock: Some(clock.clone()), ..Setting::default() }
}

#[test]
fn a_lease_asks_the_server_once_for_all_its_permits() {
    let wire = Wire::before(redis().addr());
    let ground = Ground::redis(format!("redis://{}", wire.addr()));
    for limiter in ground.separate(Quota::per_hour(100), &leasing(10, &Clock::hand())) {
        assert!(limiter.check("first").unwrap().allowed);
        wire.take();
        for left in (60..100).rev() {
            assert_eq!(limiter.check("s").unwrap().remaining, left);
        }
        assert_eq!(wire.round_trips(), 4, "{limiter:?}");
        assert_eq!(limiter.peek("s").unwrap().remaining, 60);
    }
}

#[test]
fn leases_admit_the_whole_quota_and_no_more_in_one_period() {
    for ground in Ground::all() {
        for quota in kinds(Quota::new(100, PERIOD)) {
            for limiter in ground.separate(quota, &leasing(7, &Clock::hand())) {
                let admitted: usize = thread::scope(|scope| {
                    let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| limiter.admitted("s", 60))).collect();
                    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
                });
                assert_eq!(admitted, 100, "{} {quota:?}", ground.name);
            }
        }
    }
}

#[test]
fn a_period_admits_at_most_one_lease_more_for_each_process() {
    const LEASE: u64 = 8;
    const NODES: u64 = 4;
    for ground in Ground::all() {
        let (clock, quota) = (Clock::hand(), Quota::new(100, PERIOD).fixed_window());
        let base = ground.apart();
        // Four in one world: limiters that share nothing here but the backend, as processes do.
        let nodes: Vec<_> =
            (0..NODES).map(|_| base.limiters(quota, &leasing(LEASE, &clock))[0].clone()).collect();
        nodes.iter().for_each(|node| assert!(node.check("s").unwrap().allowed));
        clock.advance(PERIOD - Duration::from_micros(1));
        let (mut before, mut after) = (0, 0);
        // In the last moment of the window each takes a lease anew and uses one permit of it.
        for node in &nodes {
            before += node.admitted("s", LEASE as usize) as u64;
        }
        clock.advance(Duration::from_micros(1));
        for _ in 0..100 {
            after += nodes.iter().map(|node| node.admitted("s", 1) as u64).sum::<u64>();
        }
        assert!(before >= NODES, "{before}");
        assert!(after <= 100 + NODES * LEASE, "{after} on {}", ground.name);
        assert!(after > 100, "the permits of leases are used: {after} on {}", ground.name);
    }
}

#[test]
fn a_lease_out_of_bounds_is_refused() {
    for (permits, quota) in
        [(0, Quota::per_second(5)), (6, Quota::per_second(5)), (3, Quota::per_second(5).burst(2))]
    {
        let limiter = RateLimiter::builder(&Memory::default(), "l", quota, Outage::Error).lease(permits);
        let error = limiter.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("can give at once"), "{error}");
    }
}

#[test]
fn a_lease_is_used_up_without_its_server_and_then_the_policy_decides() {
    let server = crate::support::RedisServer::start();
    let setting = Setting { outage: Outage::Closed, ..leasing(5, &Clock::hand()) };
    for limiter in Ground::redis(server.url()).separate(Quota::per_hour(100), &setting) {
        assert!(limiter.check("s").unwrap().allowed);
        server.kill();
        for left in [true, true, true, true, false] {
            let decision = limiter.check("s").unwrap();
            assert_eq!((decision.allowed, decision.outage.is_none()), (left, left));
        }
        server.restart();
        assert!(limiter.check("s").unwrap().allowed, "a lease that failed is not waited for");
    }
}

#[test]
fn a_subject_that_is_reset_has_no_permits_left_from_before() {
    for ground in Ground::all() {
        for limiter in ground.separate(Quota::per_hour(10), &leasing(4, &Clock::hand())) {
            assert!(limiter.check("s").unwrap().allowed);
            assert!(limiter.reset("s").unwrap(), "{}", ground.name);
            assert_eq!(limiter.peek("s").unwrap().remaining, 10, "{}", ground.name);
            assert_eq!(limiter.admitted("s", 20), 10, "{}", ground.name);
        }
    }
}
