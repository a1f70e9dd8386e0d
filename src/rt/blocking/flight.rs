//! Threads in flights: how one waits for a landing.

use std::sync::PoisonError;
use std::time::Instant;

use crate::engine::flight::{Flight, Landing, State};
use crate::error::Result;
use crate::now::now;

/// Waits until the flight lands; `None` if `until` comes first.
pub(crate) fn landed(flight: &Flight, until: Instant) -> Result<Option<Landing>> {
    let mut state = flight.state();
    loop {
        match &mut *state {
            State::Landed(landing) => return Ok(Some(landing.clone())),
            State::Airborne { threads, .. } => *threads += 1,
        }
        let left = until.saturating_duration_since(now());
        if left.is_zero() {
            return Ok(None);
        }
        // A poisoned state is whole: see `Flight::state`.
        let waited = flight.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        state = waited.0;
    }
}
