//! Tasks in flights: how one waits for a landing, and how it knows what it is loading itself.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use tokio::task_local;
use tokio::time::timeout_at;

use crate::engine::flight::{Flight, Landing};

/// Waits until the flight lands; `None` if `until` comes first.
pub(crate) async fn landed(flight: &Flight, until: Instant) -> Option<Landing> {
    let mut waiting = Waiting { flight, seat: None };
    let landing = poll_fn(|context| waiting.flight.poll(context.waker(), &mut waiting.seat));
    timeout_at(until.into(), landing).await.ok()
}

/// Leaves the flight however the wait ends, so that a dropped task is not kept alive by its waker.
struct Waiting<'a> {
    flight: &'a Flight,
    seat: Option<usize>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.flight.leave(self.seat);
    }
}

task_local! {
    /// What the loaders around the running code load. A scope, not a property of the task: two loads that
    /// one task joins are not inside each other.
    static LOADING: Vec<(usize, Arc<str>)>;
}

/// Runs a loader, remembering what it loads for as long as it runs.
pub(crate) async fn loading<R>(table: usize, keys: &[Arc<str>], load: impl AsyncFnOnce() -> R) -> R {
    let mut stack = LOADING.try_with(Vec::clone).unwrap_or_default();
    stack.extend(keys.iter().map(|key| (table, Arc::clone(key))));
    LOADING.scope(stack, async move { load().await }).await
}

/// Whether a loader around the running code is loading this key.
pub(crate) fn is_loading(table: usize, key: &str) -> bool {
    let within =
        |stack: &Vec<(usize, Arc<str>)>| stack.iter().any(|(held, name)| *held == table && **name == *key);
    LOADING.try_with(within).unwrap_or(false)
}
