//! Work that must not be left half done, whatever becomes of the task that wants it.

use tokio::runtime::Handle;
use tokio::sync::oneshot::{Receiver, channel};

use super::runtime::Runtime;
use crate::error::Result;

/// Runs `work` to its end even if its caller is dropped before; `undo` has what came of it then.
///
/// # Errors
/// `Closed` if the runtime ends first; `Unsupported` outside tokio.
pub(crate) async fn whole<T, F, U>(
    work: impl FnOnce() -> F,
    undo: impl FnOnce(T) -> U + Clone + Send + 'static,
) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
    U: Future<Output = ()> + Send + 'static,
{
    let runtime = Runtime::handle()?;
    let (tell, told) = channel();
    let (work, undo_unheard) = (work(), undo.clone());
    runtime.spawn(async move {
        if let Err(unheard) = tell.send(work.await) {
            undo_unheard(unheard).await;
        }
    });
    let mut caller = Caller { told, runtime, undo: Some(undo) };
    (&mut caller.told).await.map_err(|_| Runtime::closed())
}

/// Who waits, until it has heard.
struct Caller<T, U: Future<Output = ()> + Send + 'static, F: FnOnce(T) -> U> {
    told: Receiver<T>,
    runtime: Handle,
    undo: Option<F>,
}

/// What was told may not have been heard.
impl<T, U: Future<Output = ()> + Send + 'static, F: FnOnce(T) -> U> Drop for Caller<T, U, F> {
    fn drop(&mut self) {
        self.told.close();
        if let (Ok(unheard), Some(undo)) = (self.told.try_recv(), self.undo.take()) {
            self.runtime.spawn(undo(unheard));
        }
    }
}
