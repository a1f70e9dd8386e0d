//! Jobs that are started while others close or drop the cache, in every order that shuttle thinks of.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use super::*;
use crate::engine::sync::schedules::in_any_order;
use crate::now::hand;

#[derive(Default)]
struct Trial {
    background: Background,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    refused: AtomicUsize,
    ran: AtomicUsize,
    /// Those that were dropped instead.
    left: AtomicUsize,
    /// Whether a wait for all of them has ended, with time left.
    drained: AtomicBool,
}

/// What a job holds.
struct Load {
    counts: Arc<Counts>,
    ran: bool,
}

impl Trial {
    fn start(&self, panics: bool) {
        let mut load = Load { counts: Arc::clone(&self.counts), ran: false };
        let job = move || {
            thread::yield_now();
            assert!(!load.counts.drained.load(SeqCst), "it was said to have ended");
            load.ran = true;
            drop(load);
            if panics {
                resume_unwind(Box::new(()));
            }
        };
        let count = match self.background.start(job) {
            true => &self.counts.accepted,
            false => &self.counts.refused,
        };
        count.fetch_add(1, SeqCst);
    }

    /// As a cache does when it is closed.
    fn close(&self, patience: Duration) {
        let until = now() + patience;
        self.background.drain(until);
        assert!(!self.background.start(|| panic!("it is closed")));
        // Another one that closes it at the same time does not wait.
        if now() < until {
            self.counts.drained.store(true, SeqCst);
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let count = if self.ran { &self.counts.ran } else { &self.counts.left };
        count.fetch_add(1, SeqCst);
    }
}

impl Counts {
    /// Once all have ended.
    fn check(&self, jobs: usize) {
        let of = |count: &AtomicUsize| count.load(SeqCst);
        let (accepted, refused) = (of(&self.accepted), of(&self.refused));
        assert_eq!(accepted + refused, jobs);
        assert_eq!((of(&self.ran), of(&self.left)), (accepted, refused), "each runs once, or is said not to");
    }
}

/// Has two threads start two jobs each, while a third has `work` with the background; then waits for the thread behind it.
fn crowd(passing: Duration, work: fn(&Trial)) {
    let trial = Arc::new(Trial::default());
    let counts = Arc::clone(&trial.counts);
    let starting = (0..2).map(|_| {
        let trial = Arc::clone(&trial);
        thread::spawn(move || [true, false].into_iter().for_each(|panics| trial.start(panics)))
    });
    let mut threads: Vec<_> = starting.collect();
    threads.push(thread::spawn(move || work(&trial)));
    hand::pass(passing);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    while counts.ran.load(SeqCst) + counts.left.load(SeqCst) < 4 {
        thread::yield_now();
    }
    counts.check(4);
}

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(1_000);

#[test]
fn whoever_closes_waits_for_each_job_that_was_taken_and_lets_none_in_after() {
    in_any_order(|| crowd(Duration::ZERO, |trial| trial.close(LONG)));
}

#[test]
fn whoever_closes_waits_no_longer_than_it_said_and_the_jobs_still_run() {
    in_any_order(|| crowd(SECOND, |trial| trial.close(SECOND)));
}

#[test]
fn a_cache_that_is_dropped_leaves_no_job_undone_and_no_thread() {
    in_any_order(|| crowd(Duration::ZERO, |_| {}));
}

#[test]
fn a_job_for_which_there_is_no_room_is_refused_outside_the_lock() {
    /// Comes back to where it was refused.
    struct Back(Arc<Trial>);
    impl Drop for Back {
        fn drop(&mut self) {
            self.0.start(false);
        }
    }
    let trial = || {
        let trial = Arc::new(Trial::default());
        trial.close(LONG);
        trial.counts.drained.store(false, SeqCst);
        let threads = [(); 2].map(|()| {
            let back = Back(Arc::clone(&trial));
            let trial = Arc::clone(&trial);
            thread::spawn(move || assert!(!trial.background.start(move || drop(back))))
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        trial.counts.check(2);
    };
    in_any_order(trial);
}
