//! The generic cell rate algorithm, as ITU-T Recommendation I.371 (annex A) has it as "virtual scheduling": all that is kept of a
//! subject is the time at which it will have all its permits back.

use super::terms::{Fine, Terms};
use super::{Clocks, Meter, Micros};

/// When all permits are back: the theoretical arrival time of the next cell, had the last ones come at the pace of the quota.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Gcra(Fine);

/// The latest that all permits can be back, at this time: if all were taken now.
fn latest(terms: &Terms, now: Micros) -> Fine {
    Fine::at(now).plus(terms.refill(), terms.limit)
}

impl Meter for Gcra {
    fn settle(&mut self, terms: &Terms, now: Micros, clocks: Clocks) -> bool {
        let (at, latest) = (self.0.settled(terms.limit).max(Fine::at(now)), latest(terms, now));
        let cut = clocks == Clocks::One && at > latest;
        self.0 = if cut { latest } else { at };
        cut
    }

    fn wait(&self, terms: &Terms, now: Micros, n: u64) -> Micros {
        let at = self.0.plus(terms.cost(n), terms.limit);
        at.minus(latest(terms, now), terms.limit).rounded_up()
    }

    fn add(&mut self, terms: &Terms, _: Micros, n: u64) {
        self.0 = self.0.plus(terms.cost(n), terms.limit);
    }

    fn room(&self, terms: &Terms, now: Micros) -> u64 {
        terms.permits_in(latest(terms, now).minus(self.0, terms.limit))
    }

    fn rest(&self, terms: &Terms, now: Micros) -> Micros {
        self.0.minus(Fine::at(now), terms.limit).rounded_up()
    }

    fn write(&self) -> String {
        format!("{} {}", self.0.micros, self.0.part)
    }

    fn read(numbers: &[u64]) -> Option<Gcra> {
        let [micros, part] = *numbers else { return None };
        Some(Gcra(Fine { micros, part }))
    }
}
