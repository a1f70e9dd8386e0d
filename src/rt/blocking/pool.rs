//! A bounded pool of connections to one server.
//!
//! It dials nothing by itself and has no thread: who checks a place out dials into it within its own deadline, and a
//! connection that failed is dropped instead of going back. Whoever gets a place may carry the questions of those who wait
//! for one (flat combining: Hendler et al., SPAA 2010): so a crowd costs the server fewer packets, not more waiting.

mod place;
mod places;
#[cfg(all(test, shuttle))]
mod races;
mod waiting;

use std::sync::Arc;

use super::super::fault::{Fault, exhausted, late};
use crate::deadline::Deadline;
use crate::engine::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use self::place::{Answers, Place};
use self::places::{LANES, Places};
pub(super) use self::waiting::Ended;
use self::waiting::{Left, Waiting};

/// Callers may bring a question `Q`, to be carried by another, and are then handed the answer `A`.
pub(super) struct Pool<Q = (), A = ()> {
    size: u32,
    /// How many connections a crowd is carried on.
    lanes: u32,
    places: Mutex<Places<Q, A>>,
}

/// What came of bringing a question.
pub(super) enum Turn<'a, Q, A> {
    /// The caller has to ask it, for itself and others.
    Place(Place<'a, Q, A>),
    Ended(Ended<A>),
}

impl<Q, A> Pool<Q, A> {
    pub(super) fn new(size: u32) -> Pool<Q, A> {
        Pool { size, lanes: LANES, places: Mutex::new(Places::new(std::process::id())) }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// `Timeout` if none became free by the deadline; the server had no part in it.
    pub(super) fn checkout(&self, deadline: Deadline) -> Result<Place<'_, Q, A>, Fault> {
        loop {
            // Nobody carries who brings no question.
            if let Turn::Place(place) = self.wait(None, deadline)? {
                return Ok(place);
            }
        }
    }

    /// Waits for a place, or to be carried; who gets a place carries those who wait.
    ///
    /// # Errors
    /// As [`checkout`](Pool::checkout); `Timeout` if the question left and was not answered by the deadline.
    pub(super) fn join(&self, question: Arc<Q>, deadline: Deadline) -> Result<Turn<'_, Q, A>, Fault> {
        self.wait(Some(question), deadline)
    }

    fn wait(&self, question: Option<Arc<Q>>, deadline: Deadline) -> Result<Turn<'_, Q, A>, Fault> {
        let mut places = self.lock();
        if !(question.is_some() && places.are_crowded(self))
            && let Some(place) = places.take(self, question.is_some())
        {
            return Ok(Turn::Place(place));
        }
        let waiting = Arc::new(Waiting::new(question));
        let mut was_called = false;
        loop {
            deadline.remaining().map_err(|_| Fault::of_our_own(exhausted(self.size)))?;
            places.queue(&waiting, was_called);
            drop(places);
            // Who was answered has no need of the places.
            if let Some(ended) = waiting.wait(deadline) {
                return Ok(Turn::Ended(ended));
            }
            // Still this process: who waits does not fork.
            places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            match waiting.leave() {
                Left::Queued => places.queue.retain(|other| !Arc::ptr_eq(other, &waiting)),
                Left::Called => {
                    places.called -= 1;
                    was_called = true;
                }
                Left::Carried => return Err(Fault::sent(late("receive"))),
                Left::Ended(ended) => return Ok(Turn::Ended(ended)),
            }
            // Before the look at the clock: the word that a place is free may have come to us alone.
            if let Some(place) = places.take(self, waiting.question().is_some()) {
                return Ok(Turn::Place(place));
            }
        }
    }

    /// The places of this process. Each step under the lock leaves them whole, so a poisoned one guards whole ones.
    fn lock(&self) -> MutexGuard<'_, Places<Q, A>> {
        // A system call, so not while others wait for the lock.
        let process = std::process::id();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.process != process {
            *places = Places::new(process);
        }
        places
    }
}
