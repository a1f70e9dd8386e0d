//! Waiting for a permit.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{Memory, Outage, Quota, RateLimiter, aio};

use crate::limiter::{Ground, Setting, kinds};
use crate::support::{block_on, closed_port};

#[test]
fn who_waits_gets_a_permit_as_soon_as_one_is_back() {
    for ground in Ground::all() {
        for quota in kinds(Quota::new(2, Duration::from_millis(400))) {
            for limiter in ground.separate(quota, &Setting::default()) {
                while limiter.check("s").unwrap().allowed {}
                let due = limiter.peek("s").unwrap().retry_after;
                let start = Instant::now();
                let decision = limiter.acquire("s", Duration::from_secs(10)).unwrap();
                assert!(decision.allowed, "{decision:?}");
                let waited = start.elapsed();
                assert!(
                    waited + Duration::from_millis(20) >= due,
                    "{waited:?} of {due:?} on {}",
                    ground.name
                );
                assert!(waited < due + Duration::from_secs(2), "{waited:?} of {due:?} on {}", ground.name);
            }
        }
    }
}

#[test]
fn a_permit_that_cannot_come_in_time_is_refused_at_once() {
    for ground in Ground::all() {
        for limiter in ground.separate(Quota::per_hour(1), &Setting::default()) {
            let wait = Duration::from_secs(60);
            assert!(limiter.acquire("s", wait).unwrap().allowed, "the first needs no wait");
            let start = Instant::now();
            let refusal = limiter.acquire("s", wait).unwrap();
            assert!(!refusal.allowed && refusal.retry_after > wait, "{refusal:?}");
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
            assert!(!limiter.acquire("s", Duration::ZERO).unwrap().allowed);
        }
    }
}

#[test]
fn all_who_wait_get_a_permit_in_the_end_and_no_more_than_there_are() {
    for ground in Ground::all() {
        let quota = Quota::new(5, Duration::from_millis(250));
        for limiter in ground.separate(quota, &Setting::default()) {
            let start = Instant::now();
            thread::scope(|scope| {
                let wait = || assert!(limiter.acquire("s", Duration::from_secs(30)).unwrap().allowed);
                (0..12).for_each(|_| drop(scope.spawn(wait)));
            });
            // Five at once, and one each 50 ms. Clocks of two processes run alike to a millisecond in that time.
            assert!(
                start.elapsed() >= Duration::from_millis(345),
                "{:?} on {}",
                start.elapsed(),
                ground.name
            );
        }
    }
}

#[test]
fn a_task_that_stops_waiting_has_taken_nothing() {
    let limiter =
        aio::RateLimiter::new(&Memory::default(), "l", Quota::new(1, Duration::from_millis(200))).unwrap();
    block_on(async {
        assert!(limiter.check("s").await.unwrap().allowed);
        {
            let mut waiting = pin!(limiter.acquire("s", Duration::from_secs(10)));
            let polled = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await;
            assert!(polled, "it has to wait");
        }
        let due = limiter.peek("s").await.unwrap().retry_after;
        assert!(due <= Duration::from_millis(200));
        tokio::time::sleep(due).await;
        assert!(limiter.check("s").await.unwrap().allowed);
    });
}

#[test]
fn a_wait_outside_a_runtime_says_so() {
    let limiter = aio::RateLimiter::new(&Memory::default(), "l", Quota::per_second(1)).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut acquire = || pin!(limiter.acquire("s", Duration::from_secs(10))).poll(&mut context);
    assert!(matches!(acquire(), Poll::Ready(Ok(decision)) if decision.allowed));
    let Poll::Ready(Err(error)) = acquire() else { panic!("nobody would wake it") };
    assert_eq!(error.kind(), lexigram_cache::ErrorKind::Unsupported, "{error}");
}

#[test]
fn who_waits_on_a_dead_server_ends_in_time_under_a_limiter_that_is_closed() {
    let redis =
        lexigram_cache::Redis::builder(format!("redis://127.0.0.1:{}", closed_port())).build().unwrap();
    let limiter = RateLimiter::builder(&redis, "l", Quota::per_second(1), Outage::Closed).build().unwrap();
    let start = Instant::now();
    let decision = limiter.acquire("s", Duration::from_millis(1_500)).unwrap();
    assert!(!decision.allowed && decision.outage.is_some(), "{decision:?}");
    let waited = start.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_millis(2_600)).contains(&waited), "{waited:?}");
}
