//! What is done again and again: the sweep of memory, by one thread in either world since it outlives any runtime, and for
//! threads the look at the backends' health.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::engine::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use crate::engine::sync::thread;

/// Ends the thread when dropped, without waiting for it.
pub(crate) struct Sweeper {
    _stop: SyncSender<()>,
}

/// Runs `sweep` once per interval on a thread of its own; `None` if it cannot be started.
pub(crate) fn sweep_every(interval: Duration, sweep: impl Fn() + Send + 'static) -> Option<Sweeper> {
    run_every("cache-sweeper", interval, sweep)
}

/// The same for a look that may wait.
pub(super) fn run_every(
    name: &str,
    interval: Duration,
    sweep: impl Fn() + Send + 'static,
) -> Option<Sweeper> {
    let (stop, stopped) = sync_channel(0);
    let work = move || {
        while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            // What is swept is dropped here, and a value's own `Drop` may panic; the next sweep still comes.
            let _ = catch_unwind(AssertUnwindSafe(&sweep));
        }
    };
    let thread = thread::Builder::new().name(name.into()).spawn(work);
    thread.ok().map(|_| Sweeper { _stop: stop })
}

#[cfg(all(test, shuttle))]
mod races;
