//! Threads in flights: how one waits for a landing, and how it knows what it is loading itself.

use std::cell::{Cell, RefCell};
use std::sync::PoisonError;
use std::time::Instant;

use smol_str::SmolStr;

use crate::engine::flight::{Flight, Landing, State};
use crate::error::Result;
use crate::key::Key;
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

/// Runs a loader, remembering what it loads for as long as it runs.
pub(crate) fn loading<R>(table: usize, keys: &[SmolStr], load: impl FnOnce() -> R) -> R {
    /// Forgets the innermost loads, also when the loader panics.
    struct Leave(usize);
    impl Drop for Leave {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
            LOADING.with_borrow_mut(|stack| stack.truncate(self.0));
        }
    }
    let _leave = LOADING.with_borrow_mut(|stack| {
        let outer = stack.len();
        match keys {
            // By far the most, and to push is less work than to extend.
            [key] => stack.push((table, key.clone())),
            keys => stack.extend(keys.iter().map(|key| (table, key.clone()))),
        }
        DEPTH.set(DEPTH.get() + 1);
        Leave(outer)
    });
    load()
}

/// Whether a loader running on this thread is loading this key.
pub(crate) fn is_loading(table: usize, key: &Key<'_>) -> bool {
    // A load within a load is rare, and the stack is not as quickly reached.
    DEPTH.get() > 0
        && LOADING.with_borrow(|stack| stack.iter().any(|(held, name)| *held == table && key.is(name)))
}

thread_local! {
    /// Calls of [`loading`] under way.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static LOADING: RefCell<Vec<(usize, SmolStr)>> = const { RefCell::new(Vec::new()) };
}
