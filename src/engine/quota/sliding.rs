//! The log of all permits of the last period, as in Redis' own documentation of sorted sets as limiters, with permits that were taken within a
//! sixteenth of a period written as one entry.
//!
//! The usual "sliding window counter" (two windows, the older one weighed by how much of it is still in view) keeps two numbers, and admits up to nearly
//! twice the limit in a period: it takes for granted that the older window's permits were spread evenly. Here an entry counts as
//! a whole until its last permit is a period old, so the error is on the other side: no period admits more than the
//! limit, and a permit may come back a sixteenth of a period late.

use std::fmt::Write as _;

use super::terms::Terms;
use super::{Clocks, Meter, Micros};

/// What was taken in the last period, the oldest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sliding {
    /// When the newest entry began.
    begun: Micros,
    taken: Vec<Taken>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Taken {
    /// When the last of them was taken.
    last: Micros,
    count: u64,
}

impl Taken {
    /// How long until these are a period old.
    fn left(&self, terms: &Terms, now: Micros) -> Micros {
        self.last.saturating_add(terms.period).saturating_sub(now)
    }
}

impl Sliding {
    fn count(&self) -> u64 {
        self.taken.iter().fold(0, |sum, taken| sum.saturating_add(taken.count))
    }
}

impl Meter for Sliding {
    fn settle(&mut self, terms: &Terms, now: Micros, clocks: Clocks) -> bool {
        self.taken.retain(|taken| taken.left(terms, now) > 0);
        let mut cut = false;
        if clocks == Clocks::One {
            for at in self.taken.iter_mut().map(|taken| &mut taken.last).chain([&mut self.begun]) {
                cut |= *at > now;
                *at = now.min(*at);
            }
        }
        cut
    }

    fn wait(&self, terms: &Terms, now: Micros, n: u64) -> Micros {
        let mut over = self.count().saturating_add(n).saturating_sub(terms.limit);
        let mut wait = 0;
        for taken in &self.taken {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(taken.count);
            wait = taken.left(terms, now);
        }
        wait
    }

    fn add(&mut self, terms: &Terms, now: Micros, n: u64) {
        let begun = self.begun;
        match self.taken.last_mut() {
            Some(newest) if now < begun.saturating_add(terms.stretch()) => {
                newest.last = newest.last.max(now);
                newest.count += n;
            }
            _ => {
                self.begun = now;
                self.taken.push(Taken { last: now, count: n });
            }
        }
    }

    fn room(&self, terms: &Terms, _: Micros) -> u64 {
        terms.limit.saturating_sub(self.count())
    }

    fn rest(&self, terms: &Terms, now: Micros) -> Micros {
        self.taken.last().map_or(0, |newest| newest.left(terms, now))
    }

    fn write(&self) -> String {
        let mut text = self.begun.to_string();
        for Taken { last, count } in &self.taken {
            // Writing to a string cannot fail.
            let _ = write!(text, " {last} {count}");
        }
        text
    }

    fn read(numbers: &[u64]) -> Option<Sliding> {
        let (begun, taken) = numbers.split_first()?;
        let (taken, odd) = taken.as_chunks::<2>();
        let taken: Vec<_> = taken.iter().map(|&[last, count]| Taken { last, count }).collect();
        odd.is_empty().then_some(Sliding { begun: *begun, taken })
    }
}
