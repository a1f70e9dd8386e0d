//! What a subject has taken, whatever the algorithm.

use std::time::Duration;

use super::fixed::Fixed;
use super::gcra::Gcra;
use super::sliding::Sliding;
use super::terms::Terms;
use super::{Clocks, Meter, Micros};
use crate::decision::Decision;
use crate::quota::Algorithm;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Gcra(Gcra),
    Fixed(Fixed),
    Sliding(Sliding),
}

/// The same call on each algorithm's own state.
macro_rules! each {
    ($state:expr, $meter:ident => $call:expr) => {
        match $state {
            State::Gcra($meter) => $call,
            State::Fixed($meter) => $call,
            State::Sliding($meter) => $call,
        }
    };
}

impl State {
    /// Of a subject that has taken nothing.
    pub(crate) fn new(algorithm: Algorithm) -> State {
        match algorithm {
            Algorithm::Gcra => State::Gcra(Gcra::default()),
            Algorithm::FixedWindow => State::Fixed(Fixed::default()),
            Algorithm::SlidingWindow => State::Sliding(Sliding::default()),
        }
    }

    /// `None` for what is no state of this algorithm.
    pub(crate) fn read(algorithm: Algorithm, text: &[u8]) -> Option<State> {
        let text = std::str::from_utf8(text).ok()?;
        let numbers: Vec<u64> = text.split(' ').map(number).collect::<Option<_>>()?;
        match algorithm {
            Algorithm::Gcra => Gcra::read(&numbers).map(State::Gcra),
            Algorithm::FixedWindow => Fixed::read(&numbers).map(State::Fixed),
            Algorithm::SlidingWindow => Sliding::read(&numbers).map(State::Sliding),
        }
    }

    pub(crate) fn write(&self) -> String {
        each!(self, meter => meter.write())
    }

    /// Takes so many permits if they can be had; none is a look. Says whether they were given, and whether there is
    /// something new to keep.
    pub(crate) fn take(&mut self, terms: &Terms, now: Micros, n: u64, clocks: Clocks) -> (bool, bool) {
        each!(self, meter => {
            let cut = meter.settle(terms, now, clocks);
            let given = n > 0 && meter.wait(terms, now, n) == 0;
            if given {
                meter.add(terms, now, n);
            }
            // Were a cut not kept, a refusal after a clock was set back would begin anew with each call.
            (given, given || (n > 0 && cut))
        })
    }

    /// What to tell of this state, which is of this time, after so many permits were asked for and given or not.
    pub(crate) fn tell(&self, terms: &Terms, now: Micros, n: u64, given: bool) -> Decision {
        each!(self, meter => {
            let wait = meter.wait(terms, now, n.max(1));
            let allowed = if n == 0 { wait == 0 } else { given };
            Decision {
                allowed,
                remaining: meter.room(terms, now),
                retry_after: if allowed { Duration::ZERO } else { Duration::from_micros(wait) },
                reset_after: Duration::from_micros(meter.rest(terms, now)),
                outage: None,
            }
        })
    }

    /// How long it means anything.
    pub(crate) fn rest(&self, terms: &Terms, now: Micros) -> Micros {
        each!(self, meter => meter.rest(terms, now))
    }
}

/// What a script's floats hold exactly; anything longer was not written by a limiter.
fn number(text: &str) -> Option<u64> {
    let plain = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
