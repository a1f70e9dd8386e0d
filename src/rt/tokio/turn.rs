//! Tasks in queues for a lock: how one waits to be called.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Instant;

use super::runtime::within;
use crate::engine::turns::Seat;
use crate::error::Result;

/// Waits for a call, and takes it; `false` if `until` comes first.
///
/// # Errors
/// `Closed` if the runtime ends first; `Unsupported` outside tokio.
pub(crate) async fn called(seat: &Seat, until: Instant) -> Result<bool> {
    match within(until, pin!(poll_fn(|context| poll(seat, context.waker())))).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_timeout() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Wakers are dropped after the lock: the last one of a task drops the task, which may wait here too.
fn poll(seat: &Seat, waker: &Waker) -> Poll<()> {
    let mut _old = None;
    let mut state = seat.state();
    if std::mem::take(&mut state.pending) {
        return Poll::Ready(());
    }
    _old = state.waker.replace(waker.clone());
    drop(state);
    Poll::Pending
}

#[cfg(all(test, shuttle))]
mod races;
