//! One load per key in this process: a table of loads in flight, led by one caller, followed by the others.
//!
//! A load stands for one state of its key, told by the token of its lease. Whoever comes later may only join if
//! the key showed that same token: else somebody, perhaps in another process, has written or removed the key since
//! the load began, and its value may be one that no longer holds.
//!
//! A thread follows by waiting for [`Flight::ended`], which wakes any number of them in one step; a task by taking a
//! seat with its [`Waker`]. So threads and tasks share a load. The table is touched on a miss only.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::task::Waker;

use super::Seed;
use super::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use super::throttle::Throttle;
use super::turns::Turns;
use crate::clock::Clock;
use crate::entry::{Object, Version};
use crate::error::{Error, ErrorKind};
use crate::key::KeyText;

/// The loads in flight over one backend, by joined key.
#[derive(Default)]
pub(crate) struct Flights {
    table: Mutex<Table>,
    /// Length of the table, so that a write with nothing in flight takes no lock.
    count: AtomicUsize,
    /// Loads that need not be tried yet.
    pub(crate) throttle: Throttle,
    /// Who waits for a lock on this backend.
    pub(crate) turns: Turns,
}

type Table = HashMap<KeyText, Arc<Flight>, Seed>;

/// One load: what it came to, or who waits for it.
pub(crate) struct Flight {
    state: Mutex<State>,
    /// Whether the key was written or removed in this process since the load began.
    detached: AtomicBool,
    /// Told once the load has come to something, for threads that wait with the state in hand.
    pub(crate) ended: Condvar,
}

pub(crate) enum State {
    Airborne {
        token: Token,
        /// One seat per waiting task; empty where one has left.
        waiters: Vec<Option<Waker>>,
        /// Threads that wait; without any, telling them is a system call for nothing.
        threads: usize,
    },
    Landed(Landing),
}

/// Which state of the key a load stands for.
pub(crate) enum Token {
    /// The loader has not begun: what it will give is newer than anybody who asks now.
    Boarding,
    /// Nobody but this process knows of the load; a write here [detaches](Flights::detach) it.
    Local,
    Lease(Version),
    /// Nobody can tell: the server did not answer who asked for the lease, and would tell of no removal.
    Unknown,
}

impl Token {
    fn serves(&self, shown: Option<&Version>) -> bool {
        #[cfg(simulation)]
        if crate::simulation::has(crate::simulation::Bug::FollowsOutdatedFlights) {
            return true;
        }
        match self {
            Token::Boarding | Token::Local => true,
            Token::Lease(token) => shown == Some(token),
            Token::Unknown => false,
        }
    }
}

/// What a load came to.
#[derive(Clone)]
pub(crate) enum Landing {
    Value(Arc<dyn Object>),
    Failed(Error),
    /// The leader went away without a result: whoever still wants the value begins anew.
    Abandoned,
}

impl Landing {
    /// What those who wait are told when a leader goes away without a word.
    pub(crate) fn of_a_dropped_leader() -> Landing {
        match std::thread::panicking() {
            true => Landing::Failed(Error::new(ErrorKind::LoaderPanicked, "the loader panicked")),
            false => Landing::Abandoned,
        }
    }
}

/// Where a load can be found for as long as it may be joined.
pub(crate) trait Listing: Send + Sync {
    /// Lets whoever comes later begin a load of their own, unless another one than this is listed.
    fn strike(&self, key: &str, flight: &Arc<Flight>);
}

/// How a caller takes part in a load.
pub(crate) enum Boarding {
    Lead(Leader),
    Follow(Arc<Flight>),
    /// The key did not show this load's token: look again, and if it still does not, [strike it
    /// off](Listing::strike).
    Outdated(Arc<Flight>),
}

impl Flights {
    /// Flights whose throttle goes by this clock.
    pub(crate) fn new(clock: Clock) -> Flights {
        Flights { throttle: Throttle::new(clock), ..Flights::default() }
    }

    /// Joins the load of this key, or begins it. `shown` is the token of the lease that the key was just seen to
    /// be under, or the version of the value that it was seen to hold.
    pub(crate) fn board(self: &Arc<Self>, key: KeyText, shown: Option<&Version>) -> Boarding {
        match self.lock().entry(key) {
            Entry::Occupied(entry) => {
                let flight = Arc::clone(entry.get());
                if flight.serves(shown) { Boarding::Follow(flight) } else { Boarding::Outdated(flight) }
            }
            Entry::Vacant(entry) => {
                let flight = Arc::new(Flight::new());
                let key = entry.key().clone();
                entry.insert(Arc::clone(&flight));
                self.count.fetch_add(1, Ordering::SeqCst);
                Boarding::Lead(Leader::new(Arc::clone(self) as _, key, flight))
            }
        }
    }

    /// Takes a load out of the table because its key was written or removed: those who wait still get its
    /// result, those who come later begin anew.
    pub(crate) fn detach(&self, key: impl FnOnce() -> KeyText) {
        if self.count.load(Ordering::SeqCst) > 0 {
            self.remove(key().as_str(), |flight| {
                flight.detached.store(true, Ordering::SeqCst);
                true
            });
        }
    }

    /// [`detach`](Flights::detach) for every load whose joined key is meant.
    pub(crate) fn detach_all(&self, meant: impl Fn(&str) -> bool) {
        if self.count.load(Ordering::SeqCst) > 0 {
            let mut table = self.lock();
            table.retain(|key, flight| {
                let gone = meant(key.as_str());
                flight.detached.fetch_or(gone, Ordering::SeqCst);
                !gone
            });
            self.count.store(table.len(), Ordering::SeqCst);
        }
    }

    fn remove(&self, key: &str, is_meant: impl FnOnce(&Arc<Flight>) -> bool) {
        let mut table = self.lock();
        if table.get(key).is_some_and(is_meant) {
            table.remove(key);
            self.count.store(table.len(), Ordering::SeqCst);
        }
    }

    /// Whether no load is in flight, and everybody can see that.
    #[cfg(all(test, shuttle))]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty() && self.count.load(Ordering::SeqCst) == 0
    }

    /// No user code runs under the lock, so a poisoned one still guards a whole table.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listing for Flights {
    fn strike(&self, key: &str, flight: &Arc<Flight>) {
        self.remove(key, |held| Arc::ptr_eq(held, flight));
    }
}

impl Flight {
    /// A load whose leader has yet to take the right to store.
    pub(crate) fn new() -> Flight {
        Flight::standing_for(Token::Boarding)
    }

    /// A load that nobody but this process knows of.
    pub(crate) fn local() -> Flight {
        Flight::standing_for(Token::Local)
    }

    fn standing_for(token: Token) -> Flight {
        let state = State::Airborne { token, waiters: Vec::new(), threads: 0 };
        Flight { state: Mutex::new(state), detached: AtomicBool::new(false), ended: Condvar::new() }
    }

    /// Whether who saw this may follow.
    pub(crate) fn serves(&self, shown: Option<&Version>) -> bool {
        match &*self.state() {
            State::Airborne { token, .. } => token.serves(shown),
            // Ended a moment ago: the table is about to forget it, and its followers look at the result.
            State::Landed(_) => false,
        }
    }

    /// The first landing counts; a leader's drop after it changes nothing.
    pub(crate) fn land(&self, landing: Landing) {
        let mut state = self.state();
        let State::Airborne { waiters, threads, .. } = &mut *state else { return };
        let (waiters, threads) = (std::mem::take(waiters), *threads);
        *state = State::Landed(landing);
        drop(state);
        if threads > 0 {
            self.ended.notify_all();
        }
        waiters.into_iter().flatten().for_each(Waker::wake);
    }

    /// Cloning and dropping wakers may not leave a half-made state behind: each step is one assignment.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The caller that loads. However it ends, those who wait are told: a panic, an early return and a
/// cancelled task all come to `Drop`.
pub(crate) struct Leader {
    listing: Arc<dyn Listing>,
    key: KeyText,
    flight: Arc<Flight>,
    /// Whether the load has come to something, so that the drop has nothing to do.
    landed: bool,
}

impl Leader {
    /// Whoever leads a flight that was just listed.
    pub(crate) fn new(listing: Arc<dyn Listing>, key: KeyText, flight: Arc<Flight>) -> Leader {
        Leader { listing, key, flight, landed: false }
    }

    /// Ends the load. The table forgets it first, so that whoever is woken and looks again starts afresh.
    pub(crate) fn land(mut self, landing: Landing) {
        self.end(landing);
    }

    /// From now on the load stands for the state of the key under this lease, and for `None`, which no server
    /// knows of, for the state in this process.
    pub(crate) fn stand_for(&self, lease: Option<&Version>) {
        self.stand(lease.map_or(Token::Local, |lease| Token::Lease(lease.clone())));
    }

    /// From now on nobody joins who has seen what the key holds: the state that the load stands for is not known.
    pub(crate) fn stand_alone(&self) {
        self.stand(Token::Unknown);
    }

    fn stand(&self, state: Token) {
        if let State::Airborne { token, .. } = &mut *self.flight.state() {
            *token = state;
        }
    }

    /// Whether the key was written or removed in this process since the load began.
    pub(crate) fn is_detached(&self) -> bool {
        self.flight.detached.load(Ordering::SeqCst)
    }

    /// The load itself, to follow it.
    pub(crate) fn flight(&self) -> Arc<Flight> {
        Arc::clone(&self.flight)
    }

    /// The joined key.
    pub(crate) fn key(&self) -> &KeyText {
        &self.key
    }

    fn end(&mut self, landing: Landing) {
        if !std::mem::replace(&mut self.landed, true) {
            self.listing.strike(self.key.as_str(), &self.flight);
            self.flight.land(landing);
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        #[cfg(simulation)]
        if crate::simulation::has(crate::simulation::Bug::ForgetsFollowers) {
            return self.listing.strike(self.key.as_str(), &self.flight);
        }
        self.end(Landing::of_a_dropped_leader());
    }
}

#[cfg(test)]
mod tests;
