//! Threads and tasks that stand in one queue for a lock, in every order that shuttle thinks of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::sync::Mutex;
use shuttle::thread;

use super::*;
use crate::engine::sync::schedules::in_any_order;
use crate::engine::turns::Turns;
use crate::now::{hand, now};
use crate::rt::blocking;

/// A lock on a server, and the queue before it.
#[derive(Default)]
struct Trial {
    turns: Turns,
    /// How many have come.
    arrivals: Mutex<usize>,
    is_held: AtomicBool,
    /// How many are asking the server.
    asking: AtomicUsize,
    /// The number of the last who got the lock.
    latest: AtomicUsize,
}

type Waits = fn(&Seat, Instant) -> bool;

impl Trial {
    /// Waits for the lock, holds it and releases it; `false` if the time was over first.
    fn hold(&self, waits: Waits, patience: Duration) -> bool {
        let end = now() + patience;
        let (turn, number) = {
            let mut arrivals = self.arrivals.lock().unwrap();
            *arrivals += 1;
            (self.turns.take("k".into()), *arrivals)
        };
        while waits(&turn.seat, end) {
            if self.ask() {
                assert!(self.latest.swap(number, SeqCst) < number, "somebody was passed over");
                drop(turn);
                self.release();
                return true;
            }
        }
        assert!(now() >= end, "it had time left");
        false
    }

    /// One exchange with the server.
    fn ask(&self) -> bool {
        assert_eq!(self.asking.fetch_add(1, SeqCst), 0, "two ask at the same time");
        thread::yield_now();
        self.asking.fetch_sub(1, SeqCst);
        !self.is_held.swap(true, SeqCst)
    }

    fn release(&self) {
        thread::yield_now();
        self.is_held.store(false, SeqCst);
        self.turns.call("k");
    }
}

fn as_thread(seat: &Seat, end: Instant) -> bool {
    blocking::called(seat, end).unwrap()
}

fn as_task(seat: &Seat, end: Instant) -> bool {
    block_on(poll_fn(|context| match poll(seat, context.waker()) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending if now() >= end => Poll::Ready(false),
        Poll::Pending => {
            let waker = context.waker().clone();
            hand::ring_at(end, move || waker.wake());
            Poll::Pending
        }
    }))
}

/// Has all of them wait for the lock, while a second passes or none does.
fn crowd(callers: &[(Waits, Duration)], passing: Duration) {
    let trial = Arc::new(Trial::default());
    let waiting = callers.iter().map(|(waits, patience)| {
        let (trial, waits, patience) = (Arc::clone(&trial), *waits, *patience);
        thread::spawn(move || {
            let held = trial.hold(waits, patience);
            assert!(held || patience == SECOND, "it was never called");
        })
    });
    let threads: Vec<_> = waiting.collect();
    hand::pass(passing);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(trial.turns.is_empty(), "the queue keeps who has left");
}

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(1_000);

#[test]
fn all_hold_the_lock_in_the_order_in_which_they_came_and_one_at_a_time_asks_for_it() {
    let callers: [(Waits, Duration); 4] =
        [(as_thread, LONG), (as_task, LONG), (as_thread, LONG), (as_task, LONG)];
    in_any_order(move || crowd(&callers, Duration::ZERO));
}

#[test]
fn who_waits_no_longer_takes_no_call_from_the_others() {
    let callers: [(Waits, Duration); 4] =
        [(as_thread, SECOND), (as_task, SECOND), (as_thread, LONG), (as_task, LONG)];
    in_any_order(move || crowd(&callers, SECOND));
}
