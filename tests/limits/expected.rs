//! What users of governor, redis-cell, Laravel's and Symfony's limiters expect.

use std::time::Duration;

use lexigram_cache::{Clock, Decision, Quota};

use crate::limiter::{Ground, Limiter, Setting};

const SECOND: Duration = Duration::from_secs(1);

/// The same on every backend and in both worlds, with a clock moved by hand.
fn everywhere(quota: Quota, test: impl Fn(&Limiter, &Clock)) {
    for ground in Ground::all() {
        for world in 0..2 {
            let clock = Clock::hand();
            let setting = Setting { clock: Some(clock.clone()), ..Setting::default() };
            test(&ground.separate(quota, &setting)[world], &clock);
        }
    }
}

fn check(limiter: &Limiter) -> Decision {
    limiter.check("s").unwrap()
}

#[test]
fn governor_rejects_too_many_and_allows_after_the_interval() {
    everywhere(Quota::per_second(2), |limiter, clock| {
        assert!(check(limiter).allowed && check(limiter).allowed && !check(limiter).allowed);
        clock.advance(SECOND / 2);
        assert!(check(limiter).allowed && !check(limiter).allowed);
        clock.advance(10 * SECOND);
        assert!(
            check(limiter).allowed && check(limiter).allowed && !check(limiter).allowed,
            "no more than the burst"
        );
    });
}

#[test]
fn governor_tells_of_the_earliest_time_and_keys_do_not_disturb_each_other() {
    everywhere(Quota::per_second(20).burst(1), |limiter, clock| {
        assert!(check(limiter).allowed);
        assert_eq!(check(limiter).retry_after, Duration::from_millis(50));
        clock.advance(Duration::from_millis(30));
        assert_eq!(check(limiter).retry_after, Duration::from_millis(20));
        assert!(limiter.check("other").unwrap().allowed);
    });
}

#[test]
fn governor_takes_a_batch_whole_and_refuses_one_that_can_never_fit() {
    everywhere(Quota::per_second(10).burst(4), |limiter, clock| {
        assert!(limiter.check_n("s", 3).unwrap().allowed);
        assert!(!limiter.check_n("s", 2).unwrap().allowed);
        assert!(limiter.check_n("s", 5).is_err(), "and it costs nothing:");
        assert!(limiter.check_n("s", 1).unwrap().allowed);
        clock.advance(Duration::from_millis(400));
        assert!(limiter.check_n("s", 4).unwrap().allowed);
    });
}

/// `CL.THROTTLE user 15 30 60`: a burst of 16, 30 a minute, as in its README.
#[test]
fn redis_cell_answers_with_limit_remaining_retry_and_reset() {
    everywhere(Quota::per_minute(30).burst(16), |limiter, clock| {
        let first = check(limiter);
        assert_eq!((first.allowed, first.remaining), (true, 15));
        assert_eq!((first.retry_after, first.reset_after), (Duration::ZERO, 2 * SECOND));
        (0..15).for_each(|_| assert!(check(limiter).allowed));
        let refusal = check(limiter);
        assert_eq!((refusal.allowed, refusal.remaining), (false, 0));
        assert_eq!((refusal.retry_after, refusal.reset_after), (2 * SECOND, 32 * SECOND));
        clock.advance(32 * SECOND);
        assert_eq!(limiter.peek("s").unwrap().remaining, 16);
    });
}

/// `RateLimiter::attempt`, `remaining`, `availableIn` and `clear`.
#[test]
fn laravel_counts_attempts_until_the_decay_and_clears() {
    everywhere(Quota::per_minute(5).fixed_window(), |limiter, clock| {
        for left in (0..5).rev() {
            assert_eq!(check(limiter).remaining, left);
            clock.advance(SECOND);
        }
        let refusal = check(limiter);
        assert_eq!((refusal.allowed, refusal.retry_after), (false, 55 * SECOND), "a minute after the first");
        assert!(limiter.reset("s").unwrap());
        assert_eq!(limiter.peek("s").unwrap().remaining, 5);
        assert!(check(limiter).allowed);
        clock.advance(60 * SECOND);
        assert_eq!(limiter.peek("s").unwrap().remaining, 5, "all at once");
    });
}

/// `FixedWindowLimiter::consume`, also of several tokens, and of none.
#[test]
fn symfony_consumes_tokens_of_a_window_and_peeks_by_consuming_none() {
    everywhere(Quota::per_minute(10).fixed_window(), |limiter, clock| {
        assert!(limiter.check_n("s", 5).unwrap().allowed);
        clock.advance(45 * SECOND);
        assert!(limiter.check_n("s", 5).unwrap().allowed);
        let refusal = check(limiter);
        assert_eq!((refusal.allowed, refusal.retry_after), (false, 15 * SECOND));
        assert_eq!(limiter.peek("s").unwrap().remaining, 0);
        clock.advance(15 * SECOND);
        let seen = limiter.peek("s").unwrap();
        assert_eq!((seen.allowed, seen.remaining, seen.reset_after), (true, 10, Duration::ZERO));
    });
}

/// `TokenBucketLimiter::reserve` waits as long as the missing tokens take.
#[test]
fn symfony_says_of_a_bucket_how_long_missing_tokens_take() {
    everywhere(Quota::per_second(1).burst(10), |limiter, clock| {
        assert!(limiter.check_n("s", 5).unwrap().allowed && limiter.check_n("s", 5).unwrap().allowed);
        assert_eq!(limiter.check_n("s", 10).unwrap().retry_after, 10 * SECOND);
        assert_eq!(check(limiter).retry_after, SECOND);
        clock.advance(3 * SECOND);
        let seen = limiter.peek("s").unwrap();
        assert_eq!((seen.remaining, seen.reset_after), (3, 7 * SECOND));
    });
}

#[test]
fn a_sliding_window_never_admits_two_bursts_around_a_boundary() {
    everywhere(Quota::per_minute(10).sliding_window(), |limiter, clock| {
        assert!(check(limiter).allowed);
        clock.advance(59 * SECOND);
        assert_eq!(limiter.admitted("s", 20), 9);
        clock.advance(SECOND);
        assert_eq!(limiter.admitted("s", 20), 1, "the first is a minute ago, the others are not");
        clock.advance(59 * SECOND);
        assert_eq!(limiter.admitted("s", 20), 0, "what was taken close together comes back together");
        clock.advance(SECOND);
        assert_eq!(limiter.admitted("s", 20), 10);
    });
}
