//! A bounded pool of connections to one server.
//!
//! It dials nothing by itself and has no thread: who checks a place out dials into it within its own deadline, and a
//! connection that failed is dropped instead of going back.

use super::super::fault::{Fault, exhausted};
use super::socket::Socket;
use crate::deadline::Deadline;
use crate::engine::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use crate::error::Result;

pub(super) struct Pool {
    size: u32,
    places: Mutex<Places>,
    freed: Condvar,
}

struct Places {
    /// The process these connections belong to. A forked child has copies of them that talk into its parent's
    /// conversations.
    process: u32,
    taken: u32,
    /// Callers who wait for one. Waking nobody costs a system call too.
    waiting: u32,
    idle: Vec<Socket>,
}

/// The right to use one connection.
pub(super) struct Place<'a> {
    pool: &'a Pool,
    process: u32,
    idle: Option<Socket>,
}

impl Pool {
    pub(super) fn new(size: u32) -> Pool {
        Pool { size, places: Mutex::new(Places::new(std::process::id())), freed: Condvar::new() }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// `Timeout` if none became free by the deadline; the server had no part in it.
    pub(super) fn checkout(&self, deadline: Deadline) -> Result<Place<'_>, Fault> {
        let mut places = self.lock();
        loop {
            // Before the look at the clock: the word that a place is free may have come to us alone.
            if places.taken < self.size {
                places.taken += 1;
                return Ok(Place { pool: self, process: places.process, idle: places.idle.pop() });
            }
            let left = deadline.remaining().map_err(|_| Fault::of_our_own(exhausted(self.size)))?;
            places.waiting += 1;
            places = self.freed.wait_timeout(places, left).unwrap_or_else(PoisonError::into_inner).0;
            places.waiting -= 1;
        }
    }

    /// The places of this process. Each step under the lock leaves them whole, so a poisoned one guards whole ones.
    fn lock(&self) -> MutexGuard<'_, Places> {
        // A system call, so not while others wait for the lock.
        let process = std::process::id();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.process != process {
            *places = Places::new(process);
        }
        places
    }
}

impl Places {
    fn new(process: u32) -> Places {
        Places { process, taken: 0, waiting: 0, idle: Vec::new() }
    }
}

impl Place<'_> {
    /// Runs an exchange on the idle connection of this place, or on a new one where it has none, a dead one, or is
    /// to have a `fresh` one.
    ///
    /// `exchange` says whether the connection is still in step; only then is it kept. If the connection failed, the
    /// exchange is tried once more on a fresh one, where that can apply nothing twice.
    pub(super) fn with<T>(
        mut self,
        repeatable: bool,
        fresh: bool,
        dial: impl Fn() -> Result<Socket>,
        mut exchange: impl FnMut(&mut Socket) -> Result<(T, bool), Fault>,
    ) -> Result<T, Fault> {
        let idle = self.idle.take().filter(|_| !fresh);
        let idle = idle.and_then(|mut socket| socket.is_quiet().then_some(socket));
        let dial = || dial().map_err(Fault::unsent);
        let mut socket = idle.map_or_else(dial, Ok)?;
        let mut repeated = false;
        loop {
            match exchange(&mut socket) {
                Ok((value, in_step)) => {
                    self.idle = in_step.then_some(socket);
                    return Ok(value);
                }
                Err(fault) if !repeated && fault.may_repeat(repeatable) => {
                    repeated = true;
                    // Before the next one: the server sees no more of them than there are places.
                    drop(socket);
                    socket = dial()?;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// Gives the place back, also where a panic ends the exchange.
impl Drop for Place<'_> {
    fn drop(&mut self) {
        // No caller's code runs in between, so no fork either: who took the place gives it back.
        let mut places = self.pool.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.process != self.process {
            return;
        }
        places.taken -= 1;
        places.idle.extend(self.idle.take());
        let is_awaited = places.waiting > 0;
        drop(places);
        if is_awaited {
            self.pool.freed.notify_one();
        }
    }
}

#[cfg(all(test, shuttle))]
mod races;
