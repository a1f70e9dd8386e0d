//! Decisions in numbers, and what holds of all of them.

use std::time::Duration;

use proptest::prelude::*;

use super::table::{FEW, SHARDS};
use super::{Clocks, Draw, Leases, Permits, State, Table, Terms};
use crate::clock::Clock;
use crate::decision::Decision;
use crate::error::ErrorKind;
use crate::key::Prefix;
use crate::quota::Quota;

const SECOND: Duration = Duration::from_secs(1);

/// A subject that is asked about at times of one's own choice.
struct Subject {
    terms: Terms,
    state: State,
    clocks: Clocks,
}

impl Subject {
    fn of(quota: Quota) -> Subject {
        let terms = Terms::new(&quota).unwrap();
        Subject { terms, state: State::new(terms.algorithm), clocks: Clocks::One }
    }

    fn take(&mut self, at: u64, n: u64) -> Decision {
        let (allowed, _) = self.state.take(&self.terms, at, n, self.clocks);
        self.state.tell(&self.terms, at, n, allowed)
    }

    /// Allowed or not, what is left, and the two times in microseconds.
    fn says(&mut self, at: u64, n: u64) -> (bool, u64, u64, u64) {
        let Decision { allowed, remaining, retry_after, reset_after, outage } = self.take(at, n);
        assert_eq!(outage, None);
        (allowed, remaining, retry_after.as_micros() as u64, reset_after.as_micros() as u64)
    }
}

#[test]
fn a_gcra_gives_its_burst_and_then_one_permit_at_a_time() {
    let mut subject = Subject::of(Quota::per_second(10).burst(3));
    assert_eq!(subject.says(1_000_000, 1), (true, 2, 0, 100_000));
    assert_eq!(subject.says(1_000_000, 2), (true, 0, 0, 300_000));
    assert_eq!(subject.says(1_000_000, 1), (false, 0, 100_000, 300_000));
    assert_eq!(subject.says(1_099_999, 1), (false, 0, 1, 200_001));
    assert_eq!(subject.says(1_100_000, 1), (true, 0, 0, 300_000));
    assert_eq!(subject.says(1_100_000, 3), (false, 0, 300_000, 300_000));
    assert_eq!(subject.says(9_000_000, 3), (true, 0, 0, 300_000));
}

#[test]
#[cfg_attr(miri, ignore = "thousands of rounds")]
fn a_pace_that_no_microsecond_divides_is_kept_to_the_last_part_of_one() {
    let mut subject = Subject::of(Quota::per_second(3).burst(1));
    assert_eq!(subject.says(0, 1), (true, 0, 0, 333_334));
    assert_eq!(subject.says(333_333, 1), (false, 0, 1, 1));
    assert_eq!(subject.says(333_334, 1), (true, 0, 0, 333_334));
    let mut admitted = 0;
    let mut fast = Subject::of(Quota::per_second(3_000_000).burst(3));
    for at in 1..=1_000_000 {
        (0..4).for_each(|_| admitted += u64::from(fast.take(at, 1).allowed));
    }
    assert_eq!(admitted, 3_000_000, "three in each microsecond");
}

#[test]
fn a_fixed_window_begins_with_its_first_permit() {
    let mut subject = Subject::of(Quota::new(3, SECOND).fixed_window());
    assert_eq!(subject.says(5, 0), (true, 3, 0, 0));
    assert_eq!(subject.says(700_000, 1), (true, 2, 0, 1_000_000));
    assert_eq!(subject.says(1_200_000, 3), (false, 2, 500_000, 500_000));
    assert_eq!(subject.says(1_200_000, 2), (true, 0, 0, 500_000));
    assert_eq!(subject.says(1_699_999, 1), (false, 0, 1, 1));
    assert_eq!(subject.says(1_700_000, 3), (true, 0, 0, 1_000_000));
}

#[test]
fn a_sliding_window_gives_back_what_was_taken_a_period_ago() {
    let mut subject = Subject::of(Quota::new(3, SECOND).sliding_window());
    assert_eq!(subject.says(0, 1), (true, 2, 0, 1_000_000));
    assert_eq!(subject.says(400_000, 2), (true, 0, 0, 1_000_000));
    assert_eq!(subject.says(500_000, 1), (false, 0, 500_000, 900_000));
    assert_eq!(subject.says(500_000, 2), (false, 0, 900_000, 900_000));
    assert_eq!(subject.says(999_999, 1), (false, 0, 1, 400_001));
    assert_eq!(subject.says(1_000_000, 1), (true, 0, 0, 1_000_000));
    assert_eq!(subject.says(1_400_000, 3), (false, 2, 600_000, 600_000));
}

#[test]
fn what_is_taken_within_a_sixteenth_of_a_sliding_window_comes_back_with_its_last() {
    let mut subject = Subject::of(Quota::new(3, SECOND).sliding_window());
    for at in [0, 62_499, 62_500] {
        assert!(subject.take(at, 1).allowed);
    }
    assert_eq!(subject.says(1_000_000, 1), (false, 0, 62_499, 62_500));
    assert_eq!(subject.says(1_062_499, 1), (true, 1, 0, 1_000_000));
    assert_eq!(subject.state.write(), "1062499 62500 1 1062499 1");
}

#[test]
fn a_look_takes_nothing_and_says_what_a_call_would() {
    for quota in quotas(5) {
        let mut subject = Subject::of(quota);
        for left in (0..5).rev() {
            let (allowed, remaining, ..) = subject.says(10, 0);
            assert_eq!((allowed, remaining), (true, left + 1));
            assert!(subject.take(10, 1).allowed);
        }
        let (allowed, remaining, retry, _) = subject.says(10, 0);
        assert!(!allowed && remaining == 0 && retry > 0);
    }
}

#[test]
fn a_clock_that_is_set_back_gives_nothing_twice_and_holds_nobody_longer_than_a_refill() {
    for quota in quotas(5) {
        let mut subject = Subject::of(quota);
        assert!(subject.take(3_600_000_000, 5).allowed);
        let refused = subject.take(1_000, 1);
        assert!(!refused.allowed, "{quota:?}");
        assert!(refused.reset_after <= SECOND, "{quota:?}: {refused:?}");
        let again = subject.take(1_000 + refused.retry_after.as_micros() as u64, 1);
        assert!(again.allowed, "a refusal that was not kept begins anew: {quota:?} {again:?}");
    }
}

#[test]
fn a_client_whose_clock_is_ahead_gets_nothing_twice_from_one_whose_clock_is_behind() {
    for quota in quotas(5) {
        let mut subject = Subject { clocks: Clocks::Several, ..Subject::of(quota) };
        let mut admitted = 0;
        for _ in 0..100 {
            admitted += u64::from(subject.take(60_000_000, 1).allowed);
            admitted += u64::from(subject.take(1_000, 1).allowed);
        }
        assert_eq!(admitted, 5, "{quota:?}");
    }
}

#[test]
fn what_no_limiter_wrote_counts_as_nothing() {
    for quota in quotas(5) {
        let permits = Permits { terms: Terms::new(&quota).unwrap(), n: 1, now: None };
        let odd =
            ["", " ", "x", "1", "1 2 3 4", "-1 2", "1  2", "1.5 2", "99999999999999999 1", "\u{ff}", "1 2 "];
        for text in odd {
            let step = permits.step(Some(text.as_bytes()), SECOND);
            assert_eq!(step.decision.remaining, 4, "{text:?} {quota:?}");
            assert!(step.write.is_some());
        }
    }
}

#[test]
fn quotas_out_of_bounds_are_refused_with_what_is_allowed() {
    let day = Duration::from_secs(24 * 60 * 60);
    let table = [
        (Quota::per_second(0), "1 to 1,000,000,000"),
        (Quota::per_second(1_000_000_001), "1 to 1,000,000,000"),
        (Quota::per_second(u64::MAX), "1 to 1,000,000,000"),
        (Quota::new(1, Duration::ZERO), "a millisecond to 366 days"),
        (Quota::new(1, Duration::from_nanos(999_999)), "a millisecond to 366 days"),
        (Quota::new(1, 367 * day), "a millisecond to 366 days"),
        (Quota::new(1, Duration::MAX), "a millisecond to 366 days"),
        (Quota::per_second(1).burst(0), "1 to 1,000,000,000"),
        (Quota::per_second(1).burst(u64::MAX), "1 to 1,000,000,000"),
        (Quota::new(1, 366 * day).burst(11), "more than ten years"),
        (Quota::per_second(5).burst(5).fixed_window(), "no burst"),
        (Quota::per_second(5).burst(6).sliding_window(), "no burst"),
    ];
    for (quota, allowed) in table {
        let error = Terms::new(&quota).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(allowed), "{quota:?}: {error}");
    }
    for quota in [Quota::new(1_000_000_000, 366 * day), Quota::new(1, 366 * day).burst(10)] {
        Terms::new(&quota).unwrap();
    }
}

#[test]
fn a_call_takes_at_least_one_permit_and_at_most_what_can_be_had() {
    for (quota, most) in [(Quota::per_second(5), 5), (Quota::per_second(5).burst(9), 9)] {
        let terms = Terms::new(&quota).unwrap();
        for n in [0, most + 1, u64::MAX] {
            assert_eq!(terms.check(n).unwrap_err().kind(), ErrorKind::Config);
        }
        (1..=most).for_each(|n| terms.check(n).unwrap());
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of rounds")]
fn subjects_in_memory_are_forgotten_when_they_mean_nothing_any_more() {
    let (table, clock, prefix) = (Table::default(), Clock::hand(), Prefix::new("p"));
    let permits = Permits { terms: Terms::new(&Quota::per_second(1)).unwrap(), n: 1, now: None };
    for n in 0..100_000 {
        let name = n.to_string();
        assert!(table.take(&prefix.key(&name).unwrap(), &permits, &clock).allowed);
        clock.advance(Duration::from_millis(10));
    }
    // A hundred of them mean something at any time.
    assert!(table.len() <= SHARDS * FEW, "{}", table.len());
}

#[test]
#[cfg_attr(miri, ignore = "thousands of rounds")]
fn a_subject_in_memory_is_not_forgotten_for_want_of_room() {
    let (table, clock, prefix) = (Table::default(), Clock::hand(), Prefix::new("p"));
    let permits = Permits { terms: Terms::new(&Quota::per_hour(1)).unwrap(), n: 1, now: None };
    let names: Vec<_> = (0..50_000).map(|n: u32| n.to_string()).collect();
    for allowed in [true, false] {
        for name in &names {
            assert_eq!(table.take(&prefix.key(name).unwrap(), &permits, &clock).allowed, allowed);
        }
    }
    assert!(table.forget(&prefix.key("7").unwrap()) && !table.forget(&prefix.key("7").unwrap()));
}

#[test]
fn one_caller_at_a_time_fetches_a_lease_and_none_is_larger() {
    let clock = Clock::hand();
    let leases = Leases::new(5, SECOND, clock.clone());
    let told = Subject::of(Quota::per_second(100)).take(0, 5);
    assert!(matches!(leases.draw("s", 2), Draw::Fetch(5)));
    assert!(matches!(leases.draw("s", 1), Draw::Ask), "somebody is at it");
    assert_eq!(leases.put("s", 2, told).remaining, 98);
    assert!(matches!(leases.draw("s", 2), Draw::Here(decision) if decision.remaining == 96));
    assert!(matches!(leases.draw("s", 2), Draw::Fetch(5)), "one is left");
    assert_eq!(leases.put("s", 2, told).remaining, 99);
    assert_eq!(leases.left("s"), 4);
    assert!(matches!(leases.draw("s", 6), Draw::Ask), "more than a lease");
    clock.advance(SECOND);
    assert_eq!(leases.left("s"), 0, "it is a period old");
    assert!(matches!(leases.draw("s", 1), Draw::Fetch(5)));
    leases.give_up("s", SECOND / 2);
    assert!(matches!(leases.draw("s", 1), Draw::Ask), "no lease can be had yet");
    clock.advance(SECOND / 2);
    assert!(matches!(leases.draw("s", 1), Draw::Fetch(5)));
}

fn quotas(limit: u64) -> [Quota; 3] {
    let quota = Quota::new(limit, SECOND);
    [quota, quota.fixed_window(), quota.sliding_window()]
}

/// Any quota, and requests with gaps that matter to it.
fn traces() -> impl Strategy<Value = (Quota, Vec<(u64, u64)>)> {
    (1..50_u64, 1_000..10_000_000_u64, 0..4_u8, 1..80_u64).prop_flat_map(|(limit, period, kind, burst)| {
        let quota = Quota::new(limit, Duration::from_micros(period));
        let (quota, most) = match kind {
            0 => (quota, limit),
            1 => (quota.burst(burst), burst),
            2 => (quota.fixed_window(), limit),
            _ => (quota.sliding_window(), limit),
        };
        let step = (prop_oneof![Just(0), 0..period / limit + 2, 0..2 * period], 1..=most);
        (Just(quota), prop::collection::vec(step, 1..60))
    })
}

proptest! {
    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn a_refused_call_succeeds_when_it_is_told_to_and_not_a_microsecond_before((quota, trace) in traces()) {
        let mut subject = Subject::of(quota);
        let mut at = 1_000_000;
        for (gap, n) in trace {
            at += gap;
            let decision = subject.take(at, n);
            if !decision.allowed {
                let due = at + decision.retry_after.as_micros() as u64;
                let try_at = |at| Subject { state: subject.state.clone(), ..subject }.take(at, n).allowed;
                prop_assert!(try_at(due) && !try_at(due - 1), "{decision:?}");
            }
            let back = at + decision.reset_after.as_micros() as u64;
            let look = |at| Subject { state: subject.state.clone(), ..subject }.take(at, 0);
            prop_assert_eq!(look(back).remaining, subject.terms.burst);
            prop_assert!(decision.reset_after.is_zero() || look(back - 1).remaining < subject.terms.burst);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn no_time_of_one_period_admits_more_than_the_quota_says((quota, trace) in traces()) {
        let mut subject = Subject::of(quota);
        let (mut at, mut taken) = (1_000_000, Vec::new());
        for (gap, n) in trace {
            at += gap;
            if subject.take(at, n).allowed {
                taken.push((at, n));
            }
        }
        let Terms { limit, period, burst, .. } = subject.terms;
        let most = match quota {
            sliding if sliding == Quota::new(limit, quota.period()).sliding_window() => limit,
            fixed if fixed == Quota::new(limit, quota.period()).fixed_window() => 2 * limit - 1,
            _ => limit + burst,
        };
        for (begin, _) in &taken {
            let within = taken.iter().filter(|(at, _)| (*begin..begin + period).contains(at));
            let admitted: u64 = within.map(|(_, n)| n).sum();
            prop_assert!(admitted <= most, "{admitted} in a period from {begin}, {quota:?}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn a_state_is_read_as_it_was_written((quota, trace) in traces()) {
        let mut subject = Subject::of(quota);
        let mut at = 1_800_000_000_000_000;
        for (gap, n) in trace {
            at += gap;
            if subject.take(at, n).allowed {
                let text = subject.state.write();
                prop_assert!(text.split(' ').all(|number| number.parse::<u64>().unwrap() < 1 << 53));
                let read = State::read(subject.terms.algorithm, text.as_bytes());
                prop_assert_eq!(read.as_ref(), Some(&subject.state));
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn hostile_states_and_times_panic_nowhere(
        (quota, _) in traces(),
        numbers in prop::collection::vec(0..10_000_000_000_000_000_u64, 0..40),
        now in 0..10_000_000_000_000_000_u64,
        several in any::<bool>(),
    ) {
        let text = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        let permits = Permits { terms: Terms::new(&quota).unwrap(), n: 1, now: None };
        let clocks = if several { Clocks::Several } else { Clocks::One };
        let step = permits.step_by(Some(text.as_bytes()), now, clocks);
        prop_assert!(step.decision.remaining <= permits.terms.burst);
    }
}
