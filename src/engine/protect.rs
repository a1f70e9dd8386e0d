//! Whether a value that is there will do: pure decisions from its age, its policy and one draw of chance.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::policy::Rules;
use crate::ttl::{Lifetime, Remaining};

/// What is to be done about a value that is there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Verdict {
    /// Serve it.
    Fresh,
    /// Serve it, and have one caller reload it.
    Early,
    /// It is past its time: serve it while one caller reloads it, or where the load fails.
    Stale,
    /// This caller does not take it.
    Unwanted,
}

/// A value's age, as far as its lifetime tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    /// How long a value of this policy is fresh.
    pub(crate) ttl: Lifetime,
    /// What is left of its stay, time past its end included.
    pub(crate) remaining: Remaining,
    /// How long values are kept past their time.
    pub(crate) kept: Duration,
}

impl Age {
    /// How long ago it was loaded. A value with more left than its policy gives was loaded just now, or jittered.
    pub(crate) fn since_load(self) -> Option<Duration> {
        match (self.ttl, self.remaining) {
            (Lifetime::For(ttl), Remaining::For(left)) => {
                Some(ttl.saturating_add(self.kept).saturating_sub(left))
            }
            _ => None,
        }
    }

    /// How long it is still fresh; zero once it is not. `None` is for ever.
    fn fresh_for(self) -> Option<Duration> {
        match self.remaining {
            Remaining::Never => None,
            Remaining::For(left) => Some(left.saturating_sub(self.kept)),
        }
    }

    /// How far past its time it is.
    fn past(self) -> Duration {
        match self.remaining {
            Remaining::Never => Duration::ZERO,
            Remaining::For(left) => self.kept.saturating_sub(left),
        }
    }
}

impl Rules {
    /// Whether it matters how long a load takes.
    pub(crate) fn need_load_time(&self) -> bool {
        self.early.is_some() || self.hard_limit.is_some()
    }

    /// `took` is how long the value's load took; `chance` lies above 0 and up to 1.
    pub(crate) fn judge(&self, age: Age, took: Option<Duration>, chance: f64) -> Verdict {
        let too_old = self.max_age.is_some_and(|most| age.since_load().is_some_and(|age| age > most));
        if self.force || too_old {
            return Verdict::Unwanted;
        }
        match age.fresh_for() {
            None => Verdict::Fresh,
            Some(Duration::ZERO) if self.stale_for.unwrap_or(age.kept) > age.past() => Verdict::Stale,
            Some(Duration::ZERO) => Verdict::Unwanted,
            Some(left) if self.is_ahead(age.ttl, left) || self.is_early(left, took, chance) => Verdict::Early,
            Some(_) => Verdict::Fresh,
        }
    }

    fn is_ahead(&self, ttl: Lifetime, left: Duration) -> bool {
        match (self.refresh_ahead, ttl) {
            (Some(fraction), Lifetime::For(ttl)) => left <= ttl.mul_f64(fraction),
            _ => false,
        }
    }

    /// XFetch: the time now plus Δ·β·(−ln chance) has come to the value's end.
    fn is_early(&self, left: Duration, took: Option<Duration>, chance: f64) -> bool {
        let (Some(beta), Some(took)) = (self.early, took) else { return false };
        took.as_secs_f64() * beta * -chance.ln() >= left.as_secs_f64()
    }

    /// How long to pause before the next look for what another process is loading: 5 to 10 ms in the first second
    /// of the wait, then growing with it up to the retry interval.
    pub(crate) fn pause(&self, waited: Duration, chance: f64) -> Duration {
        let growing = SHORTEST_PAUSE.max(waited.saturating_sub(FIRST_SECOND) / 10);
        let longest = (2 * growing).min(self.retry_interval.max(Duration::from_millis(1)));
        longest / 2 + (longest / 2).mul_f64(chance)
    }
}

/// A running estimate of how long this process's loads take; each load counts for an eighth.
#[derive(Default)]
pub(crate) struct LoadTime(AtomicU64);

impl LoadTime {
    pub(crate) fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX / 8).clamp(1, u64::MAX / 8);
        let known = self.0.load(Ordering::Relaxed);
        // A note that another overtakes is lost, which an estimate can bear.
        let next = if known == 0 { micros } else { known - known / 8 + micros / 8 };
        self.0.store(next, Ordering::Relaxed);
    }

    /// `None` before the first load.
    pub(crate) fn estimate(&self) -> Option<Duration> {
        let micros = self.0.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const FIRST_SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Of a value that is fresh for 100 s and kept for 50 s more.
    fn age(left: u64) -> Age {
        Age { ttl: Lifetime::For(secs(100)), remaining: Remaining::For(secs(left)), kept: secs(50) }
    }

    fn rules(stale_for: u64) -> Rules {
        Rules { stale_for: Some(secs(stale_for)), ..Rules::default() }
    }

    #[test]
    fn a_value_is_fresh_for_its_ttl_then_stale_then_unwanted() {
        let judge = |left| rules(30).judge(age(left), None, 0.5);
        assert_eq!(judge(150), Verdict::Fresh);
        assert_eq!(judge(51), Verdict::Fresh);
        assert_eq!(judge(50), Verdict::Stale);
        assert_eq!(judge(21), Verdict::Stale);
        assert_eq!(judge(20), Verdict::Unwanted, "30 s past its time");
        assert_eq!(rules(0).judge(age(50), None, 0.5), Verdict::Unwanted);
    }

    #[test]
    fn what_never_ends_is_fresh_unless_it_is_forced() {
        let endless = Age { ttl: Lifetime::Never, remaining: Remaining::Never, kept: secs(50) };
        assert_eq!(rules(50).judge(endless, None, 0.5), Verdict::Fresh);
        assert_eq!(Rules { force: true, ..rules(50) }.judge(endless, None, 0.5), Verdict::Unwanted);
    }

    #[test]
    fn the_last_fraction_of_a_lifetime_asks_for_a_reload() {
        let rules = Rules { refresh_ahead: Some(0.2), ..rules(50) };
        assert_eq!(rules.judge(age(71), None, 0.5), Verdict::Fresh);
        assert_eq!(rules.judge(age(70), None, 0.5), Verdict::Early);
    }

    #[test]
    fn an_early_reload_depends_on_the_load_time_beta_and_chance() {
        let judge =
            |beta, took, chance| Rules { early: Some(beta), ..rules(50) }.judge(age(60), took, chance);
        // 10 s are left; −ln(e⁻¹) = 1.
        let one = (-1.0_f64).exp();
        assert_eq!(judge(1.0, Some(secs(9)), one), Verdict::Fresh);
        assert_eq!(judge(1.0, Some(secs(11)), one), Verdict::Early);
        assert_eq!(judge(2.0, Some(secs(6)), one), Verdict::Early);
        assert_eq!(judge(0.0, Some(secs(1_000)), one), Verdict::Fresh);
        assert_eq!(judge(1.0, None, 1e-300), Verdict::Fresh, "no load time is known");
        assert_eq!(judge(1.0, Some(secs(11)), 1.0), Verdict::Fresh, "−ln 1 = 0");
    }

    #[test]
    fn a_value_over_its_most_age_is_unwanted_even_if_it_is_fresh() {
        let rules = Rules { max_age: Some(secs(10)), ..rules(50) };
        assert_eq!(rules.judge(age(140), None, 0.5), Verdict::Fresh);
        assert_eq!(rules.judge(age(139), None, 0.5), Verdict::Unwanted);
    }

    #[test]
    fn the_estimate_follows_the_loads() {
        let times = LoadTime::default();
        assert_eq!(times.estimate(), None);
        times.note(secs(8));
        assert_eq!(times.estimate(), Some(secs(8)));
        times.note(secs(16));
        assert_eq!(times.estimate(), Some(secs(9)));
    }

    #[test]
    fn pauses_begin_at_five_to_ten_milliseconds_and_end_at_the_retry_interval() {
        let rules = Rules::default();
        let pause = |waited, chance| rules.pause(waited, chance).as_micros();
        assert_eq!((pause(secs(0), 1e-9), pause(secs(0), 1.0)), (5_000, 10_000));
        assert_eq!(pause(Duration::from_millis(1_200), 1.0), 40_000);
        assert_eq!((pause(secs(5), 1e-9), pause(secs(5), 1.0)), (50_000, 100_000));
    }
}
