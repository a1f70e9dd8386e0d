//! A bounded pool of connections to one server, on r2d2.
//!
//! r2d2 dials on its own thread, retries there at its own pace, and makes its callers wait for it. So what it
//! pools here are empty slots, made in no time: the caller that checks one out dials into it within its own
//! deadline, and a connection that failed is taken out of its slot and dropped.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use r2d2::{ManageConnection, PooledConnection};
use scheduled_thread_pool::ScheduledThreadPool;

use super::super::fault::Fault;
use super::socket::Socket;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

pub(super) struct Pool {
    slots: r2d2::Pool<Slots>,
}

/// The right to use one connection.
pub(super) struct Slot {
    held: PooledConnection<Slots>,
}

impl Pool {
    pub(super) fn new(size: u32) -> Pool {
        let slots = r2d2::Pool::builder()
            .max_size(size)
            .test_on_check_out(false)
            .max_lifetime(None)
            .idle_timeout(None)
            .thread_pool(Arc::clone(&SCHEDULER))
            .build_unchecked(Slots);
        Pool { slots }
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// `Timeout` if none became free by the deadline.
    pub(super) fn checkout(&self, deadline: Deadline) -> Result<Slot> {
        let held = self.slots.get_timeout(deadline.remaining()?).map_err(|_| {
            let size = self.slots.max_size();
            let text = format!("all {size} connections were in use until the deadline; raise pool_size");
            Error::new(ErrorKind::Timeout, text)
        })?;
        Ok(Slot { held })
    }
}

impl Slot {
    /// Runs an exchange on the slot's connection, dialling where it has none or a dead one.
    ///
    /// `exchange` says whether the connection is still in step; only then does it go back into its slot. If
    /// it had been idle before and failed, the exchange is tried once more on a fresh one, where that can
    /// apply nothing twice.
    pub(super) fn with<T>(
        mut self,
        repeatable: bool,
        dial: impl Fn() -> Result<Socket>,
        mut exchange: impl FnMut(&mut Socket) -> Result<(T, bool), Fault>,
    ) -> Result<T> {
        let idle = self.held.take().and_then(|mut socket| socket.is_quiet().then_some(socket));
        let mut reused = idle.is_some();
        let mut socket = idle.map_or_else(&dial, Ok)?;
        loop {
            match exchange(&mut socket) {
                Ok((value, in_step)) => {
                    *self.held = in_step.then_some(socket);
                    return Ok(value);
                }
                Err(fault) if reused && fault.may_repeat(repeatable) => {
                    reused = false;
                    socket = dial()?;
                }
                Err(fault) => return Err(fault.into_error(repeatable)),
            }
        }
    }
}

struct Slots;

impl ManageConnection for Slots {
    type Connection = Option<Socket>;
    type Error = Infallible;

    fn connect(&self) -> Result<Option<Socket>, Infallible> {
        Ok(None)
    }

    fn is_valid(&self, _: &mut Option<Socket>) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _: &mut Option<Socket>) -> bool {
        false
    }
}

/// r2d2 makes slots on a scheduler's thread; one is enough for every pool of the process.
static SCHEDULER: LazyLock<Arc<ScheduledThreadPool>> = LazyLock::new(|| {
    Arc::new(ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("cache-pool").build())
});
