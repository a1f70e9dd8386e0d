//! A request for permits, as a backend is given it.

use std::time::Duration;

use super::state::State;
use super::terms::Terms;
use super::{Clocks, Micros};
use crate::decision::Decision;
use crate::ttl::Lifetime;

/// A request for permits of one subject, as a [`Backend`](crate::Backend) is given it: what it comes to where this or
/// that is stored of the subject.
#[derive(Clone, Copy, Debug)]
pub struct Permits {
    pub(crate) terms: Terms,
    /// How many are asked for; none is a look.
    pub(crate) n: u64,
    /// The time to go by in place of the server's, in tests.
    pub(crate) now: Option<Micros>,
}

/// What a request for permits comes to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The answer to the caller.
    pub decision: Decision,
    /// What to store of the subject, and for how long at least, in the same step that looked at what was there; else the
    /// decision is void. `None` if nothing changes.
    pub write: Option<(Vec<u8>, Lifetime)>,
}

impl Permits {
    /// What the request comes to, where `held` is stored of the subject, by a clock that all requests for it go by: the time
    /// since some beginning that stays the same. Pure: it may be tried as often as it takes.
    pub fn step(&self, held: Option<&[u8]>, now: Duration) -> Step {
        self.step_by(held, now.as_micros() as Micros, Clocks::One)
    }

    /// The same by the clocks of clients. Bytes that no limiter wrote count as nothing.
    pub(crate) fn step_by(&self, held: Option<&[u8]>, now: Micros, clocks: Clocks) -> Step {
        let Permits { terms, n, now: given } = self;
        let now = given.unwrap_or(now);
        let held = held.and_then(|text| State::read(terms.algorithm, text));
        let mut state = held.unwrap_or_else(|| State::new(terms.algorithm));
        let (allowed, changed) = state.take(terms, now, *n, clocks);
        let write = changed.then(|| (state.write().into_bytes(), self.stay(state.rest(terms, now))));
        Step { decision: state.tell(terms, now, *n, allowed), write }
    }

    /// The decision where the server has taken the step: by its state and time after it.
    #[cfg(feature = "redis")]
    pub(crate) fn told(&self, state: &[u8], now: Micros, allowed: bool) -> Option<Decision> {
        let state = State::read(self.terms.algorithm, state)?;
        Some(state.tell(&self.terms, now, self.n, allowed))
    }

    /// How long a state stays that means something for so long. Servers end lifetimes by clocks that tick in milliseconds, so there
    /// is one more for the tick under way.
    pub(crate) fn stay(&self, rest: Micros) -> Lifetime {
        let rest = Duration::from_micros(rest) + Duration::from_millis(2);
        // A clock that is moved by hand says nothing about the time of the server.
        let stay = if self.now.is_some() { rest.max(BY_HAND) } else { rest };
        Lifetime::For(stay.min(Lifetime::MAX))
    }
}

const BY_HAND: Duration = Duration::from_secs(60 * 60);
