//! The generic cell rate algorithm, as ITU-T Recommendation I.371 (annex A) has it as "virtual scheduling": all that is kept of a
//! subject is the time at which it will have all its permits back.

use super::terms::{Fine, Terms};
use super::{Clocks, Meter, Micros};

/// When all permits are back: the theoretical arrival time of the next cell, had the last ones come at the pace of the quota.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Gcra(Fine);

impl Default for Gcra {
    fn default() -> Gcra {
        Gcra(Fine { micros: 0, part: 0 })
    }
}

impl Gcra {
    /// In parts of a microsecond.
    fn ticks(&self, terms: &Terms) -> u128 {
        ticks(terms, self.0.micros) + u128::from(self.0.part)
    }

    fn set(&mut self, terms: &Terms, at: u128) {
        let limit = u128::from(terms.limit);
        // Read from a server it is what a `u64` held, and no request takes it further than ten years.
        let micros = Micros::try_from(at / limit).unwrap_or(Micros::MAX);
        self.0 = Fine { micros, part: (at % limit) as u64 };
    }

    /// The latest that all permits can be back, at this time: if all were taken now.
    fn latest(terms: &Terms, now: Micros) -> u128 {
        ticks(terms, now) + terms.ticks(terms.burst)
    }
}

fn ticks(terms: &Terms, at: Micros) -> u128 {
    u128::from(at) * u128::from(terms.limit)
}

fn micros(terms: &Terms, ticks: u128) -> Micros {
    Micros::try_from(ticks.div_ceil(u128::from(terms.limit))).unwrap_or(Micros::MAX)
}

impl Meter for Gcra {
    fn settle(&mut self, terms: &Terms, now: Micros, clocks: Clocks) -> bool {
        let (at, latest) = (self.ticks(terms).max(ticks(terms, now)), Gcra::latest(terms, now));
        let cut = clocks == Clocks::One && at > latest;
        self.set(terms, if cut { latest } else { at });
        cut
    }

    fn wait(&self, terms: &Terms, now: Micros, n: u64) -> Micros {
        let at = self.ticks(terms) + terms.ticks(n);
        micros(terms, at.saturating_sub(Gcra::latest(terms, now)))
    }

    fn add(&mut self, terms: &Terms, _: Micros, n: u64) {
        self.set(terms, self.ticks(terms) + terms.ticks(n));
    }

    fn room(&self, terms: &Terms, now: Micros) -> u64 {
        let left = Gcra::latest(terms, now).saturating_sub(self.ticks(terms));
        // At most the burst.
        (left / u128::from(terms.period)) as u64
    }

    fn rest(&self, terms: &Terms, now: Micros) -> Micros {
        micros(terms, self.ticks(terms).saturating_sub(ticks(terms, now)))
    }

    fn write(&self) -> String {
        format!("{} {}", self.0.micros, self.0.part)
    }

    fn read(numbers: &[u64]) -> Option<Gcra> {
        let [micros, part] = *numbers else { return None };
        Some(Gcra(Fine { micros, part }))
    }
}
