//! A window that begins with the first permit, as in Laravel's and Symfony's limiters: who comes at a steady pace is not at
//! the mercy of where the clock's minutes begin.

use super::terms::Terms;
use super::{Clocks, Meter, Micros};

/// When the window began, and how many permits were taken in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Fixed {
    start: Micros,
    count: u64,
}

impl Fixed {
    /// What is left of the window.
    fn left(&self, terms: &Terms, now: Micros) -> Micros {
        self.start.saturating_add(terms.period).saturating_sub(now)
    }
}

impl Meter for Fixed {
    fn settle(&mut self, terms: &Terms, now: Micros, clocks: Clocks) -> bool {
        if self.count == 0 || self.left(terms, now) == 0 {
            *self = Fixed { start: now, count: 0 };
        }
        let cut = clocks == Clocks::One && self.start > now;
        if cut {
            self.start = now;
        }
        cut
    }

    fn wait(&self, terms: &Terms, now: Micros, n: u64) -> Micros {
        if self.room(terms, now) >= n { 0 } else { self.left(terms, now) }
    }

    fn add(&mut self, _: &Terms, _: Micros, n: u64) {
        self.count += n;
    }

    fn room(&self, terms: &Terms, _: Micros) -> u64 {
        terms.limit.saturating_sub(self.count)
    }

    fn rest(&self, terms: &Terms, now: Micros) -> Micros {
        if self.count == 0 { 0 } else { self.left(terms, now) }
    }

    fn write(&self) -> String {
        format!("{} {}", self.start, self.count)
    }

    fn read(numbers: &[u64]) -> Option<Fixed> {
        let [start, count] = *numbers else { return None };
        Some(Fixed { start, count })
    }
}
