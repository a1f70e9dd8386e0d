//! Threads in flights: how one waits for a landing, and how it knows what it is loading itself.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use crate::engine::flight::{Flight, Landing};

/// Parks until the flight lands; `None` if `until` comes first.
pub(crate) fn landed(flight: &Flight, until: Instant) -> Option<Landing> {
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut seat = None;
    loop {
        if let Poll::Ready(landing) = flight.poll(&waker, &mut seat) {
            return Some(landing);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            flight.leave(seat);
            return None;
        }
        thread::park_timeout(left);
    }
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a loader, remembering what it loads for as long as it runs.
pub(crate) fn loading<R>(table: usize, keys: &[String], load: impl FnOnce() -> R) -> R {
    /// Forgets the innermost loads, also when the loader panics.
    struct Leave(usize);
    impl Drop for Leave {
        fn drop(&mut self) {
            LOADING.with_borrow_mut(|stack| stack.truncate(self.0));
        }
    }
    let _leave = Leave(LOADING.with_borrow(Vec::len));
    LOADING.with_borrow_mut(|stack| stack.extend(keys.iter().map(|key| (table, key.clone()))));
    load()
}

/// Whether a loader running on this thread is loading this key.
pub(crate) fn is_loading(table: usize, key: &str) -> bool {
    LOADING.with_borrow(|stack| stack.iter().any(|(held, name)| *held == table && name == key))
}

thread_local! {
    static LOADING: RefCell<Vec<(usize, String)>> = const { RefCell::new(Vec::new()) };
}
