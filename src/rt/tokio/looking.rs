//! Something that is looked at again and again, by a task.

use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::runtime::within;
use crate::deadline::Deadline;

/// Ends the looking when dropped, wherever it has come to.
pub(crate) struct Looking(AbortHandle);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Looks once per interval, for as long as the runtime around the caller is there; `None` if there is none.
pub(crate) fn look_every<F: Future<Output = ()> + Send + 'static>(
    interval: Duration,
    look: impl Fn() -> F + Send + 'static,
) -> Option<Looking> {
    let runtime = Handle::try_current().ok()?;
    let task = runtime.spawn(async move {
        // What never comes is waited for until the time is up; anything else means that nothing wakes us any more.
        while within(Deadline::after(interval).instant(), pin!(pending::<()>()))
            .await
            .is_err_and(|e| e.is_timeout())
        {
            look().await;
        }
    });
    Some(Looking(task.abort_handle()))
}
