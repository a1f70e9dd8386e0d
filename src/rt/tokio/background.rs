//! Reloads beside the callers: a bounded number of tasks.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::runtime::within;

/// A loader that can run beside its caller.
pub trait LaterLoad<R>: Send + 'static {
    /// Loads.
    fn run(self) -> impl Future<Output = R> + Send;
}

impl<R, F, L> LaterLoad<R> for L
where
    F: Future<Output = R> + Send,
    L: FnOnce() -> F + Send + 'static,
{
    fn run(self) -> impl Future<Output = R> + Send {
        self()
    }
}

/// The tasks of one cache.
pub(crate) struct Background(Arc<Semaphore>);

impl Default for Background {
    fn default() -> Background {
        Background(Arc::new(Semaphore::new(MOST_JOBS as usize)))
    }
}

impl Background {
    /// Spawns a job; says whether there was room for it.
    pub(crate) fn start<F: Future<Output = ()> + Send + 'static>(&self, job: impl FnOnce() -> F) -> bool {
        let (Ok(permit), Ok(runtime)) = (Arc::clone(&self.0).try_acquire_owned(), Handle::try_current())
        else {
            return false;
        };
        let job = job();
        runtime.spawn(async move {
            let _permit = permit;
            job.await;
        });
        true
    }

    /// Takes no more jobs, and waits for those under way until then.
    pub(crate) async fn drain(&self, until: Instant) {
        // Every permit is out again once every job is done.
        let all = within(until, pin!(self.0.acquire_many(MOST_JOBS))).await;
        self.0.close();
        drop(all);
    }
}

const MOST_JOBS: u32 = 64;
