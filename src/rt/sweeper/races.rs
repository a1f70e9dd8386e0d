//! A sweep that comes again and again, and its end, in every order that shuttle thinks of.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use super::*;
use crate::engine::sync::schedules::in_any_order;
use crate::now::hand;

#[test]
fn a_sweep_comes_once_per_interval_even_if_one_panics_and_its_thread_ends_with_the_sweeper() {
    in_any_order(|| {
        let (sweeps, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, over) = (Arc::clone(&sweeps), Arc::clone(&is_over));
        let late = Arc::new(AtomicUsize::new(0));
        let lateness = Arc::clone(&late);
        let sweep = move || {
            lateness.fetch_add(usize::from(over.load(SeqCst)), SeqCst);
            counted.fetch_add(1, SeqCst);
            thread::yield_now();
            resume_unwind(Box::new(()));
        };
        let sweeper = sweep_every(SECOND, sweep).unwrap();
        for due in 1..=2 {
            while sweeps.load(SeqCst) < due {
                hand::pass(SECOND);
            }
        }
        drop(sweeper);
        is_over.store(true, SeqCst);
        // Whatever time passes now brings no more than the one that was under way.
        (0..3).for_each(|_| hand::pass(SECOND));
        assert!(late.load(SeqCst) <= 1);
    });
}

const SECOND: Duration = Duration::from_secs(1);
