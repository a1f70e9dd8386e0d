//! How much several threads get done.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Millions of turns per second that so many threads make together within about `span`.
///
/// The threads begin far apart in the row of turns. A turn is given its number, and says how many are to be left out.
pub fn throughput(
    threads: usize,
    span: Duration,
    first: usize,
    apart: usize,
    turn: impl Fn(usize) -> usize + Sync,
) -> f64 {
    let (begin, stop) = (Barrier::new(threads + 1), AtomicBool::new(false));
    let run = |first: usize| {
        let (mut next, mut turns) = (first, 0_usize);
        begin.wait();
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..BETWEEN_LOOKS {
                next += 1 + turn(next);
            }
            turns += BETWEEN_LOOKS;
        }
        turns
    };
    thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || run(first + thread * apart))).collect();
        begin.wait();
        let start = Instant::now();
        thread::sleep(span);
        stop.store(true, Ordering::Relaxed);
        let turns: usize = running.into_iter().map(|thread| thread.join().expect("a thread returns")).sum();
        turns as f64 / start.elapsed().as_secs_f64() / 1e6
    })
}

const BETWEEN_LOOKS: usize = 64;
