//! A bounded pool of connections to one server, for tasks of any runtime.

use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Id;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::fault::{Fault, exhausted};
use super::dial::Stream;
use super::runtime::Runtime;
use crate::deadline::Deadline;

pub(super) struct Pool {
    size: u32,
    places: Mutex<Places>,
}

struct Places {
    process: u32,
    free: Arc<Semaphore>,
    idle: Vec<Idle>,
}

/// The right to use one connection.
pub(super) struct Place<'a> {
    pool: &'a Pool,
    runtime: Id,
    _permit: OwnedSemaphorePermit,
}

/// A connection that waits for its next use. It works only in the runtime that opened it, and is the other side of a
/// conversation of its own process alone.
struct Idle {
    /// Always there until it is dropped.
    stream: Option<Stream>,
    process: u32,
    runtime: Id,
}

impl Pool {
    pub(super) fn new(size: u32) -> Pool {
        Pool { size, places: Mutex::new(Places::new(size)) }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// `Timeout` if none became free by the deadline; the server had no part in it.
    pub(super) async fn checkout(&self, runtime: &Runtime, deadline: Deadline) -> Result<Place<'_>, Fault> {
        let free = Arc::clone(&self.lock().free);
        match runtime.within(deadline.instant(), pin!(free.acquire_owned())).await {
            Ok(Ok(permit)) => Ok(Place { pool: self, runtime: runtime.id, _permit: permit }),
            // It is never closed.
            Ok(Err(_)) => Err(Fault::of_our_own(exhausted(self.size))),
            Err(error) if error.is_timeout() => Err(Fault::of_our_own(exhausted(self.size))),
            Err(error) => Err(Fault::of_our_own(error)),
        }
    }

    /// The places of this process. Each step under the lock leaves them whole, so a poisoned one guards whole ones.
    fn lock(&self) -> MutexGuard<'_, Places> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.process != std::process::id() {
            *places = Places::new(self.size);
        }
        places
    }
}

impl Places {
    fn new(size: u32) -> Places {
        let free = Arc::new(Semaphore::new(size as usize));
        Places { process: std::process::id(), free, idle: Vec::new() }
    }
}

impl Place<'_> {
    /// An idle connection fit for use: of this runtime, open, and with nothing to read, since nothing was asked.
    pub(super) fn idle(&self) -> Option<Stream> {
        loop {
            let mut idle = self.pool.lock().idle.pop()?;
            let stream = idle.stream.take()?;
            let is_quiet = || {
                let probe = stream.try_read(&mut [0]);
                matches!(probe, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            };
            if idle.runtime == self.runtime && is_quiet() {
                return Some(stream);
            }
        }
    }

    /// Takes back a connection that is in step.
    pub(super) fn keep(&self, stream: Stream) {
        let (process, runtime) = (std::process::id(), self.runtime);
        self.pool.lock().idle.push(Idle { stream: Some(stream), process, runtime });
    }
}

/// A forked child shares its parent's reactor: to drop an inherited stream would have the kernel tell the parent no more
/// of its own.
impl Drop for Idle {
    #[expect(clippy::mem_forget, reason = "the stream is the parent's; its descriptor goes with the process")]
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.stream.take());
        }
    }
}
