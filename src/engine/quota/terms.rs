//! A quota, checked, in the numbers that decisions are made of.

use std::time::Duration;

use super::Micros;
use crate::error::{Error, ErrorKind, Result};
use crate::quota::{Algorithm, Quota};

/// The numbers of a quota that is within bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Terms {
    pub(crate) algorithm: Algorithm,
    pub(crate) limit: u64,
    pub(crate) period: Micros,
    /// How many can be taken at once: of windows, the limit.
    pub(crate) burst: u64,
    /// How long one permit takes to come back, and how long all do, one by one.
    one: Fine,
    all: Fine,
}

/// Time in microseconds and parts of one, of which so many make one as the limit is. By these the pace of a GCRA is exact,
/// whether or not the period can be divided by the limit.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Fine {
    pub(crate) micros: Micros,
    pub(crate) part: u64,
}

/// How many parts a sliding window is counted in.
const PARTS: u64 = 16;

const MOST: u64 = 1_000_000_000;
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// With today's time in microseconds, 1.8 × 10^15, all sums of a script stay below 2^53 for two centuries.
const LONGEST_REFILL: u128 = 10 * LONGEST.as_micros();

impl Terms {
    /// # Errors
    /// `Config`, which says what is allowed.
    pub(crate) fn new(quota: &Quota) -> Result<Terms> {
        let (limit, period, algorithm) = (quota.limit(), quota.period(), quota.algorithm());
        within("the limit of a quota", limit)?;
        if !(SHORTEST..=LONGEST).contains(&period) {
            return refuse(format!(
                "the period of a quota is {period:?}; it can be a millisecond to 366 days"
            ));
        }
        let burst = match (algorithm, quota.named_burst()) {
            (_, None) => limit,
            (Algorithm::Gcra, Some(burst)) => burst,
            (_, Some(_)) => {
                return refuse(
                    "a window admits its limit at once and has no burst; leave it out, or use GCRA",
                );
            }
        };
        within("the burst of a quota", burst)?;
        // At most 3.2 × 10^13, by the check above.
        let period = period.as_nanos().div_ceil(1_000) as Micros;
        if u128::from(burst) * u128::from(period) > LONGEST_REFILL * u128::from(limit) {
            return refuse("a burst takes this quota more than ten years to give back; give a smaller one");
        }
        let cost = |n| Fine::of(u128::from(n) * u128::from(period), limit);
        Ok(Terms { algorithm, limit, period, burst, one: cost(1), all: cost(burst) })
    }

    /// # Errors
    /// `Config` for none, or for more than can ever be had.
    pub(crate) fn check(&self, n: u64) -> Result<()> {
        let most = self.burst;
        match n {
            0 => refuse("a call takes at least one permit; look at what is left by peek"),
            n if n > most => {
                refuse(format!("{n} permits can never be had at once of this quota, at most {most}"))
            }
            _ => Ok(()),
        }
    }

    /// How long so many permits take to come back one by one.
    pub(crate) fn cost(&self, n: u64) -> Fine {
        match n {
            0 => Fine::default(),
            1 => self.one,
            n if n == self.burst => self.all,
            n => Fine::of(u128::from(n) * u128::from(self.period), self.limit),
        }
    }

    /// How long all of them take.
    pub(crate) fn refill(&self) -> Fine {
        self.all
    }

    /// How many permits come back in so long.
    pub(super) fn permits_in(&self, time: Fine) -> u64 {
        let parts = time.micros.checked_mul(self.limit).and_then(|parts| parts.checked_add(time.part));
        match parts {
            Some(parts) => parts / self.period,
            None => {
                let parts = u128::from(time.micros) * u128::from(self.limit) + u128::from(time.part);
                u64::try_from(parts / u128::from(self.period)).unwrap_or(u64::MAX)
            }
        }
    }

    /// The stretch of a sliding window in which permits are counted together.
    pub(crate) fn stretch(&self) -> Micros {
        self.period.div_ceil(PARTS)
    }
}

impl Fine {
    /// So many parts of a microsecond.
    fn of(parts: u128, limit: u64) -> Fine {
        let limit = u128::from(limit);
        // A burst takes ten years at most, and no more than it is ever asked for.
        Fine { micros: (parts / limit) as Micros, part: (parts % limit) as u64 }
    }

    pub(super) fn at(micros: Micros) -> Fine {
        Fine { micros, part: 0 }
    }

    /// With less than a whole microsecond in its parts, as all others have them.
    pub(super) fn settled(self, limit: u64) -> Fine {
        match self.part < limit {
            true => self,
            false => Fine { micros: self.micros.saturating_add(self.part / limit), part: self.part % limit },
        }
    }

    pub(super) fn plus(self, more: Fine, limit: u64) -> Fine {
        let sum = Fine { micros: self.micros.saturating_add(more.micros), part: self.part + more.part };
        sum.settled(limit)
    }

    /// What is left of it after so much; nothing, if that is more.
    pub(super) fn minus(self, less: Fine, limit: u64) -> Fine {
        self.checked_minus(less, limit).unwrap_or_default()
    }

    fn checked_minus(self, less: Fine, limit: u64) -> Option<Fine> {
        match self.part.checked_sub(less.part) {
            Some(part) => Some(Fine { micros: self.micros.checked_sub(less.micros)?, part }),
            None => {
                let micros = self.micros.checked_sub(less.micros)?.checked_sub(1)?;
                Some(Fine { micros, part: self.part + limit - less.part })
            }
        }
    }

    /// In whole microseconds, none too few.
    pub(super) fn rounded_up(self) -> Micros {
        self.micros.saturating_add(u64::from(self.part > 0))
    }
}

fn within(what: &str, n: u64) -> Result<()> {
    match n {
        1..=MOST => Ok(()),
        _ => refuse(format!("{what} is {n}; it can be 1 to 1,000,000,000")),
    }
}

fn refuse<T>(text: impl Into<std::borrow::Cow<'static, str>>) -> Result<T> {
    Err(Error::new(ErrorKind::Config, text))
}
