//! Jobs and renewals that come and go while the thread behind them works, lingers and ends, in every order that shuttle
//! thinks of.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use super::*;
use crate::engine::sync::schedules::in_any_order;
use crate::now::hand;

impl Agenda {
    /// Lets time pass until there is no thread.
    fn outlast(&self) {
        while self.lock().attended.is_some() {
            hand::pass(LINGER);
        }
    }
}

/// An agenda lives as long as the process.
fn agenda() -> &'static Agenda {
    Box::leak(Box::default())
}

#[test]
fn each_job_runs_once_also_one_that_comes_while_the_thread_ends() {
    in_any_order(|| {
        let (agenda, ran) = (agenda(), Arc::new(AtomicUsize::new(0)));
        let detach = |panics: bool| {
            let ran = Arc::clone(&ran);
            thread::spawn(move || {
                agenda.detach(Box::new(move || {
                    ran.fetch_add(1, SeqCst);
                    if panics {
                        resume_unwind(Box::new(()));
                    }
                }));
            })
        };
        let threads = [true, false, false].map(detach);
        (0..3).for_each(|_| hand::pass(LINGER));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        while ran.load(SeqCst) < 3 {
            thread::yield_now();
        }
        agenda.outlast();
        assert_eq!(ran.load(SeqCst), 3);
    });
}

/// A renewal whose runs are counted.
struct Lock {
    runs: Arc<AtomicUsize>,
    given_up: Arc<AtomicBool>,
    renewing: Renewing,
}

impl Lock {
    fn new(agenda: &'static Agenda, every: Duration) -> Lock {
        let (runs, given_up) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, over) = (Arc::clone(&runs), Arc::clone(&given_up));
        let late = AtomicUsize::new(0);
        let renew = move || {
            late.fetch_add(usize::from(over.load(SeqCst)), SeqCst);
            assert!(late.load(SeqCst) <= 1, "only one that was under way may still come");
            thread::yield_now();
            count.fetch_add(1, SeqCst);
            true
        };
        Lock { runs, given_up, renewing: agenda.renewing(every, Arc::new(renew)) }
    }

    /// Lives until it was renewed so often.
    fn hold(self, renewals: usize) {
        while self.runs.load(SeqCst) < renewals {
            thread::yield_now();
        }
        drop(self.renewing);
        self.given_up.store(true, SeqCst);
    }
}

#[test]
fn a_renewal_is_not_kept_waiting_by_one_that_is_due_later_and_ends_with_its_lock() {
    in_any_order(|| {
        let agenda = agenda();
        let slow = Lock::new(agenda, HOUR);
        let threads =
            [thread::spawn(move || Lock::new(agenda, SECOND).hold(1)), thread::spawn(move || slow.hold(0))];
        let start = now();
        while !agenda.lock().is_through_with(2) {
            hand::pass(SECOND / 2);
            assert!(now() < start + HOUR, "it waited for the other one");
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        agenda.outlast();
    });
}

impl Tasks {
    fn is_through_with(&self, renewals: u64) -> bool {
        self.renewals.is_empty() && self.number == renewals
    }
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
