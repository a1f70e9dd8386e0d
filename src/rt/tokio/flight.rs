//! Tasks in flights: how one waits for a landing, and how it knows what it is loading itself.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Instant;

use tokio::task_local;

use super::runtime::within;
use crate::engine::flight::{Flight, Landing, State};
use crate::error::Result;
use crate::key::{Key, KeyText};

/// Waits until the flight lands; `None` if `until` comes first.
///
/// # Errors
/// `Closed` if the runtime ends first; `Unsupported` outside tokio.
pub(crate) async fn landed(flight: &Flight, until: Instant) -> Result<Option<Landing>> {
    let mut waiting = Waiting { flight, seat: None };
    match within(until, pin!(poll_fn(|context| waiting.poll(context.waker())))).await {
        Ok(landing) => Ok(Some(landing)),
        Err(error) if error.is_timeout() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A task in its seat. It leaves however the wait ends, so that the flight keeps nothing of a task that has gone.
struct Waiting<'a> {
    flight: &'a Flight,
    seat: Option<usize>,
}

impl Waiting<'_> {
    /// Wakers are dropped after the lock: the last one of a task drops the task, which may sit here too.
    fn poll(&mut self, waker: &Waker) -> Poll<Landing> {
        let mut _old = None;
        match &mut *self.flight.state() {
            State::Landed(landing) => Poll::Ready(landing.clone()),
            State::Airborne { waiters, .. } => {
                match self.seat.and_then(|seat| waiters.get_mut(seat)) {
                    Some(held) => _old = held.replace(waker.clone()),
                    None => {
                        self.seat = Some(waiters.len());
                        waiters.push(Some(waker.clone()));
                    }
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut _old = None;
        if let (State::Airborne { waiters, .. }, Some(seat)) = (&mut *self.flight.state(), self.seat)
            && let Some(waiter) = waiters.get_mut(seat)
        {
            _old = waiter.take();
        }
    }
}

task_local! {
    /// What the loaders around the running code load. A scope, not a property of the task: two loads that
    /// one task joins are not inside each other.
    static LOADING: Vec<(usize, KeyText)>;
}

/// Runs a loader, remembering what it loads for as long as it runs.
pub(crate) async fn loading<R>(table: usize, keys: &[KeyText], load: impl AsyncFnOnce() -> R) -> R {
    let mut stack = LOADING.try_with(Vec::clone).unwrap_or_default();
    stack.extend(keys.iter().map(|key| (table, key.clone())));
    LOADING.scope(stack, async move { load().await }).await
}

/// Whether a loader around the running code is loading this key.
pub(crate) fn is_loading(table: usize, key: &Key<'_>) -> bool {
    let within =
        |stack: &Vec<(usize, KeyText)>| stack.iter().any(|(held, name)| *held == table && name.is(key));
    LOADING.try_with(within).unwrap_or(false)
}

#[cfg(all(test, shuttle))]
mod races;
#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::engine::flight::{Boarding, Flights};

    use super::*;

    #[test]
    fn polling_twice_takes_one_seat_and_leaving_empties_it() {
        let flights = Arc::new(Flights::default());
        let Boarding::Lead(leader) = flights.board("k".into(), None) else { panic!("nobody else leads") };
        let flight = leader.flight();
        let mut waiting = Waiting { flight: &flight, seat: None };
        for _ in 0..3 {
            assert!(waiting.poll(Waker::noop()).is_pending());
        }
        assert_eq!(waiting.seat, Some(0));
        drop(waiting);
        let State::Airborne { waiters, .. } = &*flight.state() else { panic!("nothing has landed") };
        assert!(matches!(waiters[..], [None]));
    }
}
