//! Reloads beside the callers: one thread, a bounded queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::engine::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use crate::engine::sync::{Mutex, MutexGuard, PoisonError, thread};
use crate::now::now;

/// A loader that can run beside its caller.
pub trait LaterLoad<R>: Send + 'static {
    /// Loads.
    fn run(self) -> R;
}

impl<R, F: FnOnce() -> R + Send + 'static> LaterLoad<R> for F {
    fn run(self) -> R {
        self()
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// The worker of one cache. Its thread starts with the first job, and ends with the cache.
#[derive(Default)]
pub(crate) struct Background(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// The thread holds the other end of `ended` until it is through with the queue.
    Working {
        /// A forked child has no copy of the thread.
        process: u32,
        queue: SyncSender<Job>,
        ended: Receiver<()>,
    },
    Closed,
}

impl Background {
    /// Queues a job; says whether there was room for it.
    pub(crate) fn start(&self, job: impl FnOnce() + Send + 'static) -> bool {
        let mut state = self.lock();
        if matches!(*state, State::Working { process, .. } if process != std::process::id()) {
            *state = State::Idle;
        }
        if matches!(*state, State::Idle)
            && let Some(working) = State::begin()
        {
            *state = working;
        }
        let job: Job = Box::new(job);
        let refused = match &*state {
            State::Working { queue, .. } => queue.try_send(job).err().map(unsent),
            _ => Some(job),
        };
        // What a job holds may come back here when it is dropped.
        drop(state);
        refused.is_none()
    }

    /// Takes no more jobs, and waits for those in the queue until then.
    pub(crate) fn drain(&self, until: Instant) {
        let state = std::mem::replace(&mut *self.lock(), State::Closed);
        if let State::Working { process, queue, ended } = state
            && process == std::process::id()
        {
            drop(queue);
            // Nothing is ever sent: the wait ends when the thread does.
            let _ = ended.recv_timeout(until.saturating_duration_since(now()));
        }
    }

    /// No job runs under the lock, so a poisoned one still guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin() -> Option<State> {
        let (queue, jobs) = sync_channel::<Job>(MOST_JOBS);
        let (working, ended) = sync_channel::<()>(0);
        let work = move || {
            let _working = working;
            for job in jobs {
                // A loader that panics has told those who wait by its drop; the next job still runs.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        thread::Builder::new().name("cache-reload".into()).spawn(work).ok()?;
        Some(State::Working { process: std::process::id(), queue, ended })
    }
}

fn unsent(error: TrySendError<Job>) -> Job {
    match error {
        TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
    }
}

const MOST_JOBS: usize = 64;

#[cfg(all(test, shuttle))]
mod races;
