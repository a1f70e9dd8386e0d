//! Threads in queues for a lock: how one waits to be called.

use std::time::Instant;

use crate::engine::sync::PoisonError;
use crate::engine::turns::Seat;
use crate::error::Result;
use crate::now::now;

/// Waits for a call, and takes it; `false` if `until` comes first.
pub(crate) fn called(seat: &Seat, until: Instant) -> Result<bool> {
    let mut state = seat.state();
    loop {
        if std::mem::take(&mut state.pending) {
            return Ok(true);
        }
        let left = until.saturating_duration_since(now());
        if left.is_zero() {
            return Ok(false);
        }
        // One flag is whole whoever panicked beside it.
        state = seat.called.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}
