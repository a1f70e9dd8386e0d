//! Threads and tasks that ask for one key, and invalidations of it, in every order that shuttle thinks of.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::thread;

use super::*;
use crate::engine::flight::{Boarding, Flights, Leader, Listing};
use crate::engine::sync::schedules::in_any_order;
use crate::entry::{Object, Version};
use crate::now::{hand, now};
use crate::rt::blocking;

/// One key: where its value comes from, and who loads it.
#[derive(Default)]
struct Trial {
    flights: Arc<Flights>,
    /// How often the source was changed, which is what a load gives.
    source: AtomicU64,
    /// How many of the changes are complete: whoever asks from now on is owed one at least as new.
    told: AtomicU64,
    /// How many removals are complete.
    removals: AtomicU64,
    /// For each caller that leads, how many removals were complete when it began.
    leading: Mutex<Vec<u64>>,
    /// How many tasks sit in a flight.
    seated: AtomicUsize,
    server: Mutex<Server>,
}

/// The key on a server that several processes share.
#[derive(Default)]
struct Server {
    lease: Option<Version>,
    granted: u64,
}

/// What becomes of a caller's load.
#[derive(Clone, Copy)]
enum End {
    Lands,
    GoesAway,
    Panics,
}

/// How a caller waits for the load of another.
#[derive(Clone, Copy)]
enum Follower {
    Thread,
    Task,
}

/// How long.
#[derive(Clone, Copy)]
enum Patience {
    Endless,
    Second,
}

use End::{GoesAway, Lands, Panics};
use Follower::{Task, Thread};
use Patience::{Endless, Second};

type Caller = (End, Follower, Patience);

const SECOND: Duration = Duration::from_secs(1);

impl Trial {
    /// Asks until there is a value; `None` from who goes away, or waits no longer.
    fn ask(&self, (end, follower, patience): Caller) -> Option<u64> {
        loop {
            let owed = self.told.load(SeqCst);
            let removals = self.removals.load(SeqCst);
            let got = match self.flights.board("k".into(), None) {
                Boarding::Lead(leader) => Some(self.lead(leader, end, removals)?),
                Boarding::Follow(flight) => value_of(&self.follow(&flight, follower, patience)?),
                Boarding::Outdated(_) => panic!("who is listed has not landed"),
            };
            if let Some(got) = got {
                assert!(got >= owed, "{got} was outdated before it was asked for: {owed}");
                return Some(got);
            }
        }
    }

    /// [`ask`](Trial::ask) where other processes load and change the key too: it shows whose load it is under.
    fn ask_by_lease(&self) {
        let mut outdated: Option<Arc<Flight>> = None;
        loop {
            let owed = self.told.load(SeqCst);
            let shown = self.server(|server| server.lease.clone());
            let got = match self.flights.board("k".into(), shown.as_ref()) {
                Boarding::Lead(leader) => {
                    let lease = self.server(|server| {
                        server.granted += 1;
                        server.lease.insert(Version::Number(server.granted)).clone()
                    });
                    leader.stand_for(Some(&lease));
                    let loaded = self.load();
                    leader.land(Landing::Value(Arc::new(loaded)));
                    Some(loaded)
                }
                Boarding::Follow(flight) => value_of(&self.follow(&flight, Task, Endless).unwrap()),
                Boarding::Outdated(flight) => {
                    if outdated.replace(Arc::clone(&flight)).is_some_and(|seen| Arc::ptr_eq(&seen, &flight)) {
                        self.flights.strike("k", &flight);
                    }
                    None
                }
            };
            if let Some(got) = got {
                assert!(got >= owed, "{got} was outdated before it was asked for: {owed}");
                return;
            }
        }
    }

    /// One exchange with the server.
    fn server<R>(&self, exchange: impl FnOnce(&mut Server) -> R) -> R {
        thread::yield_now();
        exchange(&mut self.server.lock().unwrap())
    }

    fn load(&self) -> u64 {
        take_time();
        let loaded = self.source.load(SeqCst);
        take_time();
        loaded
    }

    /// Nobody else has gone on since it boarded.
    fn lead(&self, leader: Leader, end: End, removals: u64) -> Option<u64> {
        {
            let mut leading = self.leading.lock().unwrap();
            // By a removal that has begun and was not complete before.
            let may_be_cut_off = |before: &u64| self.source.load(SeqCst) > *before;
            assert!(leading.iter().all(may_be_cut_off), "two lead the load of one state");
            leading.push(removals);
        }
        leader.stand_for(None);
        let loaded = self.load();
        let resign = || {
            let mut leading = self.leading.lock().unwrap();
            let place = leading.iter().position(|other| *other == removals).unwrap();
            leading.swap_remove(place);
        };
        match end {
            Lands => {
                resign();
                leader.land(Landing::Value(Arc::new(loaded)));
                Some(loaded)
            }
            GoesAway => {
                resign();
                drop(leader);
                None
            }
            Panics => {
                let panics = AssertUnwindSafe(move || {
                    let _leader = leader;
                    resign();
                    resume_unwind(Box::new(()));
                });
                assert!(catch_unwind(panics).is_err());
                None
            }
        }
    }

    fn follow(&self, flight: &Flight, follower: Follower, patience: Patience) -> Option<Landing> {
        let end = now() + if matches!(patience, Second) { SECOND } else { SECOND * 1_000_000 };
        let landing = match follower {
            Thread => blocking::landed(flight, end).unwrap(),
            Task => self.seat(flight, end),
        };
        assert!(landing.is_some() || now() >= end, "it had time left");
        if let State::Airborne { waiters, .. } = &*flight.state() {
            assert!(landing.is_none(), "a flight lands once, and for all");
            let kept = waiters.iter().flatten().count();
            assert!(kept <= self.seated.load(SeqCst), "the flight keeps a waker of a task that has left");
        }
        landing
    }

    /// A task that waits until then.
    fn seat(&self, flight: &Flight, end: Instant) -> Option<Landing> {
        self.seated.fetch_add(1, SeqCst);
        let mut waiting = Waiting { flight, seat: None };
        let landing = block_on(poll_fn(|context| match waiting.poll(context.waker()) {
            Poll::Ready(landing) => Poll::Ready(Some(landing)),
            Poll::Pending if now() >= end => Poll::Ready(None),
            Poll::Pending => {
                let waker = context.waker().clone();
                hand::ring_at(end, move || waker.wake());
                Poll::Pending
            }
        }));
        drop(waiting);
        self.seated.fetch_sub(1, SeqCst);
        landing
    }

    /// Changes the source, then has what is loaded from it removed.
    fn change(&self, remove: impl FnOnce(&Trial)) {
        take_time();
        let number = self.source.fetch_add(1, SeqCst) + 1;
        remove(self);
        self.removals.fetch_add(1, SeqCst);
        self.told.fetch_max(number, SeqCst);
    }
}

/// Lets others do much meanwhile.
fn take_time() {
    (0..6).for_each(|_| thread::yield_now());
}

fn value_of(landing: &Landing) -> Option<u64> {
    match landing {
        Landing::Value(object) => Some(number(object)),
        Landing::Failed(_) | Landing::Abandoned => None,
    }
}

fn number(object: &Arc<dyn Object>) -> u64 {
    *(&**object as &dyn std::any::Any).downcast_ref().unwrap()
}

/// Runs all callers at once, and beside them `others`.
fn crowd(callers: &[Caller], others: &[fn(&Trial)]) {
    let trial = Arc::new(Trial::default());
    let asking = callers.iter().map(|caller| {
        let (trial, caller) = (Arc::clone(&trial), *caller);
        thread::spawn(move || {
            for _ in 0..2 {
                let got = trial.ask(caller);
                assert!(got.is_some() || !matches!(caller, (Lands, _, Endless)), "it was told nothing");
            }
        })
    });
    let beside = others.iter().map(|work| {
        let (trial, work) = (Arc::clone(&trial), *work);
        thread::spawn(move || work(&trial))
    });
    let threads: Vec<_> = asking.chain(beside).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(trial.flights.is_empty(), "a load is listed although nobody leads it");
}

#[test]
fn all_who_ask_get_a_value_whether_their_leader_lands_goes_away_or_panics() {
    for end in [Lands, GoesAway, Panics] {
        let callers =
            [(end, Thread, Endless), (Lands, Thread, Endless), (end, Task, Endless), (Lands, Task, Endless)];
        in_any_order(move || crowd(&callers, &[]));
    }
}

#[test]
fn nobody_who_asks_after_an_invalidation_gets_what_was_loaded_before_it() {
    fn change_and_ask(trial: &Trial, remove: fn(&Flights)) {
        trial.change(|trial| remove(&trial.flights));
        trial.ask((Lands, Thread, Endless));
    }
    let by_key: fn(&Trial) = |trial| change_and_ask(trial, |flights| flights.detach(|| "k".into()));
    let by_pattern: fn(&Trial) =
        |trial| change_and_ask(trial, |flights| flights.detach_all(|key| key == "k"));
    for invalidations in [[by_key, by_key], [by_key, by_pattern]] {
        let callers = [(Lands, Thread, Endless), (Lands, Task, Endless), (GoesAway, Thread, Endless)];
        in_any_order(move || crowd(&callers, &invalidations));
    }
}

#[test]
fn who_waits_no_longer_leaves_nothing_behind_and_keeps_nobody_from_the_result() {
    let callers =
        [(Lands, Thread, Endless), (Lands, Task, Second), (Lands, Thread, Second), (Lands, Task, Endless)];
    in_any_order(move || crowd(&callers, &[|_| hand::pass(SECOND)]));
}

#[test]
fn a_load_under_a_lease_is_followed_by_nobody_who_asks_after_another_process_ended_that() {
    in_any_order(crowd_by_lease);
}

fn crowd_by_lease() {
    let trial = Arc::new(Trial::default());
    let asking = (0..3).map(|_| {
        let trial = Arc::clone(&trial);
        thread::spawn(move || {
            (0..2).for_each(|_| trial.ask_by_lease());
        })
    });
    let threads: Vec<_> = asking.collect();
    for _ in 0..2 {
        trial.change(|trial| trial.server(|server| server.lease = None));
        trial.ask_by_lease();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(trial.flights.is_empty(), "a load is listed although nobody leads it");
}

#[cfg(simulation)]
mod planted;
