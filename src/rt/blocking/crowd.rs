//! Many threads at once, for the contract.

use std::thread;

/// Runs so many callers at once and collects what they return, in order.
pub(crate) fn crowd<R: Send>(size: usize, call: impl Fn(usize) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let call = &call;
        let callers: Vec<_> = (0..size).map(|caller| scope.spawn(move || call(caller))).collect();
        let ended = callers.into_iter().map(thread::ScopedJoinHandle::join);
        ended.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
