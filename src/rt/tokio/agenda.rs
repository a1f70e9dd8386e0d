//! What happens beside the callers: leases renewed while loads run, and what drops leave to do.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::runtime::sleep;

/// Runs `work`, and beside it `renew` once per interval for as long as that says that there is more to come.
pub(crate) async fn while_renewing<R, F: Future<Output = bool>>(
    every: Duration,
    renew: impl Fn() -> F,
    work: impl AsyncFnOnce() -> R,
) -> R {
    let mut work = pin!(work());
    let mut renewing = pin!(async {
        loop {
            sleep(every).await;
            if !renew().await {
                return pending::<()>().await;
            }
        }
    });
    poll_fn(|context| {
        let ready = work.as_mut().poll(context);
        if ready.is_pending() {
            // It never ends; it only asks to be woken.
            let _ = renewing.as_mut().poll(context);
        }
        ready
    })
    .await
}

/// Runs `renew` once per interval for as long as that says that there is more to come, until this is dropped. Not at all
/// outside a runtime, where nothing can wait.
pub(crate) fn renewing<F: Future<Output = bool> + Send + 'static>(
    every: Duration,
    renew: impl Fn() -> F + Send + 'static,
) -> Renewing {
    let task = async move {
        loop {
            sleep(every).await;
            if !renew().await {
                return;
            }
        }
    };
    Renewing(Handle::try_current().ok().map(|runtime| runtime.spawn(task).abort_handle()))
}

/// How long one renewal may take that comes once per interval: each has a task of its own, and keeps nobody waiting.
pub(crate) fn patience(every: Duration) -> Duration {
    every
}

/// A task that its end ends.
pub(crate) struct Renewing(Option<AbortHandle>);

impl Drop for Renewing {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Runs `job` as a task of its own. Outside a runtime nothing can wait, and the job is forgotten.
pub(crate) fn detach<F: Future<Output = ()> + Send + 'static>(job: impl FnOnce() -> F) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(job());
    }
}
