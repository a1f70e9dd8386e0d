//! Callers who each bring what they call with.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// How long the callers need until each has called so often, all at once and each on a thread of its own. A call is told
/// its number.
pub fn abreast<C: FnMut(usize) + Send>(callers: impl IntoIterator<Item = C>, calls: usize) -> Duration {
    let callers: Vec<C> = callers.into_iter().collect();
    let begin = Barrier::new(callers.len());
    let run = |mut call: C| {
        begin.wait();
        // Its own: whoever watches from outside may wake when half of the work is done.
        let start = Instant::now();
        (0..calls).for_each(&mut call);
        (start, Instant::now())
    };
    let spans: Vec<_> = thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = callers.into_iter().map(|call| scope.spawn(move || run(call))).collect();
        running.into_iter().map(|thread| thread.join().expect("a caller returns")).collect()
    });
    let first = spans.iter().map(|(start, _)| *start).min();
    let last = spans.iter().map(|(_, end)| *end).max();
    first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first)
}
