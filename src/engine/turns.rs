//! Who waits for a lock in this process: one queue per name, whose head alone asks the server.
//!
//! A seat is called when it comes to the head, and at the head whenever somebody here has released the lock. A thread
//! waits for the call by [`Seat::called`], a task by leaving its [`Waker`], so both stand in one queue.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use super::Seed;
use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use crate::key::KeyText;

/// The queues for the locks of one backend, by joined key.
#[derive(Default)]
pub(crate) struct Turns {
    queues: Mutex<Queues>,
}

#[derive(Default)]
struct Queues {
    /// A forked child has no copy of those who wait.
    process: u32,
    by_key: HashMap<KeyText, VecDeque<Arc<Seat>>, Seed>,
}

/// A place in a queue.
#[derive(Default)]
pub(crate) struct Seat {
    state: Mutex<Called>,
    pub(crate) called: Condvar,
}

#[derive(Default)]
pub(crate) struct Called {
    /// Whether there is a call that nobody has heard yet.
    pub(crate) pending: bool,
    /// Whoever leaves need not call it any more.
    is_head: bool,
    /// Of a task that waits.
    pub(crate) waker: Option<Waker>,
}

/// A stay in a queue; its end lets the next one come to the head.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    key: KeyText,
    pub(crate) seat: Arc<Seat>,
}

impl Turns {
    /// Joins the queue at its end.
    pub(crate) fn take(&self, key: KeyText) -> Turn<'_> {
        let seat = Arc::new(Seat::default());
        let mut queues = self.lock();
        let queue = queues.by_key.entry(key.clone()).or_default();
        queue.push_back(Arc::clone(&seat));
        if queue.len() == 1 {
            seat.call();
        }
        drop(queues);
        Turn { turns: self, key, seat }
    }

    /// Tells the head of a queue that the lock may be free.
    pub(crate) fn call(&self, key: &str) {
        let head = self.lock().by_key.get(key).and_then(|queue| queue.front().cloned());
        if let Some(head) = head {
            head.call();
        }
    }

    /// Whether nobody waits, and nothing is kept of those who have.
    #[cfg(all(test, shuttle))]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().by_key.is_empty()
    }

    /// No user code runs under the lock, so a poisoned one still guards whole queues.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.process != std::process::id() {
            *queues = Queues { process: std::process::id(), ..Queues::default() };
        }
        queues
    }
}

impl Seat {
    /// Only who is at the head is called.
    fn call(&self) {
        let mut state = self.state();
        state.pending = true;
        state.is_head = true;
        let waker = state.waker.take();
        drop(state);
        self.called.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, Called> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queues = self.turns.lock();
        let Some(queue) = queues.by_key.get_mut(&self.key) else { return };
        queue.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        let head = queue.front().cloned();
        if queue.is_empty() {
            queues.by_key.remove(&self.key);
        }
        drop(queues);
        if let Some(head) = head.filter(|head| !head.state().is_head) {
            head.call();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(turn: &Turn<'_>) -> bool {
        std::mem::take(&mut turn.seat.state().pending)
    }

    #[test]
    fn turns_come_in_the_order_of_arrival_and_leavers_are_passed_over() {
        let turns = Turns::default();
        let [first, second, third] = [(); 3].map(|()| turns.take("k".into()));
        assert!(heard(&first) && !heard(&second) && !heard(&third));
        drop(second);
        assert!(!heard(&third));
        drop(first);
        assert!(heard(&third));
        drop(third);
        assert!(turns.lock().by_key.is_empty());
    }

    #[test]
    fn a_call_is_for_the_head_of_that_queue() {
        let turns = Turns::default();
        let (head, next, other) = (turns.take("k".into()), turns.take("k".into()), turns.take("l".into()));
        assert!(heard(&head) && heard(&other));
        turns.call("k");
        turns.call("nobody waits for this");
        assert!(heard(&head) && !heard(&next) && !heard(&other));
    }
}
