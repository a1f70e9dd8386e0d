//! A bounded pool of connections to one server.
//!
//! It dials nothing by itself and has no thread: who checks a place out dials into it within its own deadline, and a
//! connection that failed is dropped instead of going back. Whoever gets a place may carry the questions of those who wait
//! for one (flat combining: Hendler et al., SPAA 2010): so a crowd costs the server fewer packets, not more waiting.

mod place;
#[cfg(all(test, shuttle))]
mod races;
mod waiting;

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::fault::{Fault, exhausted, late};
use super::socket::Socket;
use crate::deadline::Deadline;
use crate::engine::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use self::place::{Answers, Place};
pub(super) use self::waiting::Ended;
use self::waiting::{Carried, Left, Waiting};

/// Callers may bring a question `Q`, to be carried by another, and are then handed the answer `A`.
pub(super) struct Pool<Q = (), A = ()> {
    size: u32,
    /// How many connections a crowd is carried on.
    lanes: u32,
    places: Mutex<Places<Q, A>>,
}

struct Places<Q, A> {
    /// The process these connections belong to. A forked child has copies of them that talk into its parent's
    /// conversations.
    process: u32,
    taken: u32,
    /// How many of those are taken to ask and carry, and how many callers they carry.
    asking: u32,
    carried: usize,
    idle: Vec<Socket>,
    /// Who waits for a place, the first to come in front. Who is called or carried has left it.
    queue: VecDeque<Arc<Waiting<Q, A>>>,
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
            places = self.lock();
            match waiting.leave() {
                Left::Queued => places.queue.retain(|other| !Arc::ptr_eq(other, &waiting)),
                Left::Called => was_called = true,
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

impl<Q, A> Places<Q, A> {
    fn new(process: u32) -> Places<Q, A> {
        Places { process, taken: 0, asking: 0, carried: 0, idle: Vec::new(), queue: VecDeque::new() }
    }

    /// A place if one is free, and whom its caller carries.
    fn take<'a>(&mut self, pool: &'a Pool<Q, A>, asks: bool) -> Option<Place<'a, Q, A>> {
        if self.taken == pool.size {
            return None;
        }
        self.taken += 1;
        let carried = if asks { self.carry() } else { Carried::default() };
        let share = Share { asks, carried: carried.0.len() };
        self.asking += u32::from(asks);
        self.carried += share.carried;
        Some(Place { pool, process: self.process, idle: self.idle.pop(), carried, share })
    }

    /// Whether a caller with a question does better to wait: more are here than there are places, and enough of those are
    /// under way to carry them.
    fn are_crowded(&self, pool: &Pool<Q, A>) -> bool {
        let here = self.taken as usize + self.queue.len() + self.carried;
        self.asking >= pool.lanes && here >= pool.size as usize
    }

    fn carry(&mut self) -> Carried<Q, A> {
        let mut carried = Vec::new();
        self.queue.retain(|waiting| {
            let goes = carried.len() < MOST_CARRIED && waiting.question().is_some();
            if goes {
                waiting.carry();
                carried.push(Arc::clone(waiting));
            }
            !goes
        });
        Carried(carried)
    }

    /// Who was called and found the place taken by somebody faster is the first to be called again.
    fn queue(&mut self, waiting: &Arc<Waiting<Q, A>>, first: bool) {
        let waiting = Arc::clone(waiting);
        if first { self.queue.push_front(waiting) } else { self.queue.push_back(waiting) }
    }

    /// Takes a place back; says whom to wake for it.
    fn give_back(&mut self, idle: Option<Socket>, share: Share) -> Option<Arc<Waiting<Q, A>>> {
        self.taken -= 1;
        self.asking -= u32::from(share.asks);
        self.carried -= share.carried;
        self.idle.extend(idle);
        let next = self.queue.pop_front()?;
        next.call();
        Some(next)
    }
}

/// What a place counts for beside itself.
#[derive(Clone, Copy)]
struct Share {
    asks: bool,
    carried: usize,
}

/// So many connections carry a crowd better than more, each of which would carry fewer; one alone would leave the server
/// idle while it is read.
const LANES: u32 = 4;
/// So many answers come at once: more would keep the first of them waiting for longer than a round trip.
const MOST_CARRIED: usize = 31;
