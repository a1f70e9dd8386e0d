//! A caller for whom no connection is free.

use std::mem;
use std::sync::Arc;

use crate::deadline::Deadline;
use crate::engine::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Waits for a place, or for who carries its question.
pub(super) struct Waiting<Q, A> {
    question: Option<Arc<Q>>,
    state: Mutex<State<A>>,
    changed: Condvar,
}

/// It is queued exactly while it is in the queue: that changes under the lock of the places only.
enum State<A> {
    Queued,
    /// A place is free.
    Called,
    /// Somebody else asks its question.
    Carried,
    Ended(Ended<A>),
    /// The caller has gone, and takes no answer.
    Gone,
}

/// What became of a caller who was carried.
pub(in super::super) enum Ended<A> {
    Answered(A),
    /// To no answer; its question is to be asked alone.
    PutDown,
}

/// How a caller that looks up finds itself.
pub(super) enum Left<A> {
    Queued,
    Called,
    /// Its question may have left.
    Carried,
    Ended(Ended<A>),
}

impl<Q, A> Waiting<Q, A> {
    /// Without a question, only a place will do.
    pub(super) fn new(question: Option<Arc<Q>>) -> Waiting<Q, A> {
        Waiting { question, state: Mutex::new(State::Queued), changed: Condvar::new() }
    }

    pub(super) fn question(&self) -> Option<&Q> {
        self.question.as_deref()
    }

    /// Until something has become of it, or the deadline has passed.
    pub(super) fn wait(&self, deadline: Deadline) -> Option<Ended<A>> {
        let mut state = self.lock();
        while matches!(*state, State::Queued | State::Carried) {
            let left = deadline.remaining().ok()?;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.take_end()
    }

    /// Looks up, under the lock of the places. Who is carried then has gone; who is not may wait again.
    pub(super) fn leave(&self) -> Left<A> {
        let mut state = self.lock();
        if let Some(ended) = state.take_end() {
            return Left::Ended(ended);
        }
        let next = if matches!(*state, State::Carried) { State::Gone } else { State::Queued };
        match mem::replace(&mut *state, next) {
            State::Queued => Left::Queued,
            State::Called => Left::Called,
            _ => Left::Carried,
        }
    }

    /// A place is free; to be woken, once no lock is held.
    pub(super) fn call(&self) {
        *self.lock() = State::Called;
    }

    pub(super) fn carry(&self) {
        *self.lock() = State::Carried;
    }

    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    fn end(&self, ended: Ended<A>) {
        let mut state = self.lock();
        if matches!(*state, State::Carried) {
            *state = State::Ended(ended);
            drop(state);
            self.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> State<A> {
    fn take_end(&mut self) -> Option<Ended<A>> {
        match mem::replace(self, State::Gone) {
            State::Ended(ended) => Some(ended),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// Who is carried, each to be answered, or put down if that comes to nothing.
pub(super) struct Carried<Q, A>(pub(super) Vec<Arc<Waiting<Q, A>>>);

impl<Q, A> Carried<Q, A> {
    pub(super) fn questions(&self) -> Vec<&Q> {
        self.0.iter().filter_map(|waiting| waiting.question()).collect()
    }

    /// In their order; who gets no answer is put down.
    pub(super) fn answer(mut self, answers: Vec<A>) {
        let mut answers = answers.into_iter();
        for waiting in self.0.drain(..) {
            waiting.end(answers.next().map_or(Ended::PutDown, Ended::Answered));
        }
    }
}

impl<Q, A> Default for Carried<Q, A> {
    fn default() -> Carried<Q, A> {
        Carried(Vec::new())
    }
}

/// Also where a panic ends the exchange.
impl<Q, A> Drop for Carried<Q, A> {
    fn drop(&mut self) {
        for waiting in self.0.drain(..) {
            waiting.end(Ended::PutDown);
        }
    }
}
