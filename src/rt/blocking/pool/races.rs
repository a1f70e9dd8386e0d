//! Callers of one small pool, in every order that shuttle thinks of.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use shuttle::thread;

use super::super::socket::Socket;
use super::super::stream::Stream;
use super::*;
use crate::engine::sync::schedules::in_any_order;
use crate::error::{Error, ErrorKind, Result};
use crate::now::hand;

/// A pool of so many connections, and how many are open and in use.
struct Trial {
    pool: Pool<usize, usize>,
    size: usize,
    open: Arc<AtomicUsize>,
    used: AtomicUsize,
}

/// What becomes of an exchange.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Answered,
    /// Answered, but the connection is no longer of use.
    OutOfStep,
    CannotDial,
    /// The connection dies before anything has left, and so does its successor.
    Dies,
    Panics,
}

use Outcome::{Answered, CannotDial, Dies, OutOfStep, Panics};

/// A connection on which nothing comes unasked.
struct Line(Arc<AtomicUsize>);

impl Trial {
    fn of(size: u32) -> Trial {
        let pool = Pool { lanes: 1, ..Pool::new(size) };
        Trial { pool, size: size as usize, open: Arc::default(), used: AtomicUsize::new(0) }
    }

    fn call(&self, outcome: Outcome, patience: Duration) {
        let deadline = Deadline::after(patience);
        let mut place = match self.pool.checkout(deadline) {
            Ok(place) => place,
            Err(fault) => {
                assert!(fault.ours && fault.error.is_timeout() && deadline.remaining().is_err(), "{fault:?}");
                return;
            }
        };
        let dials = Cell::new(0);
        let dial = || {
            dials.set(dials.get() + 1);
            self.dial(outcome)
        };
        let exchange = |_: &mut Socket| self.exchange(outcome);
        let ended = catch_unwind(AssertUnwindSafe(|| place.with(true, false, dial, exchange)));
        match (outcome, ended) {
            (Answered | OutOfStep, Ok(Ok(()))) | (Panics, Err(_)) => {}
            // One on an idle connection does not come to dial.
            (CannotDial, Ok(answer)) => assert!(answer.is_ok() == (dials.get() == 0)),
            (Dies, Ok(Err(_))) => {}
            (outcome, ended) => panic!("{outcome:?} came to {:?}", ended.is_ok()),
        }
    }

    /// A question that others may carry, and the answer to it, whoever that came through.
    fn ask(&self, question: usize, outcome: Outcome, patience: Duration) {
        let deadline = Deadline::after(patience);
        let answered = match self.pool.join(Arc::new(question), deadline) {
            Ok(Turn::Ended(Ended::Answered(answer))) => Ok(answer),
            Ok(Turn::Place(place)) => {
                let dial = || self.dial(Answered);
                let exchange =
                    |_: &mut Socket, theirs: &[&usize]| self.exchange_all(outcome, question, theirs);
                let ended = catch_unwind(AssertUnwindSafe(|| place.ask(dial, exchange)));
                let Ok(ended) = ended else { return assert!(matches!(outcome, Panics)) };
                ended
            }
            Ok(Turn::Ended(Ended::PutDown)) => return self.call(Answered, patience),
            Err(fault) => Err(fault),
        };
        match answered {
            Ok(answer) => assert_eq!(answer, question, "another's answer"),
            Err(fault) if matches!(outcome, Dies) && !fault.error.is_timeout() => {}
            Err(fault) => assert!(deadline.remaining().is_err(), "{fault:?}"),
        }
    }

    fn exchange_all(
        &self,
        outcome: Outcome,
        own: usize,
        theirs: &[&usize],
    ) -> Result<(Answers<usize>, bool), Fault> {
        let ((), in_step) = self.exchange(outcome)?;
        if matches!(outcome, OutOfStep) && !theirs.is_empty() {
            return Err(Fault::sent(Error::new(ErrorKind::Protocol, "all together are too much")));
        }
        Ok(((own, theirs.iter().map(|their| **their).collect()), in_step))
    }

    fn dial(&self, outcome: Outcome) -> Result<Socket> {
        thread::yield_now();
        if matches!(outcome, CannotDial) {
            return Err(Error::new(ErrorKind::Unavailable, "nobody is there"));
        }
        let open = self.open.fetch_add(1, SeqCst);
        let socket = Socket::plain(Line(Arc::clone(&self.open)));
        assert!(open < self.size, "the server sees more connections than there are places");
        Ok(socket)
    }

    fn exchange(&self, outcome: Outcome) -> Result<((), bool), Fault> {
        assert!(self.used.fetch_add(1, SeqCst) < self.size, "more are in use than there are places");
        thread::yield_now();
        self.used.fetch_sub(1, SeqCst);
        match outcome {
            Answered | CannotDial => Ok(((), true)),
            OutOfStep => Ok(((), false)),
            Dies => Err(Fault::unsent(Error::new(ErrorKind::Unavailable, "it died"))),
            Panics => resume_unwind(Box::new(())),
        }
    }

    /// All have gone.
    fn check(&self) {
        let places = self.pool.lock();
        assert_eq!((places.taken, places.asking, places.carried, places.called), (0, 0, 0, 0));
        assert!(places.queue.is_empty());
        assert_eq!(places.idle.len(), self.open.load(SeqCst), "a connection was lost");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Read for Line {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Line {
    fn set_deadline(&mut self, _: Deadline) {}

    fn set_patient(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// Has all of them call at once, while a second passes or none does.
fn crowd(size: u32, callers: &[(Outcome, Duration)], passing: Duration) {
    at_once(size, callers, passing, |trial, _, outcome, patience| trial.call(outcome, patience));
}

/// The same of callers with questions.
fn asking_crowd(size: u32, callers: &[(Outcome, Duration)], passing: Duration) {
    at_once(size, callers, passing, Trial::ask);
}

fn at_once(
    size: u32,
    callers: &[(Outcome, Duration)],
    passing: Duration,
    act: impl Fn(&Trial, usize, Outcome, Duration) + Copy + Send + 'static,
) {
    let trial = Arc::new(Trial::of(size));
    let calling = callers.iter().enumerate().map(|(number, (outcome, patience))| {
        let (trial, outcome, patience) = (Arc::clone(&trial), *outcome, *patience);
        thread::spawn(move || act(&trial, number, outcome, patience))
    });
    let threads: Vec<_> = calling.collect();
    hand::pass(passing);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    trial.check();
}

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(1_000);

#[test]
fn all_have_their_turn_and_never_more_are_out_than_there_are_places() {
    for size in [1, 2] {
        in_any_order(move || crowd(size, &[(Answered, LONG); 4], Duration::ZERO));
    }
}

#[test]
fn a_place_comes_back_whatever_became_of_its_connection() {
    for size in [1, 2] {
        let callers = [OutOfStep, CannotDial, Dies, Panics, Answered].map(|outcome| (outcome, LONG));
        in_any_order(move || crowd(size, &callers, Duration::ZERO));
    }
}

#[test]
fn who_waits_no_longer_takes_no_place_from_the_others() {
    let callers = [(Answered, LONG), (Answered, SECOND), (OutOfStep, SECOND), (Answered, LONG)];
    in_any_order(move || crowd(1, &callers, SECOND));
}

#[test]
fn whoever_is_carried_hears_the_answer_to_its_own_question() {
    for size in [1, 2] {
        in_any_order(move || asking_crowd(size, &[(Answered, LONG); 4], Duration::ZERO));
    }
}

#[test]
fn who_is_put_down_asks_alone_whatever_became_of_the_others() {
    for size in [1, 2] {
        let callers = [OutOfStep, Dies, Panics, Answered].map(|outcome| (outcome, LONG));
        in_any_order(move || asking_crowd(size, &callers, Duration::ZERO));
    }
}

#[test]
fn who_leaves_while_it_is_carried_leaves_the_others_theirs() {
    let callers = [(Answered, LONG), (Answered, SECOND), (OutOfStep, SECOND), (Answered, LONG)];
    in_any_order(move || asking_crowd(1, &callers, SECOND));
}

#[test]
fn those_with_questions_and_those_without_have_their_turns() {
    let callers = [(Answered, LONG), (Answered, LONG), (Answered, SECOND), (Dies, LONG)];
    in_any_order(move || {
        at_once(1, &callers, SECOND, |trial, number, outcome, patience| match number % 2 {
            0 => trial.call(outcome, patience),
            _ => trial.ask(number, outcome, patience),
        });
    });
}
