//! The runtime that a task waits on: whether there is one, and whether it is still at work.
//!
//! tokio's timers panic where there is no runtime or where it was shut down, so all waiting with an end goes through here.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;
use tokio::time::sleep_until;

#[cfg(any(feature = "redis", feature = "memcached"))]
use super::super::fault::Fault;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// The runtime around the running code.
#[derive(Debug)]
pub(super) struct Runtime {
    #[cfg_attr(
        not(any(feature = "redis", feature = "memcached")),
        expect(dead_code, reason = "connections belong to a runtime")
    )]
    pub(super) id: Id,
    /// A task of it that never ends by itself, so it has ended once the runtime has.
    sign_of_life: AbortHandle,
}

impl Runtime {
    /// # Errors
    /// `Unsupported` outside tokio.
    pub(super) fn current() -> Result<Runtime> {
        let handle = Runtime::handle()?;
        let id = handle.id();
        // Entered and removed whole, so a poisoned lock guards a whole map.
        let mut signs = SIGNS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sign_of_life) = signs.get(&id).cloned() {
            return Ok(Runtime { id, sign_of_life });
        }
        signs.retain(|_, sign| !sign.is_finished());
        let sign_of_life = handle.spawn(pending::<()>()).abort_handle();
        signs.insert(id, sign_of_life.clone());
        Ok(Runtime { id, sign_of_life })
    }

    /// # Errors
    /// `Unsupported` outside tokio.
    pub(super) fn handle() -> Result<Handle> {
        Handle::try_current().map_err(|_| {
            let text = "aio waits on a tokio runtime and was called outside one; \
                call it from a task, or use the blocking cache";
            Error::new(ErrorKind::Unsupported, text)
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.sign_of_life.is_finished()
    }

    /// Waits for `work`, at most until then. Pinned, since taken by value it would lie in the future of the wait twice.
    ///
    /// # Errors
    /// `Timeout`; `Closed` if the runtime ends first.
    pub(super) async fn within<F: Future>(&self, until: Instant, mut work: Pin<&mut F>) -> Result<F::Output> {
        #[cfg(simulation)]
        let until = if crate::simulation::has(crate::simulation::Bug::OverstaysDeadlines) {
            until + Duration::from_secs(1)
        } else {
            until
        };
        let mut timer = pin!(sleep_until(until.into()));
        poll_fn(|context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            if self.is_over() {
                return Poll::Ready(Err(Runtime::closed()));
            }
            timer.as_mut().poll(context).map(|()| Err(Deadline::passed()))
        })
        .await
    }

    /// A failure for which the end of the runtime is to blame, in place of the server.
    #[cfg(any(feature = "redis", feature = "memcached"))]
    pub(super) fn blame(&self, fault: Fault) -> Fault {
        match self.is_over() {
            true => Fault { error: Runtime::closed(), ours: true, ..fault },
            false => fault,
        }
    }

    pub(super) fn closed() -> Error {
        Error::new(ErrorKind::Closed, "the tokio runtime was shut down while the call waited")
    }
}

static SIGNS: LazyLock<Mutex<HashMap<Id, AbortHandle>>> = LazyLock::new(Mutex::default);

/// [`Runtime::within`] of the runtime around the running code.
///
/// # Errors
/// `Timeout`; `Closed` if the runtime ends first; `Unsupported` outside tokio.
pub(super) async fn within<F: Future>(until: Instant, work: Pin<&mut F>) -> Result<F::Output> {
    Runtime::current()?.within(until, work).await
}

/// Sleeps; not at all where there is no runtime to wake us.
pub(crate) async fn sleep(duration: Duration) {
    let _ = within(Deadline::after(duration).instant(), pin!(pending::<()>())).await;
}
