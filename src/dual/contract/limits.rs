//! Rate limits.

use super::super::store::{RateLimiter, StoreBase};
use super::{CROWD, Subject, done, equal, holds, maybe_async, refused, rt};

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::decision::Outage;
use crate::error::ErrorKind;
use crate::quota::Quota;

/// Of many callers that ask at once, as many are admitted as the quota says, whatever the algorithm.
#[maybe_async]
pub async fn a_limit_admits_exactly_its_quota(subject: &Subject) {
    for quota in kinds(Quota::per_hour(40)) {
        let limiter = limiter(subject, "exact", quota);
        let ask = |_| {
            let limiter = limiter.clone();
            async move {
                let mut admitted = 0;
                for _ in 0..10 {
                    admitted += u64::from(done(limiter.check("s").await).allowed);
                }
                admitted
            }
        };
        let admitted: u64 = rt::crowd(CROWD, ask).await.into_iter().sum();
        equal(admitted, 40);
        equal(done(limiter.peek("s").await).remaining, 0);
    }
}

/// What is left counts down; a refusal takes nothing and says when the call can succeed, and then it does.
#[maybe_async]
pub async fn a_permit_is_back_when_the_refusal_said(subject: &Subject) {
    for quota in kinds(Quota::new(3, Duration::from_millis(600))) {
        let limiter = limiter(subject, "back", quota);
        // What comes back meanwhile on a slow machine makes it more than these.
        let mut last = done(limiter.check("s").await);
        equal(last.remaining, 2);
        while last.allowed {
            last = done(limiter.check("s").await);
        }
        holds(last.remaining == 0 && !last.retry_after.is_zero());
        holds(last.retry_after <= last.reset_after && last.reset_after <= Duration::from_millis(600));
        match &subject.clock {
            None => rt::sleep(last.retry_after).await,
            Some(clock) => {
                clock.advance(last.retry_after - Duration::from_micros(1));
                holds(!done(limiter.check("s").await).allowed);
                clock.advance(Duration::from_micros(1));
            }
        }
        holds(done(limiter.check("s").await).allowed);
    }
}

/// Several permits are taken all or none.
#[maybe_async]
pub async fn several_permits_are_taken_together_or_not_at_all(subject: &Subject) {
    for quota in kinds(Quota::per_hour(5)) {
        let limiter = limiter(subject, "several", quota);
        equal(done(limiter.check_n("s", 3).await).remaining, 2);
        let refusal = done(limiter.check_n("s", 3).await);
        equal((refusal.allowed, refusal.remaining), (false, 2));
        let rest = done(limiter.check_n("s", 2).await);
        equal((rest.allowed, rest.remaining, rest.retry_after), (true, 0, Duration::ZERO));
    }
}

/// Subjects, names and namespaces each have their own permits, whatever bytes they are made of.
#[maybe_async]
pub async fn limits_are_counted_apart(subject: &Subject) {
    let space = space();
    let base = |namespace: &str| base(subject).namespace(&format!("{space}{namespace}"));
    let long = "ü".repeat(300);
    for namespace in ["a", "a:b"] {
        for name in ["b", "b:c", ":", "%3A"] {
            let limiter = done(RateLimiter::new(base(namespace), name, Quota::per_hour(1)));
            for subject in
                ["c", ":c", "b:c", "\u{0}", "a b\r\nflush_all\r\n", "%", &long, &format!("{long}!")]
            {
                holds(done(limiter.check(subject).await).allowed);
                holds(!done(limiter.check(subject).await).allowed);
            }
        }
    }
}

/// A look says what a call would, and takes nothing.
#[maybe_async]
pub async fn a_look_at_a_limit_takes_nothing(subject: &Subject) {
    for quota in kinds(Quota::per_hour(2)) {
        let limiter = limiter(subject, "look", quota);
        for left in [2, 1, 0] {
            for _ in 0..2 {
                let seen = done(limiter.peek("s").await);
                equal((seen.allowed, seen.remaining), (left > 0, left));
            }
            equal(done(limiter.check("s").await).allowed, left > 0);
        }
    }
}

/// A subject that is reset has all its permits, and its neighbours have what they had.
#[maybe_async]
pub async fn a_reset_gives_all_permits_back(subject: &Subject) {
    for quota in kinds(Quota::per_hour(2)) {
        let limiter = limiter(subject, "reset", quota);
        holds(!done(limiter.reset("s").await));
        for name in ["s", "other"] {
            holds(done(limiter.check_n(name, 2).await).allowed);
        }
        holds(done(limiter.reset("s").await));
        equal(done(limiter.peek("s").await).remaining, 2);
        equal(done(limiter.peek("other").await).remaining, 0);
    }
}

/// What no limiter can keep is refused before the backend is asked.
#[maybe_async]
pub async fn a_limit_that_makes_no_sense_is_refused(subject: &Subject) {
    let (base, hour) = (|| base(subject), Duration::from_secs(3600));
    for quota in [
        Quota::per_hour(0),
        Quota::new(1, Duration::ZERO),
        Quota::new(1, Duration::MAX),
        Quota::per_hour(1).burst(0),
        Quota::per_hour(1).burst(2).fixed_window(),
    ] {
        refused(RateLimiter::new(base(), "odd", quota), ErrorKind::Config);
    }
    refused(RateLimiter::new(base(), "", Quota::per_hour(1)), ErrorKind::InvalidKey);
    let limiter = limiter(subject, "odd", Quota::new(3, hour));
    for n in [0, 4, u64::MAX] {
        refused(limiter.check_n("s", n).await, ErrorKind::Config);
    }
    refused(limiter.check("").await, ErrorKind::InvalidKey);
    equal(done(limiter.peek("s").await).remaining, 3);
}

fn kinds(quota: Quota) -> [Quota; 3] {
    [quota, quota.fixed_window(), quota.sliding_window()]
}

fn base(subject: &Subject) -> StoreBase {
    StoreBase::from(&subject.backend).timeout(Duration::from_secs(10))
}

fn limiter(subject: &Subject, name: &str, quota: Quota) -> RateLimiter {
    done(RateLimiter::builder(base(subject).namespace(&space()), name, quota, Outage::Error).build())
}

/// A namespace that no other promise uses.
fn space() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{number}", module_path!(), std::process::id())
}
