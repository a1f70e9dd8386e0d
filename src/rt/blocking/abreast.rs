//! A few jobs side by side, each on a thread.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Runs them all at once and collects what they return, in any order. One of them runs here; where no further thread can be
/// had, more do.
pub(crate) fn abreast<R: Send, J: FnOnce() -> R + Send>(jobs: impl Iterator<Item = J>) -> Vec<R> {
    let jobs: Vec<J> = jobs.collect();
    let threads = jobs.len().saturating_sub(1);
    // No job runs under either lock, so a poisoned one guards a whole list.
    let (jobs, results) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(job) = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return };
            let result = job();
            results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            if thread::Builder::new().name("cache-health".into()).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}
